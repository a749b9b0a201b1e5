"""Model cards as Markdown, and what differs between two of them. Pure."""

from lemnis.engine.clock import iso_utc
from lemnis.engine.modelcard.records import Card, Difference, Fact, Section, Value
from lemnis.engine.text import safe

MISSING = "–"


def markdown(card: Card) -> str:
    """Return a card as Markdown: a table a section."""
    lines = [
        f"# {inline(card.model)} version {card.version}",
        "",
        f"Made from what was on record on {iso_utc(card.at)}.",
    ]
    for section in card.sections:
        lines += ["", f"## {section.title}", ""]
        if section.note:
            lines += [inline(section.note), ""]
        lines += table(section)
    return "\n".join(lines).rstrip() + "\n"


def table(section: Section) -> list[str]:
    """Return a section's facts as a Markdown table."""
    if not section.facts:
        return []
    rows = [f"| {inline(fact.name)} | {inline(fact_text(fact))} |" for fact in section.facts]
    return ["| | |", "| --- | --- |", *rows]


def fact_text(fact: Fact) -> str:
    """Return a fact's value, its interval and its remark."""
    text = value_text(fact.value)
    if fact.low is not None and fact.high is not None:
        text += f" (95 %: {value_text(fact.low)} to {value_text(fact.high)})"
    return f"{text} — {fact.note}" if fact.note and text else text or fact.note


def value_text(value: Value) -> str:
    """Return a value as it is read."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else value


def differences(before: Card, after: Card) -> list[Difference]:
    """Return the facts that differ, in the order of the later card, those that only the earlier has last."""
    old, new = by_name(before), by_name(after)
    found = [
        Difference(section=section, name=name, before=old.get((section, name)), after=text)
        for (section, name), text in new.items()
        if old.get((section, name)) != text
    ]
    gone = [(place, text) for place, text in old.items() if place not in new]
    return [*found, *(Difference(section=place[0], name=place[1], before=text, after=None) for place, text in gone)]


def by_name(card: Card) -> dict[tuple[str, str], str]:
    """Return the texts of a card's facts by section and name."""
    return {(section.title, fact.name): fact_text(fact) for section in card.sections for fact in section.facts}


def differences_markdown(before: Card, after: Card) -> str:
    """Return what differs as Markdown: a table a section."""
    found = differences(before, after)
    lines = [f"# {inline(after.model)} version {before.version} → {after.version}"]
    if not found:
        lines += ["", "Nothing on record differs."]
    for title in dict.fromkeys(one.section for one in found):
        lines += ["", f"## {title}", "", f"| | {before.version} | {after.version} |", "| --- | --- | --- |"]
        lines += [
            f"| {inline(one.name)} | {inline(one.before or MISSING)} | {inline(one.after or MISSING)} |"
            for one in found
            if one.section == title
        ]
    return "\n".join(lines) + "\n"


def inline(value: str) -> str:
    """Return a text of data as it may stand in Markdown: one harmless line, no cell ends."""
    return safe(value, limit=400).replace("|", "\\|").replace("`", "'")
