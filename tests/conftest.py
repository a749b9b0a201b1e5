"""Every test sees the same terminal: true colours, no animation, no SSH, no editor of the developer's."""

import os

for name in ("NO_COLOR", "SSH_TTY", "TMUX", "EDITOR", "VISUAL"):
    os.environ.pop(name, None)
os.environ.update(
    TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor", TERM="xterm-256color", TEXTUAL_COLOR_SYSTEM="truecolor"
)
