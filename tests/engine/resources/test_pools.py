"""Admission never over-commits, keeps the line's order and leaves nobody waiting for ever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import parse_config
from lemnis.engine.errors import ConfigError
from lemnis.engine.resources.pools import Claim, Pool, admit

GIB = 2**30
POOL = Pool(cores=4, memory_bytes=8 * GIB, gpus=1)

claims = st.builds(
    Claim,
    job_id=st.integers(1, 10_000),
    cores=st.sampled_from([0, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5]),
    memory_bytes=st.integers(0, 9).map(lambda n: n * GIB),
    gpu=st.sampled_from([0, 0, 0.1, 0.3, 0.5, 1]),
    priority=st.sampled_from([10, 50, 90]),
    created_at=st.integers(0, 50),
)
queues = st.lists(claims, max_size=12, unique_by=lambda claim: claim.job_id)


def fits(held: list[Claim], pool: Pool = POOL) -> bool:
    return (
        sum(claim.cores for claim in held) <= pool.cores + 1e-6
        and sum(claim.memory_bytes for claim in held) <= pool.memory_bytes
        and sum(claim.gpu for claim in held) <= pool.gpus + 1e-6
    )


def said(queued: list[Claim], running: list[Claim], pool: Pool = POOL) -> dict[int, str]:
    return {decision.job_id: decision.why for decision in admit(queued, running, pool)}


def test_a_waiting_job_says_what_it_waits_for_and_who_holds_it() -> None:
    pool = Pool(cores=2, memory_bytes=GIB)
    running = [Claim(job_id=12, cores=1)]
    assert said([Claim(job_id=13, cores=2)], running, pool) == {13: "waits for 2 cores: 1 of 2 free, job 12 holds 1"}


def test_memory_is_said_in_gib_and_many_holders_are_counted() -> None:
    running = [Claim(job_id=n, cores=0.1, memory_bytes=(8 - n) * GIB // 4) for n in range(1, 6)]
    why = said([Claim(job_id=9, memory_bytes=4 * GIB)], running)[9]
    assert why == (
        "waits for 4.0 GiB of memory: 1.8 of 8.0 GiB free, "
        "job 1 holds 1.8 GiB, job 2 holds 1.5 GiB, job 3 holds 1.2 GiB, and 2 more"
    )


def test_a_job_larger_than_the_pool_is_refused_with_the_key_to_change() -> None:
    big, gpu = admit([Claim(job_id=1, cores=5), Claim(job_id=2, gpu=1)], [], Pool(cores=4, memory_bytes=GIB))
    assert big.refused
    assert big.why == "needs 5 cores, the pool has 4 cores: ask for less or raise pool.cores"
    assert gpu.refused
    assert gpu.why == "needs 1 GPU, the pool has none: ask for less or raise pool.gpus"


def test_a_refused_job_does_not_hold_up_the_line() -> None:
    decisions = admit([Claim(job_id=1, cores=9, priority=99), Claim(job_id=2, cores=4)], [], POOL)
    assert [decision.admitted for decision in decisions] == [False, True]


def test_priority_goes_before_age_and_age_before_number() -> None:
    old, urgent, young = Claim(job_id=3, created_at=1), Claim(job_id=2, priority=60), Claim(job_id=1, created_at=2)
    assert [d.job_id for d in admit([young, old, urgent], [], POOL)] == [2, 3, 1]


def test_a_small_job_fills_a_gap_only_if_the_big_one_ahead_still_has_room_later() -> None:
    running = [Claim(job_id=1, cores=3)]
    head, small = Claim(job_id=2, cores=3, created_at=1), Claim(job_id=3, cores=1, created_at=2)
    assert [d.admitted for d in admit([head, small], running, POOL)] == [False, True]
    whole = Claim(job_id=2, cores=4, created_at=1)
    why = said([whole, small], running)
    assert why[3] == "waits behind job 2, which is next in line for 4 cores"


def test_a_job_that_asks_for_nothing_starts_even_in_an_overdrawn_pool() -> None:
    assert admit([Claim(job_id=2, cores=0)], [Claim(job_id=1, cores=9)], POOL)[0].admitted


@given(queues, queues)
def test_what_is_admitted_fits_beside_what_runs(queued: list[Claim], running: list[Claim]) -> None:
    decisions = admit(queued, running, POOL)
    assert sorted(d.job_id for d in decisions) == sorted(claim.job_id for claim in queued)
    assert all(decision.why for decision in decisions)
    admitted = {d.job_id for d in decisions if d.admitted}
    started = [claim for claim in queued if claim.job_id in admitted]
    if fits(running):
        assert fits(running + started)


@given(queues)
def test_exactly_the_jobs_that_never_fit_alone_are_refused(queued: list[Claim]) -> None:
    refused = {decision.job_id for decision in admit(queued, [], POOL) if decision.refused}
    assert refused == {claim.job_id for claim in queued if not fits([claim])}


@settings(max_examples=40, deadline=None)
@given(queues, st.randoms(use_true_random=False))
def test_everything_that_fits_alone_starts_while_small_jobs_keep_coming(queued: list[Claim], random: object) -> None:
    """A stream of younger small jobs never ends; the whole first queue must start all the same."""
    waiting, running, started = list(queued), list[Claim](), set[int]()
    for tick in range(200):
        waiting.append(Claim(job_id=100_000 + tick, cores=1, memory_bytes=GIB, priority=10, created_at=1_000 + tick))
        admitted = {decision.job_id for decision in admit(waiting, running, POOL) if decision.admitted}
        running += [claim for claim in waiting if claim.job_id in admitted]
        waiting = [claim for claim in waiting if claim.job_id not in admitted]
        started |= admitted
        assert fits(running)
        if running:
            running.pop(random.randrange(len(running)))  # type: ignore[attr-defined]
    assert started >= {claim.job_id for claim in queued if fits([claim])}


def test_a_memory_that_is_no_size_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config('[pool]\ncores = 2\nmemory = "lots"\n')
    assert refused.value.place == "lemnis.toml:3"
    assert "'lots' is not a size" in refused.value.problem
