"""The keys that work on every tab, and those of every table."""

from lemnis.tui.keys.action import Action
from lemnis.tui.stages import STAGES

APP = (
    *(
        Action(f"app.go_{stage.name}", stage.key, stage.title, f"Go to {stage.title}.", call=f"stage('{stage.name}')")
        for stage in STAGES
    ),
    Action("app.help", "question_mark", "Help", "Show the keys of this stage.", footer=True),
    Action("app.command_palette", "colon,ctrl+p", "Palette", "Find anything by name: stages, actions, commands."),
    Action("app.next_pane", "tab", "Next pane", "Move to the next pane of this stage."),
    Action("app.oncall", "o", "On call", "What fires, what serves, what drifted: everything a woken person needs."),
    Action(
        "app.past", "at", "Go to a time", "Show everything as it was at a past time; Back returns to now.", "--at TIME"
    ),
    Action(
        "app.earlier",
        "less_than_sign",
        "Earlier",
        "Go back to the alert, rollout, version or run before.",
        call="travel('earlier')",
    ),
    Action(
        "app.later",
        "greater_than_sign",
        "Later",
        "Go on to the alert, rollout, version or run after, or to now.",
        call="travel('later')",
    ),
    Action(
        "app.backward",
        "left_parenthesis,backspace",
        "Place before",
        "Go back to the place before: another tab, a run, an alert, a query.",
        call="history(-1)",
    ),
    Action(
        "app.forward",
        "right_parenthesis",
        "Place after",
        "Go forward again to the place that was gone back from.",
        call="history(1)",
    ),
    Action(
        "app.lineage",
        "L",
        "Lineage",
        "Where the thing under the cursor comes from and what came of it, each step to be opened.",
        "lineage ADDRESS",
    ),
    Action("app.jump", "J", "Jump", "Put a letter on every pane; the next key goes to one."),
    Action("app.filter", "slash", "Filter", "Narrow the list by a query; empty shows all again."),
    Action(
        "app.copy",
        "y",
        "Copy",
        "Copy, then c the cell, r row, l column, j JSON, m Markdown, p the command, a the address.",
    ),
    Action(
        "app.explain", "K", "Explain", "Explain the thing under the cursor: definition, rule and where it came from."
    ),
    Action("app.edit", "e", "Edit", "Open lemnis.toml in $EDITOR; it is checked afterwards.", writes=True),
    Action("app.mouse", "m", "Mouse", "Turn the mouse on or off, so that the terminal can select text."),
    Action("app.tour", "Y", "Tour of the loop", "Begin the tour of the ten tabs where it was left, or leave it."),
    Action("app.tour_next", "N", "Tour: next", "Go to the tour's next step."),
    Action("app.tour_back", "O", "Tour: back", "Go back to the tour's step before."),
    Action(
        "app.redraw",
        "ctrl+l,f5",
        "Redraw",
        "Draw everything anew, where something else has written on the terminal.",
        anywhere=True,
    ),
    Action(
        "app.suspend",
        "ctrl+z",
        "Suspend",
        "Stop, and give the terminal back to the shell; `fg` goes on here.",
        call="suspend_process",
        anywhere=True,
    ),
    Action("app.link", "f12", "Link", "Say how far away the terminal is, and bytes and pictures a second sent to it."),
    Action("app.back", "escape", "Back", "Go back one layer."),
    Action("app.quit", "q", "Leave", "Leave the console; work goes on."),
)

TABLES = (
    Action("table.cursor_down", "j,down", "Down", "Move down.", call="move(1)"),
    Action("table.cursor_up", "k,up", "Up", "Move up.", call="move(-1)"),
    Action("table.cursor_left", "h,left", "Left", "Move to the column before.", call="step(-1)"),
    Action("table.cursor_right", "l,right", "Right", "Move to the next column.", call="step(1)"),
    Action("table.page_down", "pagedown", "Page down", "Move down a page.", call="page(1)"),
    Action("table.page_up", "pageup", "Page up", "Move up a page.", call="page(-1)"),
    Action("table.top", "g,home", "Top", "Go to the first row.", call="end(False)"),
    Action("table.bottom", "G,end", "Bottom", "Go to the last row.", call="end(True)"),
    Action("table.open", "enter", "Open", "Open the row under the cursor."),
    Action("table.mark", "space", "Mark", "Mark the row, or take the mark away."),
    Action("table.sort_up", "s", "Sort up", "Sort by this column, smallest first.", call="sort('up')"),
    Action("table.sort_down", "S", "Sort down", "Sort by this column, largest first.", call="sort('down')"),
)
