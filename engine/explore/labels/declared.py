"""What is declared of labelling, and how far each question is."""

from lemnis.engine.config import Config, Labels
from lemnis.engine.errors import NotFound
from lemnis.engine.explore.labels.events import AUDITED
from lemnis.engine.explore.labels.queues import unsure_rows
from lemnis.engine.explore.labels.records import Applied, LabelSet
from lemnis.engine.store import Store
from lemnis.engine.text import safe


def declared_labels(config: Config, name: str) -> Labels:
    """Return one declaration, or raise NotFound."""
    if name not in config.labels:
        known = ", ".join(config.labels) or "none yet; `lemnis explore labels add` declares some"
        raise NotFound(f"There are no labels {safe(name, limit=80)!r}.", f"Labels: {known}.", "lemnis.toml")
    return config.labels[name]


def label_set(store: Store, name: str, labels: Labels) -> LabelSet:
    """Return one question with what stands of it."""
    counts: dict[str, int] = {}
    split = 0
    sql = "select value, count(*) as rows from label_resolved where labels = ? group by value"
    for row in store.rows(sql, [name]):
        if row["value"] is None:
            split = int(row["rows"])
        else:
            counts[row["value"]] = int(row["rows"])
    audit = f"select count(*) from label_resolved where labels = ? and value is not null and row_key in ({AUDITED})"
    people = store.rows(
        """select labeller, count(*) as rows from label_votes where labels = ?
           group by labeller order by rows desc, labeller""",
        [name],
    )
    return LabelSet(
        name=name,
        column=labels.column,
        question=labels.question,
        key_of=labels.key_of,
        show=labels.show,
        balance={text: counts.get(text, 0) for text in labels.classes} | counts,
        labelled=sum(counts.values()),
        audit=int(store.value(audit, [name, name])),
        split=split,
        unsure=unsure_rows(store, name),
        labellers={row["labeller"]: int(row["rows"]) for row in people},
    )


def list_applied(store: Store, name: str) -> list[Applied]:
    """Return what was handed to the dataset, newest first."""
    rows = store.rows("select * from label_applications where labels = ? order by id desc", [name])
    return [Applied(**{field: row[field] for field in Applied.__struct_fields__}) for row in rows]
