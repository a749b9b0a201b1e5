"""What `K` says in Data. Pure."""

SOURCES_TEXT = (
    "A source is what lemnis.toml declares: a file, or a pattern such as logs/2026-*.csv whose files are one table. A "
    "sync reads a file only if its size or time of change differs, and then its hash; new files, and what was added to "
    "a file with append = true, follow what is held. What a source held is kept as a read-only Parquet file named by "
    "its content. Each column gets the first type that every cell fits; 007 stays text. A ragged row, an open quote or "
    "a wrong delimiter is refused with its line.\n\n"
    "changed: the files were written to since. missing: one can't be read now. failed: the last sync was refused. "
    "Commands: lemnis data sync, sources, snapshots."
)
LINKS_TEXT = (
    "A link is a left join: every row of the base stays. Matched rows found a partner. An orphan row asks for a key "
    "that no row on the right has; a null key asks for nothing. A key on the right that stands more than once "
    "multiplies the rows that ask for it: then most partners is above 1 and marked.\n\n"
    "An as-of link (asof = a time column of the source) takes the latest row at or before dataset.time, at most as old "
    "as its tolerance. Any other link whose joined row carries a later time than dataset.time knows the future: "
    "that is counted and marked. b builds a link, or edits the one under the cursor, and counts all of this before "
    "lemnis.toml is written. Commands: lemnis data show, lemnis data link --preview."
)
VERSIONS_TEXT = (
    "A version is one table that never changes, named by the hash of its content, roles and split. Linking the same "
    "snapshots the same way gives the version there is. label is what is predicted, time decides the part of the "
    "split, key names one case, all else may be a feature. Commands: lemnis data link, versions, show, diff."
)
SNAPSHOTS_TEXT = (
    "A snapshot is what a source held at one time, as a read-only Parquet file named by its content; versions are "
    "linked from the newest one of each source. Commands: lemnis data sync, snapshots."
)
CELLS = {
    "sources.source": "Its name in [[sources]] of lemnis.toml.",
    "sources.state": (
        "ready: the newest snapshot is what the source holds. changed: its files were written to since. new: it "
        "was never read. missing: it can't be read now. failed: the last sync was refused; the last column says "
        "why."
    ),
    "sources.rows": "Rows of the newest snapshot.",
    "sources.synced": "Time since the source was last read; a read that found nothing new counts.",
    "sources.due": "When the acquisition plan says that new content comes next; – without a plan.",
    "sources.format": "How its files are written, found from their content or declared as `format`.",
    "sources.why": "Why the state is what it is.",
    "snapshots.source": "The source it was read from.",
    "snapshots.snapshot": "The first digits of the SHA-256 of its content: the same content is kept once.",
    "snapshots.rows": "Rows that were read; a ragged row is refused, not left out.",
    "snapshots.size": "Bytes of its Parquet file.",
    "snapshots.made": "Time since this content was first seen.",
    "snapshots.checked": "Time since the source was last found to hold it still.",
    "versions.version": (
        "The dataset's name and the version's number; its identity is the hash of content, roles and split."
    ),
    "versions.rows": "Rows of the base; a link never takes one away, a key that repeats on the right adds some.",
    "versions.columns": "Columns, the linked and derived ones among them.",
    "versions.split": "Where training, validation and test begin and end: split of [dataset] in lemnis.toml.",
    "links.source": "The source that is joined, and on which keys.",
    "links.bar": "Rows of the base that found a partner, as a bar.",
    "links.matched": (
        "Rows that found a partner / rows of the base, in percent. Rows with a null key count as not matched."
    ),
    "links.orphans": "Rows whose key no row on the right has.",
    "links.keys": "Distinct keys among the orphan rows: few keys with many rows are usually one missing partner.",
    "links.nulls": "Rows whose key is missing: they ask for nothing.",
    "links.unused": "Keys on the right that no row asks for.",
    "links.partners": "Most partners that one row found. Above 1 the join multiplies rows, and it is marked.",
    "detail.column": "A column of the version, or a fact of what is shown.",
    "detail.role": (
        "label: what is predicted. time: what the split and the windows go by. key: names one case. feature: all "
        "else. Declared in [dataset] of lemnis.toml."
    ),
    "detail.type": "The narrowest type that every cell fits; text where one does not fit a number.",
    "detail.source": "The source that the column comes from; derived ones are in derive of [dataset].",
    "detail.key": "A key that no row on the right has, those with the most rows first.",
    "detail.rows": "Rows that ask for this key.",
    "detail.bar": "Its rows against those of the most frequent orphan key.",
}
