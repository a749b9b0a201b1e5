"""Every test sees the same terminal, and no property fails because the machine was busy."""

import os

from hypothesis import settings

for name in ("NO_COLOR", "SSH_TTY", "TMUX", "EDITOR", "VISUAL"):
    os.environ.pop(name, None)
os.environ.update(
    TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor", TERM="xterm-256color", TEXTUAL_COLOR_SYSTEM="truecolor"
)
settings.register_profile("lemnis", deadline=None)
settings.load_profile("lemnis")
