# pyright: basic, reportArgumentType=false

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue import PO, as_mo, as_po, templates, translations, updated
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusals
from rich.cells import cell_len
from support import engine_at, screen_text, settle, shows

from lemnis.engine.config.reading import parse_config
from lemnis.engine.errors import ConfigError
from lemnis.tui.app import Console
from lemnis.tui.language import CATALOGUE, LOCALES, _, speak, wanted
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.welcome import Welcome
from lemnis.tui.sentences import Sentences, told
from lemnis.tui.stages.monitor.explain import MONEY_TEXT, RULE_TEXT
from lemnis.tui.widgets.cells import Col, Row, header_labels, row_content, widths_of
from lemnis.tui.widgets.text import Facts

SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def korean() -> Iterator[None]:
    CATALOGUE.speak("ko")
    yield
    CATALOGUE.speak("")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, ""),
        ({"LANG": "fr_FR.UTF-8"}, ""),
        ({}, ""),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C.UTF-8"}, ""),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:ko"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LANGUAGE": "en:ko"}, ""),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], language: str) -> None:
    assert wanted(environment) == language


def test_nothing_is_translated_until_a_console_speaks(korean: None) -> None:
    assert _("Help") == "도움말"
    assert _("") == ""
    speak({"LANG": "en_GB.UTF-8"})
    assert _("Help") == "Help"


def test_the_catalogue_is_that_of_the_sources_and_complete() -> None:
    kept = translations()
    assert as_po(updated()) == PO.read_bytes(), "run `make docs`"
    assert not [message.id for message in kept if message.id and not message.string]
    assert not [message.id for message in kept if message.fuzzy and message.id]
    assert not kept.obsolete
    assert as_mo(kept) == PO.with_suffix(".mo").read_bytes(), "run `make docs`"


def test_a_translation_has_the_places_and_the_markup_of_its_message() -> None:
    for message in translations():
        if message.id and "{" in message.id:
            there, here = (
                sorted(place for _, place, *_ in string.Formatter().parse(text) if place) for text in pair(message)
            )
            assert there == here, message.id
        there, here = (re.findall(r"\[/?[a-z$@][^\]]*\]", text) for text in pair(message))
        assert there == here, message.id


def sentences() -> dict[str, str]:
    return json.loads((LOCALES / "ko" / "sentences.json").read_text("utf-8"))


def pair(message: object) -> tuple[str, str]:
    return message.id, message.string  # type: ignore[attr-defined]


def test_headers_and_cells_of_two_cell_letters_are_aligned(korean: None) -> None:
    columns = [Col("state"), Col("rows", right=True), Col("state", data=True)]
    assert [column.said for column in columns] == ["상태", "행", "state"]
    rows = [Row("1", ["● 준비됨", "1,000", "x"])]
    widths = widths_of(columns, rows, 80)
    header = sum(label.cell_length for label in header_labels(columns, widths, None))
    assert header == row_content(columns, widths, rows[0], " ").cell_length


def test_facts_are_aligned_by_cells(korean: None) -> None:
    facts = Facts()
    facts.show([("경로", "x"), ("key", "x"), ("스냅숏", "x")])
    lines = str(facts.content).splitlines()
    assert {cell_len(line[: line.index(" x")]) for line in lines} == {7}


def test_an_explanation_is_korean_by_paragraph_around_what_is_measured(korean: None) -> None:
    said = Explanation("Drift", f"{MONEY_TEXT}\n\nKS 0.31 of dep_delay: drift.\n\n{RULE_TEXT}").text
    first, measured, rule = said.split("\n\n")
    assert first.startswith("하루 금액:")
    assert measured == "KS 0.31 of dep_delay: drift."
    assert "드리프트" in rule


def test_a_sentence_of_the_engine_is_translated_around_its_values(korean: None) -> None:
    assert told("version 3: 336,776 rows of 5 sources") == "버전 3: 소스 5개의 336,776행"
    assert told("Even the unfavourable end of its 95 % interval, 0.705, keeps >= 0.68.").startswith(
        "95 % 구간의 불리한 끝 0.705도"
    )
    said = told("ROC AUC 0.64 is below 0.7 in the window from 2013-09-01 (late v1, 5 of 10 rows labelled)")
    assert said == "ROC AUC 0.64: 0.7 미만 (구간 2013-09-01, late v1, 10행 중 라벨 5행)"
    assert told("60 of 90 rows have a code outside the list; 3 different values") == (
        "90행 중 60행: 목록 밖의 code. 서로 다른 값 3개"
    )
    assert told("wind: up to 9; training ended at 8") == "wind: 최대 9. 학습의 최대는 8"
    assert told("nobody has written this") == "nobody has written this"
    speak({"LANG": "C"})
    assert told("no run yet") == "no run yet"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ('[problem]\ntask = "x"', "problem.task: 받지 않는 값 'x'입니다."),
        ("[problem]\nquestion = 1", "problem.question: `str`이(가) 와야 하는데 `int`입니다."),
        ("[problem]\nx = 1", "problem.x: 모르는 필드 `x`입니다."),
    ],
)
def test_what_is_wrong_in_lemnis_toml_is_korean(korean: None, declared: str, said: str) -> None:
    with pytest.raises(ConfigError) as failed:
        parse_config(declared, "lemnis.toml")
    assert told(failed.value.problem) == said


def test_causes_in_brackets_and_at_the_end_stay_whole(korean: None) -> None:
    assert told("Run 5 is lost (killed: no memory); only a finished run can be registered.") == (
        "실행 5은(는) 유실(killed: no memory)입니다. 끝난 실행만 등록할 수 있습니다."
    )
    assert told("a.zip can't be read: line 3: no digit.") == "a.zip을(를) 읽을 수 없습니다: line 3: no digit."
    assert told("wind: golden rows") == "wind: 골든 행"


async def test_an_english_console_reads_no_sentences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lemnis.tui.sentences.read", lambda language: pytest.fail("is read"))
    async with Console(engine_at(tmp_path / "ws")).run_test() as pilot:
        await shows(pilot, "Help")
        assert told("There is no run 3.") == "There is no run 3."


VALUES = st.text(st.characters(exclude_characters="t"))


@given(VALUES, VALUES)
def test_what_stands_in_a_sentence_stays_as_it_is(before: str, after: str) -> None:
    known = Sentences({"from {} to {}.": "{1} ← {0}"})
    assert known.told(f"from {before} to {after}.") == f"{after} ← {before}"


@pytest.mark.parametrize("sentence", [": " * 100, "a; b, " * 50, "ok. " * 100, "x" * 10_000])
def test_a_sentence_of_very_many_parts_stays_and_keeps_nobody_waiting(
    sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sentences, "_found", lambda self, sentence: pytest.fail("is looked through"))
    assert Sentences({"from {} to {}.": "{1} ← {0}"}).told(sentence) == sentence


@pytest.mark.slow
def test_the_sentences_that_are_translated_are_those_that_sources_write() -> None:
    assert not set(sentences()) - templates()


def test_every_error_of_the_engine_and_the_console_is_told_in_korean() -> None:
    assert sorted(refusals() - set(sentences())) == [], "translate it in sentences.json"


def test_a_sentence_has_its_places_in_korean_too() -> None:
    for template, said in sentences().items():
        places = sorted(int(place) for place in re.findall(r"\{(\d+)\}", said))
        plural = {place for place, before in enumerate(template.split("{}")[:-1]) if before[-1:].isalpha()}
        assert [place for place in range(template.count("{}")) if place in places or place not in plural] == places


@pytest.mark.parametrize("size", SIZES)
async def test_the_frame_help_and_palette_are_korean(size: tuple[int, int], korean: None, tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws")).run_test(size=size) as pilot:
        screen = await shows(pilot, "문제", "탐색", "특성", "검증", "실험", "평가", "배포", "자원", "도움말")
        tabs = screen.splitlines()[0]
        assert cell_len(tabs.rstrip()) <= size[0]
        await pilot.press("question_mark")
        await shows(pilot, "이력", "닫기")
        await pilot.press("escape", "9")
        await shows(pilot, "모니터링")


@pytest.mark.parametrize("size", SIZES)
async def test_a_stage_has_korean_keys_panels_headers_and_empty_states(
    size: tuple[int, int], korean: None, tmp_path: Path
) -> None:
    async with Console(engine_at(tmp_path / "ws"), stage="data").run_test(size=size) as pilot:
        screen = await shows(pilot, "동기화", "미리보기", "도움말")
        assert "Sync all" not in screen
        assert all(cell_len(line) <= size[0] for line in screen_text(pilot).splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_opens_in_korean(size: tuple[int, int], korean: None, tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws")).run_test(size=size) as pilot:
        for key in "1234567890":
            await pilot.press(key)
            await settle(pilot)
            assert all(cell_len(line) <= size[0] for line in screen_text(pilot).splitlines())


@pytest.mark.parametrize("size", SIZES)
async def test_the_welcome_is_korean(size: tuple[int, int], korean: None, tmp_path: Path) -> None:
    async with Welcome(tmp_path, []).run_test(size=size) as pilot:
        await shows(pilot, " d  데모", " i  내 파일", " c  연결", " q  나가기")
