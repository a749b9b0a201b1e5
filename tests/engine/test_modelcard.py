"""Model cards: facts of every stage in one document, harmless as Markdown, and only what differs between two."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.errors import NotFound
from lemnis.engine.evaluate.interpretation.jobs import interpret
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.modelcard import Card, Fact, Section, differences, markdown
from lemnis.engine.modelcard.text import differences_markdown
from lemnis.tui.commands.group import run


def card(version: int, *facts: Fact, title: str = "Model") -> Card:
    return Card(model="late", version=version, at=0, sections=[Section(title=title, facts=list(facts))])


def test_only_what_differs_is_told_whichever_side_has_it() -> None:
    before = card(
        1, Fact(name="same", value=1), Fact(name="auc", value=0.7, low=0.6, high=0.8), Fact(name="gone", value=True)
    )
    after = card(
        2, Fact(name="same", value=1), Fact(name="auc", value=0.75, low=0.7, high=0.8), Fact(name="new", value=None)
    )
    found = {one.name: (one.before, one.after) for one in differences(before, after)}
    assert found == {
        "auc": ("0.7 (95 %: 0.6 to 0.8)", "0.75 (95 %: 0.7 to 0.8)"), "new": (None, "–"), "gone": ("yes", None)
    }  # fmt: skip
    assert differences(after, after) == []
    assert "Nothing on record differs." in differences_markdown(after, after)
    assert "| auc | 0.7 (95 %: 0.6 to 0.8) | 0.75 (95 %: 0.7 to 0.8) |" in differences_markdown(before, after)


def test_text_of_data_stays_text() -> None:
    said = markdown(card(1, Fact(name="a|b\x1b[31m", value="`x`\n# no heading")))
    assert "\x1b" not in said
    assert "a\\|b" in said
    assert "\n# no heading" not in said


def test_a_card_gathers_what_is_on_record_and_a_second_version_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine: Engine = make_engine(tmp_path / "box")
    try:
        for seed in (1, 2):
            trained = do_train(engine, engine.experiments.start(overrides={"seed": str(seed)}))
            for work in (evaluate, interpret):
                job: Callable[..., object] = work
                job(JobContext.for_test(engine.store), {"run": trained.id})
            engine.deploy.register(trained.id, "late", "ada", "try [it]")
        engine.deploy.promote("late", 2, "champion", "ada", "better", force=True)
        made = engine.cards.card("late", 2)
        titles = [section.title for section in made.sections]
        assert titles[:5] == ["Model", "Problem", "Data", "Features", "Training"]
        assert {"Gates", "What decides", "Speed", "Monitors", "Aliases"} <= set(titles)
        facts = {(section.title, fact.name): fact for section in made.sections for fact in section.facts}
        assert facts["Model", "registered"].note == "ada: try [it]"
        measured = engine.evaluate.evaluations(trained.id)[-1]
        auc = facts[f"Measured on {measured.part}", "roc_auc"]
        assert (auc.value, auc.low) == (measured.metrics["roc_auc"], measured.intervals["roc_auc"][0])
        assert any(fact.name.endswith("champion") for fact in made.sections[-1].facts)
        changed = {(one.section, one.name) for one in differences(engine.cards.card("late", 1), made)}
        assert ("Training", "seed") in changed
        assert ("Data", "rows") not in changed
        with pytest.raises(NotFound):
            engine.cards.card("late", 9)
        box = str(tmp_path / "box")
        assert run(["-w", box, "models", "card", "late@champion"]) == 0
        assert "# late version 2" in capsys.readouterr().out
        assert run(["-w", box, "models", "card", "late@2", "--diff", "1"]) == 0
        assert "# late version 1 → 2" in capsys.readouterr().out
        assert run(["-w", box, "models", "card", "late@2", "--diff", "2"]) == 2
    finally:
        engine.store.close()
