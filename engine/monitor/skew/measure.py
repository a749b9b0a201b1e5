"""Skew of an endpoint, measured: reads counts, labels, a dataset version's rows and the model."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.config import Config
from lemnis.engine.features.signature import Signature, class_name
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.schema.live import BACK, tallies_until
from lemnis.engine.monitor.skew.balance import answers, judged, segments, shares_of
from lemnis.engine.monitor.skew.paired import Compared, compare_paired
from lemnis.engine.monitor.skew.records import ShareSkew, Skew
from lemnis.engine.monitor.tally import Tally
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version

MAIN = 30  # values of a group that are told one by one; the others are one


def measure_skew(store: Store, config: Config, key: list[object], reference: Reference, now: int) -> Skew:
    """Return the skew of the newest windows of one version of an endpoint.

    Args:
        store: The workspace's state.
        config: Says the windows, the smallest difference that counts, and the groups.
        key: Endpoint, model and version.
        reference: Of the version.
        now: Epoch ms.

    Raises:
        StoreError: The model's file is not the one that was registered.
        Unavailable, Damaged: The file of the dataset it learnt from is gone or damaged.
    """
    windows = store.rows(
        """select starts, ends, rows, labelled from monitor_windows
           where endpoint = ? and model = ? and version = ? and rows > 0 order by starts desc limit ?""",
        [*key, BACK],
    )
    newest = tallies_until(store, config, key, windows, config.monitor.min_rows) if windows else []
    total = sum((tally for _, tally in newest), Tally())
    signature, version = learnt_from(store, key)
    features = set(signature.names)
    groups = [name for name in config.dataset.group if name not in features]
    paired, pairs = compare_paired(store, key, groups)
    classes, why = class_shares(store, config, key, windows, signature, version)
    shares = [
        *classes,
        *answers(reference.binnings[-1], total, signature.classes, signature.threshold),
        *segments(reference.binnings[:-1], total),
        *(group_shares(version, groups, pairs) if pairs else []),
    ]
    apart = [msgspec.structs.replace(one, importance=reference.importance.get(one.name)) for one in paired.features]
    return Skew(
        endpoint=str(key[0]),
        model=reference.model,
        version=reference.version,
        at=now,
        start=newest[-1][0] if newest else 0,
        end=windows[0]["ends"] if windows else 0,
        rows=total.rows,
        shares=judged(shares, config.monitor.effect),
        paired=msgspec.structs.replace(paired, features=apart),
        labels_why=why,
    )


def learnt_from(store: Store, key: list[object]) -> "tuple[Signature, Version]":
    """Return what a version takes, and the dataset version it learnt from; raises NotFound."""
    from lemnis.engine.data.versions import find_version

    row = store.row(
        """select m.signature, r.version_id from model_versions m join runs r on r.id = m.run_id
           where m.model = ? and m.version = ?""",
        key[1:],
    )
    assert row is not None  # it has a reference
    return msgspec.json.decode(row["signature"], type=Signature), find_version(store, row["version_id"])


def class_shares(
    store: Store,
    config: Config,
    key: list[object],
    windows: Sequence[Row],
    signature: Signature,
    version: "Version",
) -> tuple[list[ShareSkew], str]:
    """Return the share of each class among the newest labelled rows, or why there is none."""
    if not signature.classes:
        return [], "A number has no classes."
    start, labelled = None, 0
    for window in windows:
        start, labelled = window["starts"], labelled + window["labelled"]
        if labelled >= config.monitor.min_rows:
            break
    if start is None or not labelled:
        return [], "No true answer has come back yet."
    rows = store.rows(
        """select a.actual, count(*) as rows from predictions p
           join actuals a on a.endpoint = p.endpoint and a.row_key = p.row_key
           where p.endpoint = ? and p.version = ? and p.event_at >= ? group by a.actual""",
        [key[0], key[2], start],
        name="predictions",
    )
    now = {signature.classes[int(row["actual"])]: row["rows"] for row in rows if row["actual"] < len(signature.classes)}
    return shares_of("class", signature.target, trained_values(version, signature.target), now), ""


def trained_values(version: "Version", column: str) -> dict[str, int]:
    """Return the training rows of each value of a column, those without one left out."""
    import pyarrow.compute as pc

    from lemnis.engine.data.duck import read_table

    table = read_table(version, [column], "train" if "train" in version.split else None)
    counted = pc.value_counts(table.column(column).drop_null()).to_pylist()
    return {class_name(entry["values"]): int(entry["counts"]) for entry in counted}


def group_shares(version: "Version", groups: Sequence[str], pairs: Compared) -> list[ShareSkew]:
    """Return the share of each main value of group columns that are no features: known of rows in a dataset alone."""
    found: list[ShareSkew] = []
    for name in groups:
        if name not in pairs.table.column_names or all(column.name != name for column in version.columns):
            continue
        before = Counter(trained_values(version, name))
        now = Counter(class_name(value) for value in pairs.table.column(name).to_pylist() if value is not None)
        main = [value for value, _ in before.most_common(MAIN)]
        counts = [{value: counted[value] for value in main} for counted in (before, now)]
        for count, counted in zip(counts, (before, now), strict=True):
            count["other"] = counted.total() - sum(count.values())
        found += shares_of("group", name, *counts)
    return found
