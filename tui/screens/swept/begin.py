"""The dialog that begins a sweep: choose what it starts from, what varies, how many trials; press enter."""

import shlex
from collections.abc import Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine.config import Preset
from lemnis.engine.config import Sweep as Declared
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import read_overrides
from lemnis.engine.experiments.sweep import Wishes
from lemnis.engine.experiments.sweep.space import USUAL, declared_space, read_space, usual_space
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

LISTS = {"objective": "objectives", "constraint": "constraints"}
WHOLE = ("trials", "parallel", "seed")
TEXTS = {
    **{name: name for name in ("timeout", "sampler", "pruner", "name", "features")},
    "data": "version",
    "despite": "despite_checks",
}


def read_wishes(space: str, more: str) -> Wishes:
    """Return what was typed: dimensions, then words such as ``trials=20 objective=auc rounds=100``.

    Raises:
        BadInput: A word can't be read. What is no option of a sweep is a value of the preset.
    """
    fields: dict[str, object] = {"space": space.split()}
    read_space(space.split())
    lists: dict[str, list[str]] = {name: [] for name in LISTS.values()}
    others: list[str] = []
    try:
        words = shlex.split(more)
    except ValueError:
        raise BadInput("A quote is not closed.", 'Write for example despite="known outage".') from None
    for word in words:
        name, _, value = word.partition("=")
        if name in LISTS:
            lists[LISTS[name]].append(value)
        elif name in WHOLE:
            if not value.isdecimal():
                raise BadInput(f"{name} is a whole number.", f"Write for example {name}=20.")
            fields[name] = int(value)
        elif name in TEXTS:
            fields[TEXTS[name]] = value
        else:
            others.append(word)
    return Wishes(**fields, **lists, overrides=read_overrides(others))  # type: ignore[arg-type]


class BeginDialog(Dialog[tuple[str, Wishes]]):
    """Dismisses with what a sweep starts from and what is wished for, or with None."""

    BINDINGS = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, sweeps: Mapping[str, Declared], presets: Mapping[str, Preset]) -> None:
        super().__init__()
        self.choices: list[Row] = [declared_row(name, sweep) for name, sweep in sweeps.items()]
        names: Sequence[str] = [name for name in presets if name not in sweeps] or ["default"]
        self.choices += [preset_row(name, presets.get(name, Preset())) for name in names]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog train"):
            yield Words(Content.styled(_("Begin a sweep"), "bold $stage-accent"))
            yield Table(Col("from"), Col("kind"), Col("trials", right=True), Col("varies", flex=True), id="sweep-from")
            yield Field(
                placeholder=_("varies: num_leaves=7..255:log algorithm=gbdt,dart"), id="sweep-space", compact=True
            )
            yield Field(
                placeholder=_("change: trials=20 timeout=30min objective=auc rounds=100"),
                id="sweep-more",
                compact=True,
            )
            yield Words("", id="fault")
            keys = (
                (" enter ", "$key"),
                f" {_('begin')}   ",
                (" tab ", "$key"),
                f" {_('change')}   ",
                (" esc ", "$key"),
                f" {_('back')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one("#sweep-from", Table)
        table.styles.height = min(len(self.choices), 8) + 1
        table.show(self.choices)
        table.select("default")
        table.focus()

    @on(Table.Opened, "#sweep-from")
    @on(Input.Submitted)
    def begin(self) -> None:
        """Take what is typed, or say what is wrong with it."""
        texts = [self.query_one(name, Input).value for name in ("#sweep-space", "#sweep-more")]
        try:
            wishes = read_wishes(*texts)
        except BadInput as error:
            self.query_one("#fault", Words).say(Content.styled(f"✖ {told(error.problem)} {told(error.remedy)}", "$bad"))
            return
        self.dismiss((self.query_one("#sweep-from", Table).key, wishes))


def declared_row(name: str, declared: Declared) -> Row:
    """Return a declared sweep as a row."""
    try:
        space = declared_space(declared.space) or USUAL
    except BadInput:
        space = ()
    return Row(name, [name, _("sweep"), str(declared.trials), "  ".join(one.name for one in space)])


def preset_row(name: str, preset: Preset) -> Row:
    """Return a preset as a row, with what is usually varied of it."""
    try:
        varies = "  ".join(one.name for one in usual_space(preset.algorithm))
    except BadInput as error:
        varies = told(error.problem)
    return Row(name, [name, _("preset"), str(Declared().trials), varies])
