"""A model is trained on data that passed its checks, or somebody says why not, and the run keeps that."""

import pytest

from lemnis.engine import Engine
from lemnis.engine.errors import ChecksFailed
from lemnis.engine.experiments.start import CHECKS, DESPITE
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs

FAR = 4_000_000_000_000
RULES = """
[[checks]]
name = "distance_present"
kind = "not_null"
column = "distance"

[[checks]]
name = "weekend_known"
kind = "not_null"
column = "late"
severity = "warn"
"""


@pytest.fixture
def checked(engine: Engine) -> Engine:
    """The small problem with a check that fails and one that warns, not run yet."""
    config = engine.workspace.config
    config.write_text(config.read_text() + RULES)
    return engine


def check(engine: Engine) -> None:
    jobs.run(JobContext.for_test(engine.store), {})


def test_without_checks_nothing_is_said(engine: Engine) -> None:
    assert CHECKS not in engine.experiments.run(engine.experiments.start()).tags


def test_a_version_that_was_never_checked_is_trained_and_says_so(checked: Engine) -> None:
    tags = checked.experiments.run(checked.experiments.start()).tags
    assert tags[CHECKS].endswith("v1 was never checked")


def test_a_failed_check_refuses_with_its_rows_and_the_remedy(checked: Engine) -> None:
    check(checked)
    with pytest.raises(ChecksFailed, match=r"distance_present \(71 of 1,200 rows have no distance\)") as refused:
        checked.experiments.start()
    assert "lemnis validate waive distance_present" in refused.value.remedy
    assert refused.value.exit_code == 1
    assert checked.experiments.search().total == 0


def test_a_waiver_counts_at_once_and_its_end_too(checked: Engine) -> None:
    check(checked)
    checked.validate.waive("distance_present", until=FAR, who="ann", why="known")
    assert "waived: distance_present" in checked.experiments.run(checked.experiments.start()).tags[CHECKS]
    check(checked)  # it warns now, for it is waived
    assert checked.validate.run().failed == 0
    checked.validate.waive("distance_present", until=0, who="ann", why="over")
    with pytest.raises(ChecksFailed):
        checked.experiments.start()


def test_a_reason_stays_with_the_run(checked: Engine) -> None:
    check(checked)
    tags = checked.experiments.run(checked.experiments.start(despite_checks="only to see")).tags
    assert tags[DESPITE] == "only to see"
    assert "1 check failed: distance_present" in tags[CHECKS]


def test_a_check_that_is_declared_no_more_blocks_nothing(checked: Engine) -> None:
    check(checked)
    config = checked.workspace.config
    config.write_text(config.read_text().replace("distance_present", "renamed"))
    standing = checked.validate.standing()
    assert (standing.blocking, standing.unknown) == ([], ["renamed"])
