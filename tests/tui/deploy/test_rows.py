"""Endpoints, versions and events as text."""

from typing import Any

import pytest

from lemnis.engine.deploy import AliasEvent, Endpoint, LoadCell, LoadTest, ModelVersion
from lemnis.engine.evaluate import Gate
from lemnis.tui.stages.deploy import rows
from lemnis.tui.stages.deploy.loads import load_lines
from lemnis.tui.stages.deploy.logged import log_note, log_words
from lemnis.tui.widgets.cells import plain

GATE = Gate(metric="roc_auc", part="test", rule=">= 0.7", observed=0.65, verdict="fail", why="0.65 breaks >= 0.7.")


def endpoint(**changes: Any) -> Endpoint:
    facts: dict[str, Any] = {
        "name": "late", "url": "http://127.0.0.1:8123", "state": "ready", "why": "", "model": "late",
        "alias": "champion", "version": 3, "wanted_version": 3, "host": "127.0.0.1", "port": 8123, "pid": 7,
        "restarts": 0, "requests": 12_345, "errors": 0, "rows": 20_000, "dropped": 0, "p50_ms": 0.91, "p99_ms": 2.5,
        "last_at": 1_000, "per_second": [0.0, 4.0, 8.0, 1.0], "p50_by_span": [None, 0.9, 0.8, None],
        "p99_by_span": [None, 2.0, 2.5, None], "created_at": 0,
    }  # fmt: skip
    return Endpoint(**(facts | changes))


def version(**changes: Any) -> ModelVersion:
    facts: dict[str, Any] = {
        "model": "late", "version": 3, "run_id": 9, "run_name": "deep [bold]", "sha256": "ab" * 32, "path": "x",
        "bytes": 2048, "threshold": 0.3, "golden_rows": 60, "verdict": "pass", "aliases": ["champion", "spare"],
        "who": "ada", "why": "first\x1b[2J", "created_at": 0,
    }  # fmt: skip
    return ModelVersion(**(facts | changes))


def event(**changes: Any) -> AliasEvent:
    evidence = {"verdict": "fail", "gates": [{"metric": "roc_auc", "part": "test", "rule": ">= 0.7", "observed": 0.65,
                "verdict": "fail", "why": "too low"}], "metrics": {"test": {"roc_auc": 0.65}}}  # fmt: skip
    facts: dict[str, Any] = {
        "id": 1, "model": "late", "alias": "champion", "kind": "promote", "version": 3, "previous": 2, "forced": True,
        "who": "ada", "why": "now", "at": 0, "evidence": evidence,
    }  # fmt: skip
    return AliasEvent(**(facts | changes))


def texts(row: Any) -> list[str]:
    return [plain(cell) for cell in row.cells]


def test_an_endpoint_says_its_state_in_glyph_and_word_and_where_it_answers() -> None:
    wide = texts(rows.endpoint_row(endpoint(), rows.ENDPOINTS))
    assert wide[:7] == ["● ready", "late", "late@champion → 3", "12,345", "0", "0.91", "2.50"]
    assert wide[-1] == "http://127.0.0.1:8123"
    narrow = texts(rows.endpoint_row(endpoint(errors=3), rows.NARROW_ENDPOINTS))
    assert narrow == ["● ready", "late@champion → 3", "12,345", "▲ 3", "2.50", ":8123"]


def test_the_rate_is_that_of_the_last_full_span() -> None:
    assert texts(rows.endpoint_row(endpoint(), rows.ENDPOINTS))[7].split()[-1] == "8.0"
    quiet = endpoint(per_second=[0.0, 0.0], p50_ms=None)
    assert texts(rows.endpoint_row(quiet, rows.ENDPOINTS))[5:8:2] == ["–", f"{'':10}     0.0"]


@pytest.mark.parametrize(
    ("width", "columns"), [(200, rows.ENDPOINTS), (92, rows.MEDIUM_ENDPOINTS), (76, rows.NARROW_ENDPOINTS)]
)
def test_columns_fit_the_width(width: int, columns: tuple[Any, ...]) -> None:
    assert rows.endpoint_columns(width) == columns


def test_an_endpoint_that_serves_another_version_than_its_alias_names_says_both() -> None:
    said = rows.endpoint_detail(endpoint(state="degraded", version=2, why="golden row 4"), now=2_000).plain
    assert "▲ degraded  golden row 4" in said
    assert "version 2 (the alias names 3)" in said


def test_series_leave_out_the_span_that_is_still_filling() -> None:
    rate = rows.rate_series(endpoint())[0]
    assert (list(rate.y), rate.x[-1]) == ([0.0, 4.0, 8.0], pytest.approx(-1 / 6))
    assert [line.name for line in rows.latency_series(endpoint())] == ["p50", "p99"]
    assert rows.rate_series(endpoint(per_second=[0.0, 0.0])) == []


def test_a_version_shows_what_its_run_and_its_gates_say_and_no_control_character() -> None:
    row = rows.version_row(version(), rows.VERSIONS, now=120_000)
    assert texts(row) == [
        "late 3", "● champion  · spare", "9 deep [bold]", "● pass", "2 min", "ada", "first␛[2J",
    ]  # fmt: skip
    detail = rows.version_detail(version(verdict="fail"), [GATE], {"test": {"roc_auc": 0.65}}, now=0).plain
    assert "✖ roc_auc  0.650 on test, wanted >= 0.7  fail" in detail
    assert "first␛[2J" in detail
    elsewhere = rows.version_detail(version(), [], {}, now=0, origin="late v1 of workspace \x1b[2Jours").plain
    assert "from       late v1 of workspace ␛[2Jours" in elsewhere


def test_a_forced_move_is_marked_and_keeps_its_evidence() -> None:
    assert texts(rows.event_row(event(), rows.EVENTS))[1:5] == ["late@champion", "2 → 3", "▲ promote, forced", "✖ fail"]
    assert "✖ roc_auc  0.650 on test" in rows.event_detail(event()).plain
    withdrawn = event(version=None, kind="withdraw", forced=False, evidence={})
    assert "2 → nothing" in rows.event_detail(withdrawn).plain


def load_test(**changes: Any) -> LoadTest:
    waits: dict[str, Any] = {"p50_ms": 0.121, "p90_ms": 0.2, "p99_ms": 1.5, "p999_ms": None}
    cell: dict[str, Any] = {
        "connections": 16,
        "batch": 10,
        "seconds": 2.0,
        "requests": 9,
        "errors": 0,
        "cpu_us_per_row": None,
    }
    figures: dict[str, Any] = {"requests_per_s": 8123.4, "rows_per_s": 81234.0, "cost_per_million": None}
    facts: dict[str, Any] = {
        "endpoint": "late", "model": "late", "version": 3, "cold_start_ms": 456.7, "idle_bytes": 1,
        "busy_bytes": 40 << 20, "rows": 9, "cores": 2, "currency": "", "price_core_hour": 0.0, "at": 0,
        "cells": [LoadCell(**cell, **waits, **figures), LoadCell(**(cell | {"errors": 4}), **waits, **figures)],
    }  # fmt: skip
    return LoadTest(**(facts | changes))


def test_an_endpoint_shows_its_last_load_test_and_whether_that_was_of_what_serves_now() -> None:
    tests = [load_test(endpoint="other"), load_test(), load_test(version=1)]
    said = [line.plain for line in load_lines(endpoint(), tests, now=60_000)]
    assert said[0].startswith("\nload test  v3, 1 min ago: cold start 457 ms, 40")
    assert said[2].split() == ["16", "10", "8,123", "81,234", "0.12", "1.50", "–"]
    assert said[3].endswith("▲ 4 errors")
    assert len({len(line.partition("▲")[0].rstrip()) for line in said[1:]}) == 1
    assert max(map(len, said[1:3])) <= 58
    assert "▲ version 4 serves now" in load_lines(endpoint(version=4), tests, now=60_000)[1].plain
    assert load_lines(endpoint(name="new"), tests, now=60_000) == []


def test_how_far_the_log_is_behind_is_said_where_it_is_and_what_it_will_never_have() -> None:
    behind = [endpoint(log_lag_s=3.24), endpoint(log_lag_s=61.0, dropped=1_200)]
    assert [log_words(one) for one in (endpoint(), *behind)] == [
        "up to date", "3.2 s behind", "1m 01s behind, ▲ 1,200 requests not logged",
    ]  # fmt: skip
    assert log_note([endpoint(), endpoint(log_lag_s=0.9)]) == log_note([]) == ""
    assert log_note(behind) == "log 1m 01s behind · ▲ 1,200 not logged"
    assert "log         3.2 s behind" in rows.endpoint_detail(behind[0], now=2_000).plain
