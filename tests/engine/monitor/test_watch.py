import signal
import subprocess
import sys
import time

import pytest
from support import until

from lemnis.engine.monitor.watch import Watch


def test_a_look_counts_rows_advances_alerts_and_tells_that_it_looked(flown) -> None:
    watch = Watch(flown.store)
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    assert watch.look()
    assert [alert.state for alert in flown.room.alerts()] == ["firing"]
    assert flown.room.status().watching
    assert not watch.look()


def test_a_model_that_can_not_be_loaded_is_said_and_the_watch_goes_on(flown) -> None:
    (flown.store.workspace.hidden / "models" / "model.txt").write_text("tree\nnot the model")
    watch = Watch(flown.store)
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    watch.look()
    assert flown.room.windows() == []
    assert "SHA-256 differs" in flown.room.status().watched[0].problem
    assert flown.room.status().watching


@pytest.mark.slow
def test_the_watch_itself_never_loads_a_model(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-08-01"))
    flown.label(flown.between("2013-07-01", "2013-08-01"), now=5)
    code = (
        "import sys; from pathlib import Path; from lemnis.engine.monitor.watch import *; "
        "watch = Watch(Store(find_workspace(Path(sys.argv[1])))); print(watch.look(), watch.problem, "
        "{'lightgbm', 'pyarrow', 'scipy', 'sklearn', 'pandas', 'duckdb'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(flown.store.workspace.root)], capture_output=True, text=True, check=True
    )
    assert told.stdout == "True  set()\n"
    assert flown.room.windows()[0].roc_auc is not None


@pytest.mark.slow
def test_a_bad_declaration_is_told_and_the_last_good_one_stays_in_force(flown) -> None:
    watch = Watch(flown.store)
    watch.look()
    path = flown.store.workspace.config
    good = path.read_text()
    path.write_text(good + "\n[monitor2]\n")
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    assert watch.look()
    status = flown.room.status()
    assert not status.watching
    assert "monitor2" in status.why
    path.write_text(good)
    watch.look()
    assert flown.room.status().watching


def test_a_watch_that_is_not_heard_of_is_said_to_be_missing(flown) -> None:
    Watch(flown.store).look()
    with flown.store.write("metrics") as db:
        db.execute("""update latest set sample = json_set(sample, '$.at', 5) where name = 'monitor'""")
    assert not flown.room.status().watching


def test_the_service_watches_and_stops_cleanly_on_sigterm(flown) -> None:
    arguments = ["-m", "lemnis.engine.monitor.watch", "--workspace", str(flown.store.workspace.root)]
    process = subprocess.Popen([sys.executable, *arguments])
    try:
        until(lambda: flown.room.status().watching)
        flown.answer(flown.between("2013-07-01", "2013-08-01"))
        until(lambda: flown.room.windows())
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - asked < 5
    finally:
        process.kill()
        process.wait()


def test_it_has_caught_up_only_when_every_row_and_label_was_judged(flown) -> None:
    watch = Watch(flown.store)
    july = flown.between("2013-07-01", "2013-08-01")
    assert not flown.room.caught_up("late")
    flown.answer(july)
    watch.look()
    until(lambda: watch.look() or flown.room.caught_up("late"))
    flown.label(july, now=5)
    assert not flown.room.caught_up("late")
    watch.look()
    until(lambda: watch.look() or flown.room.caught_up("late"))
