"""A comparison in words: verdicts with glyphs, p-values, intervals, and what was tested. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from lemnis.engine.evaluate import Pair, PairedTest, Significance
from lemnis.engine.experiments import Comparison, Gain, MetricRow, Row
from lemnis.engine.experiments.compare import COSTS
from lemnis.tui.format import MISSING, Verdict, delta, number
from lemnis.tui.language import N_, _

DIGITS = 4
GLYPHS = {
    N_("better"): ("●", "$ok"),
    N_("worse"): ("✖", "$bad"),
    N_("higher"): ("↑", "$busy"),
    N_("lower"): ("↓", "$busy"),
    N_("indistinguishable"): ("≈", "$muted"),
    N_("identical"): ("=", "$muted"),
}
# What training logs of the validation rows, under the name it is tested by.
TESTED_AS = {"auc": "roc_auc", "logloss": "log_loss", "rmse": "rmse", "mae": "mae"}


class Changes(Struct, frozen=True):
    """What changed in data and code from the baseline, as lines: ``-`` taken away, ``+`` added, ``@@`` a place."""

    data: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


class Compared(Struct, frozen=True):
    """Runs side by side with everything that is known of their differences; the baseline first."""

    comparison: Comparison
    significance: Significance | None = None
    gains: Mapping[int, Sequence[Gain]] = field(default_factory=dict[int, Sequence[Gain]])
    changes: Mapping[int, Changes] = field(default_factory=dict[int, Changes])

    @property
    def pairs(self) -> dict[int, Pair]:
        return self.significance.pairs if self.significance is not None else {}

    @property
    def part(self) -> str:
        """The held-out rows that the runs were tested on; empty before they were."""
        return next((pair.part for pair in self.pairs.values()), "")

    def test(self, run_id: int, metric: str) -> PairedTest | None:
        """Return the test of a run by a measure, None if there is none."""
        pair = self.pairs.get(run_id)
        return next((test for test in pair.tests if test.metric == metric), None) if pair is not None else None

    def tested_metrics(self) -> list[str]:
        """Return the measures of the tested runs in their order."""
        return list(dict.fromkeys(test.metric for pair in self.pairs.values() for test in pair.tests))

    def logged_metrics(self, *, everything: bool) -> list[MetricRow]:
        """Return what training logged, without what is tested on the very same rows unless all is wanted."""
        of_validation = self.significance is not None and self.significance.part == "validation"
        known = set(self.tested_metrics()) if of_validation else set[str]()
        rows = self.comparison.metrics
        return [row for row in rows if everything or (row.differs and TESTED_AS.get(row.name) not in known)]

    def groups(self, *, everything: bool) -> list[tuple[str, list[Row]]]:
        """Return parameters and conditions, only what differs unless all is wanted; empty groups are left out."""
        found = ((N_("parameters"), self.comparison.parameters), (N_("conditions"), self.comparison.conditions))
        shown = [(title, [row for row in rows if row.differs or everything]) for title, rows in found]
        return [(title, rows) for title, rows in shown if rows]


def judged(word: str) -> Verdict:
    """Return a verdict of a test with its glyph."""
    glyph, style = GLYPHS.get(word, ("·", "$muted"))
    return Verdict(glyph, _(word), style)


def p_words(p: float | None) -> str:
    """Return a p-value as ``p<0.001`` or ``p=0.034``."""
    if p is None:
        return MISSING
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


def interval_words(test: PairedTest) -> str:
    """Return the 95 % interval of a difference: ``+0.0011 to +0.0049``."""
    if test.low is None or test.high is None:
        return MISSING
    digits = digits_of(test.metric)
    return _("{low} to {high}").format(low=delta(test.low, digits), high=delta(test.high, digits))


def rows_words(pair: Pair) -> str:
    """Return on what was tested: ``27,914 validation rows, 31 days``."""
    sampled = " " + _("(sample of {of:,})").format(of=pair.of) if pair.of > pair.rows else ""
    blocks = _(", {block_count} days").format(block_count=pair.block_count) if pair.blocks == "days" else ""
    return _("{rows:,} {part} rows{sampled}{blocks}").format(
        rows=pair.rows, part=pair.part, sampled=sampled, blocks=blocks
    )


def method_words(pair: Pair) -> str:
    """Return how it was tested, for people who know the tests."""
    methods = dict.fromkeys(test.method for test in pair.tests if test.method)
    together = _("rows of a day are drawn together") if pair.blocks == "days" else _("rows are drawn")
    return _("{methods}; {together}; 95 % intervals").format(methods=", ".join(methods), together=together)


def digits_of(metric: str) -> int:
    """Return how many decimals a metric is worth."""
    return 1 if metric in COSTS else 0 if metric.startswith("value") else DIGITS


def value_words(value: float | None, difference: float | None, metric: str) -> str:
    """Return a value with its difference to the baseline: ``0.7515 −0.0030``."""
    shown = number(value, digits_of(metric))
    return shown if difference is None else f"{shown} {delta(difference, digits_of(metric))}"


def test_words(test: PairedTest | None) -> str:
    """Return a test in words: ``0.7515 −0.0030 ✖ worse p=0.002``."""
    if test is None:
        return MISSING
    words = value_words(test.value, test.delta, test.metric)
    return f"{words} {judged(test.verdict).text} {p_words(test.adjusted)}" if test.verdict else words


def gain_shares(gains: Mapping[int, Sequence[Gain]], run_ids: Sequence[int]) -> list[tuple[str, list[float | None]]]:
    """Return each feature's share of its model's gain in each run, None where a run lacks it; the largest first."""
    totals = {run: sum(one.gain for one in gains[run]) or 1.0 for run in run_ids if run in gains}
    by_run = {run: {one.feature: one.gain / totals[run] for one in gains[run]} for run in totals}
    features = dict.fromkeys(one.feature for run in run_ids for one in gains.get(run, ()))
    rows = [(name, [by_run.get(run, {}).get(name) for run in run_ids]) for name in features]
    return sorted(rows, key=lambda row: -sum(value or 0.0 for value in row[1]))
