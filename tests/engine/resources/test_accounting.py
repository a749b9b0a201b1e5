"""Accounting: what was used is added up exactly, shared fairly, priced as declared; nothing unknown becomes zero."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.config import Pool
from lemnis.engine.resources import Gpu, GpuProcess, GpuReport, Process, ProcessTable
from lemnis.engine.resources.accounting.exact import keep_exact
from lemnis.engine.resources.accounting.fitting import Minute, Past, fits, idle_since
from lemnis.engine.resources.accounting.meter import UseMeter, tidy_used
from lemnis.engine.resources.accounting.power import Rapl
from lemnis.engine.resources.accounting.prices import Amount, cost_of, drawn_kwh
from lemnis.engine.resources.accounting.report import as_csv, as_markdown
from lemnis.engine.resources.owners import Owner
from lemnis.tui.used import group_table, texts

PRICES = "[pool]\nprice_core_hour = 1.0\nprice_gb_hour = 0.5\nwatts_core = 10.0\nprice_kwh = 0.3\n"
CONFIG = '[problem]\ntitle = "A problem"\ncurrency = "EUR"\n' + PRICES
HOUR = 3_600_000
NOW = 1_790_000_000_000 // HOUR * HOUR
OWNERS = {(7, 70): Owner(label="run 1", job_id=1, run_id=1), (9, 90): Owner(label="late", service="endpoint:late#2")}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return engine_at(tmp_path / "box", CONFIG)


def process(pid: int, cpu: float, memory: int, *line: tuple[int, int]) -> Process:
    return Process(pid=pid, cpu_percent=cpu, memory_bytes=memory, line=[(pid, pid * 10), *line])


def add_job(engine: Engine, number: int, **more: object) -> None:
    row = {
        "id": number, "kind": "experiments.train", "title": f"work {number}", "arguments": "{}", "state": "finished",
        "cores": 2, "submitted_by": "ann", "created_at": NOW, "started_at": NOW, "ended_at": NOW + HOUR,
    }  # fmt: skip
    with engine.store.write() as db:
        db.table("jobs").insert(row | more)


def add_used(engine: Engine, owner: str, width: int, at: int, **figures: float) -> None:
    usual = {"seconds": 0, "cpu_s": 0, "memory_byte_s": 0, "peak_bytes": 0, "gpu_s": 0, "gpu_peak_bytes": 0}
    with engine.store.write("metrics") as db:
        db.table("used").insert({"owner": owner, "width": width, "at": at} | usual | figures)


def test_the_meter_adds_up_time_and_memory_of_all_processes_of_a_job_and_shares_gpus(engine: Engine) -> None:
    meter = UseMeter(Rapl(Path("/nowhere")))
    for second in range(0, 12, 2):
        rows = [process(7, 150, 100), process(8, 50, 20, (7, 70)), process(9, 10, 5), process(11, 400, 1)]
        meter.take(ProcessTable(at=NOW + 1000 * second, rows=rows), OWNERS, 6.1)
    both = [GpuProcess(pid=8, kind="compute", memory_bytes=64), GpuProcess(pid=99, kind="compute")]
    gpu = Gpu(index="0", busy_percent=50.0, power_watts=200.0, processes=both)
    with engine.store.write("metrics") as db:
        meter.write(db, GpuReport(at=NOW + 10_000, devices=[gpu]))
        meter.write(db, None)  # nothing new
        found = {(r[0], r[1]): r[2:] for r in db.execute("select owner, width, seconds, cpu_s, memory_byte_s, peak_bytes, gpu_s, gpu_peak_bytes, cpu_j, gpu_j from used").fetchall()}  # fmt: skip  # noqa: E501
    assert found["job:1", 60] == found["job:1", 3600]
    # Ten seconds of two cores; half of a GPU that was busy half of the time.
    assert found["job:1", 60] == (10, 20, 1200, 120, 2.5, 64, None, 1000)
    assert found["endpoint:late", 60] == (10, pytest.approx(1.0), 50, 5, 0, 0, None, None)
    assert len(found) == 4


def test_energy_of_the_package_is_shared_by_time_and_a_counter_that_begins_again_is_no_loss(tmp_path: Path) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (tmp_path / "intel-rapl:0:0").mkdir()
    (zone / "max_energy_range_uj").write_text("10000000")
    (zone / "energy_uj").write_text("9000000\n")
    rapl = Rapl(tmp_path)
    (zone / "energy_uj").write_text("1000000\n")
    assert rapl.spent() == 2.0
    engine = engine_at(tmp_path / "box", CONFIG)
    meter = UseMeter(rapl)
    for second in (0, 2):
        meter.take(ProcessTable(at=NOW + 1000 * second, rows=[process(7, 100, 1)]), OWNERS, 4.0)
    (zone / "energy_uj").write_text("9000000\n")
    with engine.store.write("metrics") as db:
        meter.write(db, None)
        assert db.execute("select cpu_j from used where width = 60").fetchone()[0] == pytest.approx(8.0 / 4)
    (zone / "energy_uj").unlink()
    assert rapl.spent() is None


def test_old_rows_go_and_a_long_sleep_counts_for_nothing(engine: Engine) -> None:
    meter = UseMeter(Rapl(Path("/nowhere")))
    for second in (0, 40_000):
        meter.take(ProcessTable(at=NOW + 1000 * second, rows=[process(7, 100, 1)]), OWNERS, 1.0)
    with engine.store.write("metrics") as db:
        meter.write(db, None)
        assert db.execute("select max(seconds) from used").fetchone()[0] == 10
        tidy_used(db, NOW + 40_000_000 + 173_000_000)
        assert [row[0] for row in db.execute("select width from used").fetchall()] == [3600]


def test_a_worker_counts_what_it_took_even_if_nobody_sampled_it(engine: Engine) -> None:
    add_job(engine, 1, ended_at=NOW + 10_000)
    sum(range(10**6))
    keep_exact(engine.store, 1, NOW, 10.0)
    (job,) = engine.resources.usage(36_500).jobs
    assert job.used_core_hours is not None
    assert 0 < job.used_core_hours * 3600 < os.times().user + os.times().system + 60
    assert job.peak_bytes
    assert job.peak_bytes > 10**7


def test_held_used_idle_energy_and_cost_of_a_job_and_of_an_endpoint(engine: Engine) -> None:
    add_job(engine, 1, memory_bytes=2 * 10**9)
    add_used(engine, "job:1", 3600, NOW, seconds=3600, cpu_s=1800, memory_byte_s=3.6e12, peak_bytes=10**9)
    add_job(engine, 2, cores=1, submitted_by="bob")
    add_used(engine, "endpoint:late", 3600, NOW, seconds=3600, cpu_s=360, memory_byte_s=3.6e11, peak_bytes=10**8)
    with engine.store.write("predictions") as db:
        db.table("traffic").insert({"endpoint": "late", "starts": NOW, "requests": 1000, "errors": 0, "rows": 1000})
    found = engine.resources.usage(36_500, ["user"])
    one, two = found.jobs
    assert (one.core_hours, one.gb_hours, one.used_core_hours, one.used_cores) == (2.0, 2.0, 0.5, 0.5)
    assert one.kwh == pytest.approx(0.005)
    assert one.energy == "declared"
    assert one.cost == pytest.approx(2 + 1 + 0.0015)
    assert one.idle_cost == pytest.approx(1.5 + 0.5)
    assert (two.used_core_hours, two.gb_hours, two.idle_cost) == (None, None, None)
    (endpoint,) = found.services
    assert endpoint.cost == pytest.approx(0.1 + 0.05 + 0.0003)
    assert endpoint.cost_per_million == pytest.approx(1000 * (0.1 + 0.05 + 0.0003))
    assert [group.keys["user"] for group in found.groups] == ["ann", "bob", "services"]
    assert found.groups[1].used_core_hours is None
    services = found.groups[2]
    assert (services.core_hours, services.used_core_hours, services.cost) == (0.0, pytest.approx(0.1), endpoint.cost)
    heads, rows = texts(group_table(found))
    assert [row[heads.index("used")] for row in rows] == ["25%", "–", "0.100 h"]
    assert [row[heads.index("core h")] for row in rows] == ["2.000", "1.000", "–"]
    assert found.currency == "EUR"


def test_a_live_job_that_uses_little_of_what_it_holds_is_found_with_for_how_long(engine: Engine) -> None:
    now = engine.now_ms()
    add_job(engine, 12, state="running", cores=4, ended_at=None, started_at=now - HOUR)
    add_job(engine, 13, state="running", cores=4, ended_at=None, started_at=now - HOUR)
    for back in range(1, 31):
        at = now // 60_000 * 60_000 - back * 60_000
        add_used(engine, "job:12", 60, at, seconds=60, cpu_s=18.0 if back <= 20 else 200.0)
        add_used(engine, "job:13", 60, at, seconds=60, cpu_s=200.0)
    (idle,) = engine.resources.idle()
    assert idle.words == "job 12 holds 4 cores and used 0.3 for 20 min"
    assert idle.cost_per_hour == pytest.approx(3.7)


@given(st.lists(st.floats(0, 8), max_size=40), st.floats(0.5, 8))
def test_idleness_reaches_back_to_the_last_busy_minute(used: list[float], held: float) -> None:
    minutes = [Minute(at=60_000 * place, seconds=60, used=one) for place, one in enumerate(used)]
    found = idle_since(minutes, held)
    last_busy = next((back for back, one in enumerate(reversed(used)) if one >= held / 10), len(used))
    assert (0 if found is None else found[0]) == 60 * last_busy


def test_right_sizes_come_from_a_kinds_own_history_and_only_when_they_matter() -> None:
    def past(what: str, cores: float, used: float, memory: int, peak: int) -> Past:
        return Past(what=what, cores=cores, used_cores=used, memory_bytes=memory, peak_bytes=peak)

    wide = [past("train wide", 8, 1.0 + 0.1 * number, 4 * 2**30, 300 * 2**20) for number in range(5)]
    small = [past("train small", 2, 1.9, 2**30, 2**30 + 1)] * 3
    right = [past("evaluate", 1, 0.9, 2**30, 900 * 2**20)] * 5
    few = [past("profile", 8, 0.1, 0, 1)] * 2
    found = fits([*wide, *small, *right, *few])
    assert [fit.what for fit in found] == ["train wide", "train small"]
    assert "8 cores are asked for, 1.4 were used: 2 would do" in found[0].words
    assert "4.0 GiB are asked for, 300 MiB were used at most: 384 MiB would do" in found[0].words
    assert found[1].words == "1024 MiB are asked for, 1024 MiB were used: ask for 1344 MiB"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e3))
def test_more_of_anything_never_costs_less(hours: float, more: float, price: float) -> None:
    prices = Pool(price_core_hour=price, price_gb_hour=0.1)
    less, much = (cost_of(Amount(core_hours=each, gb_hours=each), prices) for each in (hours, hours + more))
    assert less is not None
    assert much is not None
    assert less <= much
    assert cost_of(Amount(core_hours=hours), Pool()) is None
    assert drawn_kwh(Pool(), busy_core_s=hours, held_core_s=hours, cores=2) is None


def test_the_report_is_csv_and_markdown_that_no_title_breaks(engine: Engine) -> None:
    add_job(engine, 1, title='=cmd|"x",\n| a', submitted_by="ann|b")
    groups = engine.resources.usage(36_500, ["user", "job"]).groups
    head, row = list(csv.reader(io.StringIO(as_csv(groups))))
    assert head[:3] == ["user", "job", "jobs"]
    assert row[0] == "ann|b"
    assert row[1].startswith("1 =cmd")
    assert row[head.index("used_core_hours")] == ""
    lines = as_markdown(groups, "EUR").splitlines()
    assert len(lines) == 3
    assert "ann\\|b" in lines[2]


def test_the_command_prints_the_report_in_every_form(engine: Engine) -> None:
    now = engine.now_ms()
    add_job(engine, 1, started_at=now - HOUR, ended_at=now)
    command = [sys.executable, "-m", "lemnis.tui", "-w", str(engine.workspace.root)]

    def printed(*more: str) -> str:
        return subprocess.run([*command, *more], capture_output=True, text=True, check=False).stdout

    assert "| user | jobs |" in printed("resources", "usage", "--by", "user", "--format", "md")
    assert '"groups"' in printed("--json", "resources", "usage")
