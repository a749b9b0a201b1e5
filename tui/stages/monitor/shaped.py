"""Differences of schema and skew as rows and words. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor.schema.records import REQUESTS, Finding, Inspected
from lemnis.engine.monitor.skew.records import Apart, Paired, ShareSkew, Skew
from lemnis.engine.text import safe
from lemnis.tui.format import age, delta, share, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row

COLUMNS = (
    Col("verdict"),
    Col("from", "from", most=10),
    Col("what", "what", most=13),
    Col("column", most=18),
    Col("now", flex=True),
)
WIDE = (
    Col("verdict"),
    Col("from", "from"),
    Col("what", "what"),
    Col("column", most=28),
    Col("was", "was", most=34),
    Col("now", flex=True),
    Col("rows", right=True),
    Col("since"),
)
PLACES = {"class": N_("labels"), "answer": N_("answers"), "segment": N_("rows"), "group": N_("rows")}
ORDER = {"drift": 0, "watch": 1}


class ShapeView(Struct, frozen=True):
    """What is known of one endpoint's schema and skew: findings with the change each proposes, by id."""

    endpoint: str
    findings: list[Finding]
    diffs: dict[int, str]
    skew: Skew | None
    inspected: Inspected | None


def shape_rows(view: ShapeView, *, wide: bool) -> list[Row]:
    """Return one row a finding, a share that is out of balance, and a feature that serving sees apart; worst first."""
    rows = [(ORDER.get(one.verdict, 2), finding_row(one, wide=wide)) for one in view.findings]
    if view.skew is not None:
        rows += [(ORDER[one.verdict], share_row(one, view.skew, wide=wide)) for one in view.skew.told]
        paired = view.skew.paired
        rows += [(0, apart_row(one, paired, view.skew, wide=wide)) for one in parts_apart(paired)]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def finding_row(one: Finding, *, wide: bool) -> Row:
    """Return one schema finding."""
    place = one.source if one.source != REQUESTS else _("refused") if one.refused else _("requests")
    return listed_row(
        f"f{one.id}", one.verdict, place, [one.kind, one.column, one.was, one.now], one.rows, one.since, wide=wide
    )


def share_row(one: ShareSkew, skew: Skew, *, wide: bool) -> Row:
    """Return one share that is out of balance."""
    since = 0 if one.kind == "class" else skew.start  # labels are of earlier rows
    was, now = share(one.reference), f"{share(one.share)} ({share(one.low)} – {share(one.high)})"
    words = [
        _("balance"),
        f"{one.column} = {one.value}",
        was,
        now if wide else _("{now}, was {was}").format(now=now, was=was),
    ]
    return listed_row(share_key(one), one.verdict, _(PLACES[one.kind]), words, one.rows, since, wide=wide)


def apart_row(one: Apart, paired: Paired, skew: Skew, *, wide: bool) -> Row:
    """Return one feature, or the score, that serving sees otherwise than training."""
    pair = one.example
    was, now = (safe(pair.trained), safe(pair.served)) if pair else ("", "")
    differ = share(one.differ / paired.rows if paired.rows else None)
    words = [
        _("two pipelines"),
        one.name,
        _("training {was}").format(was=was),
        _("served {now}, {told} of the rows differ").format(now=now, told=differ),
    ]
    return listed_row(f"p{one.name}", "drift", _("same rows"), words, one.differ, skew.start, wide=wide)


def listed_row(key: str, word: str, place: str, words: Sequence[str], rows: int, since: int, *, wide: bool) -> Row:
    """Return a row of the list: verdict, place, what and column, was and now, rows and since."""
    what, column, was, now = words
    cells: list[Cell] = [verdict(word).content, place, what, column, now]
    values: list[object] = [word, place, what, column, now]
    if wide:
        day = iso_utc(since)[:10] if since else ""
        cells = [verdict(word).content, place, what, column, was, now, f"{rows:,}" if rows else "", day]
        values = [word, place, what, column, was, now, rows, since]
    return Row(key, cells, values)


def share_key(one: ShareSkew) -> str:
    """Return the key of a share's row."""
    return f"s{one.kind}:{one.column}={one.value}"


def parts_apart(paired: Paired) -> list[Apart]:
    """Return the features that differ, and the score where it does."""
    scores = [paired.scores] if paired.scores is not None and paired.scores.differ else []
    return [*scores, *paired.features]


def detail(view: ShapeView, key: str) -> Content:
    """Return everything known of the row under the cursor; of none why nothing is listed, or what is."""
    for one in view.findings:
        if key == f"f{one.id}":
            return finding_detail(one, view.diffs.get(one.id, ""))
    for share_of in view.skew.told if view.skew else []:
        if key == share_key(share_of):
            return Content(share_words(share_of))
    for part in parts_apart(view.skew.paired) if view.skew else []:
        if view.skew and key == f"p{part.name}":
            return Content(f"{apart_words(part, view.skew.paired.rows)}.\n{paired_words(view.skew.paired)}")
    return Content("")


def finding_detail(one: Finding, diff: str) -> Content:
    """Return one schema finding in full, with what would be written."""
    gain = _(", {importance} of the model's gain").format(importance=share(one.importance, 0)) if one.importance else ""
    parts: list[Content | tuple[str, str] | str] = [(safe(one.column), "bold"), f" ({one.kind}{gain})"]
    parts += [(f"  {_('was')} ", "$muted"), safe(one.was), (f"  {_('now')} ", "$muted"), safe(one.now)]
    if diff:
        parts.append((f"\n{_('a writes into lemnis.toml:')}", "$muted"))
    for line in diff.splitlines()[2:]:
        if line[:1] in "+-":
            parts.append((f"\n{safe(line)}", "$ok" if line[:1] == "+" else "$bad"))
    if one.edits and not diff:
        parts.append(
            (f"\n{_('lemnis.toml says so already; it holds from the next sync or run of the checks on.')}", "$ok")
        )
    parts += [(f"\n{_('what to do')} ", "$muted"), safe(told(one.advice))]
    if one.rows:
        refused = f" {_('of requests that were refused')}" if one.refused else ""
        parts.append(
            "\n"
            + _("{rows:,} rows{refused}, since {iso_utc}").format(
                rows=one.rows, refused=refused, iso_utc=iso_utc(one.since)[:16]
            )
        )
    if one.evidence:
        parts += [(f"\n{_('evidence')} ", "$muted"), one.evidence]
    if one.examples:
        parts += [(f"\n{_('examples')} ", "$muted"), ", ".join(safe(text, limit=40) for text in one.examples[:5])]
    return Content.assemble(*parts)


def share_words(one: ShareSkew) -> str:
    """Return what a share's imbalance is, in words."""
    what = {
        "class": _("of the rows whose true answer is known"),
        "answer": _("of the answers"),
        "segment": _("of the rows with a value"),
        "group": _("of the rows that are in the dataset"),
    }[one.kind]
    known = _("the held-out rows") if one.kind == "answer" else _("the training rows")
    return _(
        "{column} = {value}: {share} {what} ({rows:,} rows, 95 %: {low} to {high}); {reference} of "
        "{known} ({reference_rows:,}). Difference {moved}, p {p:.2g}, adjusted over all shares "
        "{p_adjusted:.2g} (Benjamini–Hochberg)."
    ).format(
        column=safe(one.column),
        value=safe(one.value),
        share=share(one.share),
        what=what,
        rows=one.rows,
        low=share(one.low),
        high=share(one.high),
        reference=share(one.reference),
        known=known,
        reference_rows=one.reference_rows,
        moved=delta(one.moved),
        p=one.p,
        p_adjusted=one.p_adjusted,
    )


def paired_words(paired: Paired) -> str:
    """Return how many served rows were compared with a dataset's, in words."""
    if paired.why:
        return _("Serving against training: {why}").format(why=safe(told(paired.why)))
    served = _("Serving against training: {rows:,} of {looked:,} served rows are in {dataset}").format(
        rows=paired.rows, looked=paired.looked, dataset=safe(paired.dataset)
    )
    scores = paired.scores.differ if paired.scores else 0
    if not paired.rows_apart and not scores:
        return _("{told}; every feature and score is the same.").format(told=served)
    alone = (
        _(", {unexplained:,} of these with every feature the same").format(unexplained=paired.unexplained)
        if paired.unexplained
        else ""
    )
    return _("{told}; {rows_apart:,} differ in a feature, {scores:,} in the score{alone}.").format(
        told=served, rows_apart=paired.rows_apart, scores=scores, alone=alone
    )


def apart_words(one: Apart, rows: int) -> str:
    """Return in how many rows a feature or the score differs, and one of them."""
    pair = one.example
    shown = (
        _("; {key}: served {served}, training {trained}").format(
            key=safe(pair.key), served=safe(pair.served), trained=safe(pair.trained)
        )
        if pair
        else ""
    )
    return _("{name} differs in {differ:,} rows ({differ2}){shown}").format(
        name=safe(one.name), differ=one.differ, differ2=share(one.differ / rows if rows else None), shown=shown
    )


def nothing(inspected: Sequence[Inspected], now: int) -> str:
    """Return why nothing is listed."""
    if not inspected:
        return _("Nothing was looked at yet: no endpoint serves a model, or the watch is down.")
    newest = max(inspected, key=lambda one: one.at)
    if newest.problem:
        return _("The last look failed: {problem}").format(problem=safe(told(newest.problem)))
    return _("As it was learnt, in shape and balance; last look: {at}.").format(at=age(newest.at, now))


def headline(view: ShapeView, now: int) -> Content:
    """Return what was looked at, when, and how serving stands against training."""
    parts: list[Content | tuple[str, str] | str] = [(safe(view.endpoint), "bold")]
    if view.inspected is not None:
        one = view.inspected
        parts.append(
            "  "
            + _("{model} v{version}, last look: {at}").format(
                model=safe(one.model), version=one.version, at=age(one.at, now)
            )
        )
        parts += [(f"\n{safe(told(one.problem))}", "$warn")] if one.problem else []
    if view.skew is not None:
        parts.append((f"\n{paired_words(view.skew.paired)}", "$muted"))
        parts += (
            [(" " + _("Classes: {labels_why}").format(labels_why=view.skew.labels_why), "$muted")]
            if view.skew.labels_why
            else []
        )
    return Content.assemble(*parts)
