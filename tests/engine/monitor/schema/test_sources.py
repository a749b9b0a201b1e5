# pyright: basic

import csv

import pytest

from lemnis.engine.config import load_config
from lemnis.engine.data.snapshots import list_snapshots
from lemnis.engine.data.sync import sync_source
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor.schema.sources import compared
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

CONFIG = '[sources.weather]\npath = "weather.csv"\nnull = ["NA", ""]\n'
ROWS = [{"origin": "EWR" if n % 2 else "JFK", "temp": f"{40 + n % 37}.5", "visib": "10"} for n in range(400)]


def write(store: Store, rows: list[dict[str, str]]) -> None:
    with open(store.workspace.root / "weather.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def synced(store: Store):
    sync_source(store, "weather", load_config(store.workspace.config).sources["weather"])
    return list_snapshots(store, "weather")[0]


@pytest.fixture
def store(tmp_path) -> Store:
    opened = Store(create_workspace(tmp_path / "w", CONFIG))
    write(opened, ROWS)
    return opened


def test_a_new_snapshot_is_told_column_by_column_and_reads_as_before_once_it_is_declared(store: Store) -> None:
    before = synced(store)
    odd = [
        {
            "station": row["origin"],
            "temp": f"{(float(row['temp']) - 32) / 1.8:.6f}",
            "origin": row["origin"],
            "visib_miles": row["visib"],
        }
        for row in ROWS
    ]
    odd[7]["temp"] = "n/a"
    write(store, odd)
    found = {(one.kind, one.column): one for one in compared(before, synced(store))}
    assert set(found) == {("renamed", "visib"), ("type", "temp"), ("added", "station")}
    assert found["renamed", "visib"].new_name == "visib_miles"
    assert found["type", "temp"].examples == ["n/a"]
    text = CONFIG.replace('["NA", ""]', '["NA", "", "n/a"]')
    store.workspace.config.write_text(
        f'{text}rename = {{ visib_miles = "visib" }}\nscale = {{ temp = {{ factor = 1.8, offset = 32 }} }}\n'
    )
    assert [(one.kind, one.column) for one in compared(before, synced(store))] == [
        ("nullability", "temp"),
        ("added", "station"),
    ]


def test_a_name_that_would_stand_twice_and_a_text_that_is_to_be_scaled_are_refused(store: Store) -> None:
    store.workspace.config.write_text(CONFIG + 'rename = { temp = "visib" }\n')
    with pytest.raises(BadInput, match="Two columns would be called 'visib'"):
        synced(store)
    store.workspace.config.write_text(CONFIG + "scale = { origin = { factor = 2 } }\n")
    with pytest.raises(BadInput, match="origin is to be scaled and holds string"):
        synced(store)


def test_without_the_older_file_names_and_types_are_compared(store: Store) -> None:
    before = synced(store)
    write(store, [{"origin": "EWR", "temp": "warm"}])
    newest = synced(store)
    before.path.unlink()
    assert [(one.kind, one.column) for one in compared(before, newest)] == [("removed", "visib"), ("type", "temp")]


def test_files_of_a_pattern_may_call_a_column_otherwise_once_it_is_declared(store: Store) -> None:
    (store.workspace.root / "weather.csv").rename(store.workspace.root / "log-1.csv")
    (store.workspace.root / "log-2.csv").write_text("origin,temperature,visib\nLGA,71.5,9\n")
    text = CONFIG.replace("weather.csv", "log-*.csv")
    store.workspace.config.write_text(text)
    with pytest.raises(BadInput, match="lacks temp and has temperature besides"):
        synced(store)
    store.workspace.config.write_text(text + 'rename = { temperature = "temp" }\n')
    found = synced(store)
    assert (found.rows, [field.name for field in found.columns]) == (401, ["origin", "temp", "visib"])
