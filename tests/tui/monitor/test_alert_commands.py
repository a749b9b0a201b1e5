"""`lemnis alerts`: what can be asked and done about alerts, rules, silences and contacts from a shell."""

# pyright: basic

import json
from typing import Any

import pytest
from commanding import call, document

from lemnis.engine import Engine


@pytest.fixture
def ask(engine: Engine, capsys: pytest.CaptureFixture[str]):
    def once(*arguments: str) -> Any:
        return document(engine, capsys, "alerts", *arguments)

    return once


@pytest.fixture
def read(engine: Engine, capsys: pytest.CaptureFixture[str]):
    def once(*arguments: str) -> tuple[int, str, str]:
        code = call(engine, "alerts", *arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return once


def test_a_silence_quiets_the_list_and_is_listed_until_it_is_ended(engine: Engine, ask, read) -> None:
    assert read("list")[0] == 1
    made = ask("silence", "*", "--until", "2h", "--why", "load test", "--who", "ada")
    assert (made["rule"], made["who"]) == ("", "ada")
    assert made["until"] - made["starts"] == pytest.approx(7_200_000, abs=60_000)
    code, out, _ = read("list")
    assert code == 0
    assert "○ silenced" in out
    assert [one["why"] for one in ask("silences")["silences"]] == ["load test"]
    assert "every rule" in read("silences")[1]
    assert ask("unsilence", str(made["id"]), "--who", "bob")["ended_by"] == "bob"
    assert read("silences")[1] == "Nothing is silenced.\n"
    assert "by bob" in read("silences", "--all")[1]
    assert read("list")[0] == 1


@pytest.mark.parametrize("until", ["soon", "31d", "2001-01-01"])
def test_a_silence_without_a_good_end_is_refused(read, until: str) -> None:
    code, _, err = read("silence", "auc_low", "--until", until, "--why", "w")
    assert code == 2
    assert "try: " in err


def test_an_alert_is_taken_until_a_time(ask) -> None:
    taken = ask("ack", "1", "--until", "30m", "--why", "looking", "--who", "ada")
    assert taken["acknowledged_until"] > taken["acknowledged_at"]


def test_every_rule_is_listed_with_its_state(engine: Engine, read) -> None:
    code, out, _ = read("rules", "--json")
    assert code == 1
    states = {one["rule"]: one["state"] for one in json.loads(out)["rules"]}
    assert states == {"auc_low": "firing", "drift_up": "firing", "serving down": "no data"}
    assert "✖ firing" in read("rules")[1]


def test_a_rule_is_tried_on_what_there_was_before_it_is_declared(engine: Engine, ask, read) -> None:
    tried = ask("test", "--metric", "max_psi", "--above", "0.1", "--days", "365")["tests"]
    found = tried[0]["endpoints"][0]
    assert [one["worst"] for one in found["firings"]] == [0.61]
    assert (found["endpoint"], found["windows"], round(found["per_month"], 2)) == ("late", 3, 0.32)
    out = read("test", "--rule", "auc_low", "--days", "365")[1]
    assert "late: would have fired once in 93 days, 0.3 a month (3 windows)" in out
    assert "2013-09-01 … fires still  1 window, worst 0.640" in out
    assert len(ask("test")["tests"]) == 3
    assert ask("declare", "psi", "--metric", "max_psi", "--above", "0.1", "--severity", "page")["changed"]
    assert "psi: max PSI above 0.1 for one complete window (page)" in read("test", "--rule", "psi")[1]
    path = engine.workspace.config
    path.write_text(path.read_text() + '[contacts.team]\nurls = ["json://localhost:1"]\n')
    told = ("--notify", "team", "--escalate-after", "30m", "--escalate-to", "team", "--runbook", "look [here]")
    assert ask("declare", "psi", "--metric", "max_psi", "--above", "0.1", *told)["changed"]
    assert ask("declare", "psi", "--metric", "max_psi", "--above", "0.2")["changed"]
    rule = next(rule for rule in engine.config().alerts if rule.name == "psi")
    assert (rule.above, rule.notify, rule.escalate_after, rule.runbook) == (0.2, ["team"], "30m", "look [here]")
    assert read("declare", "psi", "--metric", "nothing", "--above", "1")[0] == 2
    assert read("test", "--rule", "nothing")[0] == 2


def test_contacts_are_listed_without_their_addresses_and_tried(engine: Engine, ask, read) -> None:
    assert "No contact is declared" in read("contacts")[1]
    path = engine.workspace.config
    path.write_text(path.read_text() + '[contacts.team]\nurls = ["json://localhost:1/s3cret", "json://${NOT_SET}"]\n')
    assert ask("contacts")["contacts"] == [{"name": "team", "addresses": ["json", "json"], "rules": []}]
    code, out, _ = read("notify-test", "team")
    assert code == 1
    assert "address 1 of team (json): " in out
    assert "NOT_SET is not set" in out
    assert "s3cret" not in out
    assert read("notify-test", "nobody")[0] == 2


def test_incidents_and_messages_say_what_belongs_together_and_who_was_told(ask, read) -> None:
    assert [one["cause"] for one in ask("incidents")["incidents"]] == ["data", "labels"]
    assert "late v1" in read("incidents")[1]
    assert ask("messages") == {"messages": []}
    assert "Nobody was told" in read("messages")[1]
    assert "max_psi" in read("metrics")[1]
    assert {one["of"] for one in ask("metrics")["metrics"]} == {"windows", "minutes"}
