"""Advice on devices in words: what each was found to take, and which to train on. Pure."""

from lemnis.engine.experiments import Advice
from lemnis.engine.experiments.advice import Tried
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, bytes_, duration, number
from lemnis.tui.language import N_, _
from lemnis.tui.widgets import Col, Row

TRIED_HEADERS = (
    N_("device"),
    N_("is"),
    N_("first round"),
    N_("a round"),
    N_("all rounds"),
    N_("memory"),
    N_("GPU memory"),
    N_("GPU busy"),
    N_("cost"),
)

NARROW = (0, 1, 4, 5, 9)  # which of the cells are shown on a small screen
NAME = 40


def advice_title(advice: Advice) -> str:
    """Return what was tried, in a line."""
    return _(
        "{preset}: {tried_rounds} of {rounds} rounds of {algorithm} on each device, {rows:,} training rows of {version}"
    ).format(
        preset=advice.preset,
        tried_rounds=advice.tried_rounds,
        rounds=advice.rounds,
        algorithm=advice.algorithm,
        rows=advice.rows,
        version=advice.version,
    )


def tried_texts(one: Tried) -> list[str]:
    """Return one device as cells under TRIED_HEADERS, and its metric last; what was not measured is an en dash."""
    busy = MISSING if one.gpu_busy_percent is None else f"{one.gpu_busy_percent:.0f}%"
    return [
        one.device,
        safe(one.name, limit=NAME) or (_("works") if one.usable else _("can't be used")),
        *(duration(seconds) for seconds in (one.prepare_s, one.round_s, one.total_s)),
        bytes_(one.peak_bytes),
        bytes_(one.gpu_peak_bytes),
        busy,
        number(one.cost, 2),
        number(one.value, 4),
    ]


def tried_columns(metric: str, *, narrow: bool) -> list[Col]:
    """Return the columns of the devices."""
    names = [*TRIED_HEADERS, metric]
    columns = [Col(name, right=place > 1, most=22 if narrow else NAME) for place, name in enumerate(names)]
    return [columns[place] for place in NARROW] if narrow else columns


def tried_row(one: Tried, *, narrow: bool) -> Row:
    """Return one device as a row."""
    texts = tried_texts(one)
    return Row(one.device, [texts[place] for place in NARROW] if narrow else texts)
