"""Admission never over-commits, keeps the line's order and leaves nobody waiting for ever."""

from random import Random

import msgspec
import pytest
from contention import GRACE_MS, TICK_MS, USERS, random_claim, random_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import parse_config
from lemnis.engine.errors import ConfigError
from lemnis.engine.resources.scheduling import Claim, Device, Policy, Pool, Quota, schedule
from lemnis.engine.resources.scheduling.fitting import GPU, excess

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
    return {decision.job_id: decision.why for decision in schedule(queued, running, pool)}


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
    big, gpu = schedule([Claim(job_id=1, cores=5), Claim(job_id=2, gpu=1)], [], Pool(cores=4, memory_bytes=GIB))
    assert big.refused
    assert big.why == "needs 5 cores, the pool has 4 cores: ask for less or raise pool.cores"
    assert gpu.refused
    assert gpu.why == "needs 1 GPU, the pool has none: ask for less or raise pool.gpus"


def test_a_refused_job_does_not_hold_up_the_line() -> None:
    decisions = schedule([Claim(job_id=1, cores=9, priority=99), Claim(job_id=2, cores=4)], [], POOL)
    assert [decision.admitted for decision in decisions] == [False, True]


def test_priority_goes_before_age_and_age_before_number() -> None:
    old, urgent, young = Claim(job_id=3, created_at=1), Claim(job_id=2, priority=60), Claim(job_id=1, created_at=2)
    assert [d.job_id for d in schedule([young, old, urgent], [], POOL)] == [2, 3, 1]


def test_a_small_job_fills_a_gap_only_if_the_big_one_ahead_still_has_room_later() -> None:
    running = [Claim(job_id=1, cores=3)]
    head, small = Claim(job_id=2, cores=3, created_at=1), Claim(job_id=3, cores=1, created_at=2)
    assert [d.admitted for d in schedule([head, small], running, POOL)] == [False, True]
    whole = Claim(job_id=2, cores=4, created_at=1)
    why = said([whole, small], running)
    assert why[3] == "waits behind job 2, which is next in line for 4 cores"


def test_a_job_that_asks_for_nothing_starts_even_in_an_overdrawn_pool() -> None:
    assert schedule([Claim(job_id=2, cores=0)], [Claim(job_id=1, cores=9)], POOL)[0].admitted


@given(queues, queues)
def test_what_is_admitted_fits_beside_what_runs(queued: list[Claim], running: list[Claim]) -> None:
    decisions = schedule(queued, running, POOL)
    assert sorted(d.job_id for d in decisions) == sorted(claim.job_id for claim in queued)
    assert all(decision.why for decision in decisions)
    admitted = {d.job_id for d in decisions if d.admitted}
    started = [claim for claim in queued if claim.job_id in admitted]
    if fits(running):
        assert fits(running + started)


@given(queues)
def test_exactly_the_jobs_that_never_fit_alone_are_refused(queued: list[Claim]) -> None:
    refused = {decision.job_id for decision in schedule(queued, [], POOL) if decision.refused}
    assert refused == {claim.job_id for claim in queued if not fits([claim])}


@settings(max_examples=40, deadline=None)
@given(queues, st.randoms(use_true_random=False))
def test_everything_that_fits_alone_starts_while_small_jobs_keep_coming(queued: list[Claim], random: object) -> None:
    """A stream of younger small jobs never ends; the whole first queue must start all the same."""
    waiting, running, started = list(queued), list[Claim](), set[int]()
    for tick in range(200):
        waiting.append(Claim(job_id=100_000 + tick, cores=1, memory_bytes=GIB, priority=10, created_at=1_000 + tick))
        admitted = {decision.job_id for decision in schedule(waiting, running, POOL) if decision.admitted}
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


QUOTAS = {"ann": Quota(guaranteed=(1, GIB, 0)), "bob": Quota(guaranteed=(1, GIB, 0), limit=(2, None, None))}
TWO = Pool(cores=2, memory_bytes=4 * GIB)


def policy(now: int = 10_000_000, **more: object) -> Policy:
    return Policy(now=now, quotas=QUOTAS, **more)  # type: ignore[arg-type]


def lent(job_id: int = 7, account: str = "bob", **more: object) -> Claim:
    return Claim(job_id=job_id, cores=1, account=account, preemptible=True, started_at=0, **more)  # type: ignore[arg-type]


def test_what_is_guaranteed_is_taken_back_from_a_borrower_and_said_so() -> None:
    running = [lent(6), lent(7)]
    [decision] = schedule([Claim(job_id=12, account="ann")], running, TWO, policy())
    assert (decision.admitted, decision.preempts) == (False, (7,))
    assert decision.why == "ann is guaranteed 1 core: job 7 (bob) stops at its next checkpoint"
    stopping = [lent(6), lent(7, stops_for=12)]
    [again] = schedule([Claim(job_id=12, account="ann")], stopping, TWO, policy())
    assert (again.preempts, again.why) == ((), decision.why)


def test_a_borrower_without_a_checkpoint_or_in_its_grace_is_left_alone_and_said_so() -> None:
    [kept] = schedule([Claim(job_id=12, account="ann")], [Claim(job_id=7, cores=2, account="bob")], TWO, policy())
    assert kept.why == "waits for 1 core: 0 of 2 free, job 7 holds 2; job 7 borrows it but can't be stopped"
    young = [lent(6), msgspec.structs.replace(lent(7), started_at=10_000_000 - 20_000)]
    young[0] = msgspec.structs.replace(young[0], started_at=10_000_000 - 20_000)
    [soon] = schedule([Claim(job_id=12, account="ann")], young, TWO, policy())
    assert soon.preempts == ()
    assert soon.why.endswith("; what is borrowed is taken back in 40 s")


def test_nobody_takes_room_that_a_borrower_is_about_to_leave_for_another() -> None:
    stopping = [lent(6), lent(7, stops_for=12)]
    queued = [Claim(job_id=12, account="ann"), Claim(job_id=13, account="cem", priority=90)]
    assert [d.admitted for d in schedule(queued, [stopping[1]], TWO, policy())] == [True, False]
    waits = schedule(queued, stopping, TWO, policy())
    assert waits[1].why.startswith("waits for 1 core: 0 of 2 free")


def test_an_account_at_its_limit_waits_and_lets_others_pass() -> None:
    queued = [Claim(job_id=3, cores=1, account="bob", priority=90), Claim(job_id=4, cores=1, account="cem")]
    pool = Pool(cores=4, memory_bytes=4 * GIB)
    first, second = schedule(queued, [Claim(job_id=1, cores=2, account="bob")], pool, policy())
    assert first.why == "waits for 1 core: bob holds 2 of 2, its limit"
    assert second.admitted
    [never] = schedule([Claim(job_id=5, cores=3, account="bob")], [], pool, policy())
    assert (never.refused, never.why) == (
        True, "needs 3 cores, bob may hold 2 cores at most: ask for less or raise its limit",
    )  # fmt: skip


def test_of_two_borrowers_the_one_who_used_less_of_late_goes_first_until_the_other_has_waited_long() -> None:
    heavy, light = Claim(job_id=1, cores=2, account="cem"), Claim(job_id=2, cores=2, account="dee", created_at=60_000)
    used = {"cem": 3000.0, "dee": 1000.0}
    assert [d.job_id for d in schedule([heavy, light], [], TWO, Policy(now=60_000, used=used))] == [2, 1]
    late = msgspec.structs.replace(light, created_at=16 * 600_000)
    assert [d.job_id for d in schedule([heavy, late], [], TWO, Policy(now=16 * 600_000, used=used))] == [1, 2]


def test_an_urgent_job_preempts_its_own_accounts_lower_jobs_only() -> None:
    running = [lent(6, "cem"), lent(7, "dee")]
    [urgent] = schedule([Claim(job_id=9, account="dee", priority=100)], running, TWO, Policy(now=10_000_000))
    assert urgent.preempts == (7,)
    assert urgent.why.startswith("its priority is 100: job 7 (dee) stops")
    [high] = schedule([Claim(job_id=9, account="dee", priority=99)], running, TWO, Policy(now=10_000_000))
    assert high.preempts == ()


def test_a_gang_starts_together_or_not_at_all() -> None:
    gang = [Claim(job_id=n, cores=1, gang="sweep", gang_size=2) for n in (1, 2)]
    [alone] = schedule(gang[:1], [], TWO)
    assert alone.why == "waits for its gang: 1 of 2 are queued, they start together"
    assert all(d.admitted for d in schedule(gang, [], TWO))
    waiting = schedule([*gang, Claim(job_id=5, cores=1, priority=40)], [Claim(job_id=9, cores=1)], TWO)
    assert [d.admitted for d in waiting] == [False, False, False]
    assert waiting[2].why == "waits behind jobs 1 and 2, which are next in line for 2 cores"
    [big, _, _] = schedule([Claim(job_id=n, gang="g", gang_size=3) for n in (1, 2, 3)], [], TWO)
    assert big.why == "its gang of 3 needs 3 cores, the pool has 2 cores: ask for less or raise pool.cores"


def test_a_share_of_a_gpu_lies_on_one_gpu_beside_what_others_hold() -> None:
    pool = Pool(cores=8, memory_bytes=8 * GIB, gpus=2, devices=(Device(index="0"), Device(index="1")))
    claims = [Claim(job_id=n, gpu=0.6) for n in (1, 2, 3)]
    decisions = schedule(claims, [], pool)
    assert [d.gpus for d in decisions] == [("0",), ("1",), ()]
    assert (
        decisions[2].why
        == "waits for 0.6 GPU: 0.8 of 2 free, on no single GPU enough, job 1 holds 0.6, job 2 holds 0.6"
    )
    taken = "on GPU 0 pid 4711 (eve python) holds 60.0 GiB and is not of this workspace"
    full = Pool(cores=8, memory_bytes=8 * GIB, gpus=1, devices=(Device(index="0", share=0.25, foreign=taken),))
    [whole] = schedule([Claim(job_id=1, gpu=1)], [], full)
    assert (whole.admitted, whole.refused) == (False, False)
    assert whole.why == f"waits for 1 GPU: 0.25 of 1 free, {taken}"
    assert schedule([Claim(job_id=1, gpu=0.25)], [], full)[0].admitted


def test_several_gpus_at_once_are_never_slices_and_a_single_one_leaves_whole_gpus_to_those_who_need_them() -> None:
    devices = (*(Device(index=str(n)) for n in (0, 1)), *(Device(index=f"2.{n}", slice=True) for n in (0, 1)))
    pool = Pool(cores=8, memory_bytes=8 * GIB, gpus=4, devices=devices)
    claims = [Claim(job_id=1, gpu=1), Claim(job_id=2, gpu=2), Claim(job_id=3, gpu=2), Claim(job_id=4, gpu=3)]
    first, pair, waits, never = schedule(claims, [], pool)
    assert [first.gpus, pair.gpus, waits.gpus] == [("2.0",), ("0", "1"), ()]
    assert waits.why.startswith("waits for 2 GPU: 1 of 4 free, job 2 holds 2")
    assert never.refused
    held = [Claim(job_id=9, gpu=1, gpus=("0",))]
    assert "3 of 4 free, MIG slices are not joined" in schedule([claims[1]], held, pool)[0].why


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, 1000), marks=pytest.mark.slow)])
def test_a_thousand_random_schedules_never_over_commit_keep_limits_and_let_nothing_wait_for_ever(seeds: range) -> None:
    """Every job that fits beside what is guaranteed to others ends; what stops stops once a grace at most."""
    for seed in seeds:
        random = Random(seed)
        machine = random_machine(random)
        for job_id in range(1, random.randrange(5, 30)):
            machine.add(random_claim(random, machine, job_id), random.randrange(1, 12))
            if random.random() < 0.5:
                machine.tick()
                machine.check()
        size = 0
        if random.random() < 0.5:
            gang = random_claim(random, machine, 500)
            size = random.choice([2, 3])
            for n in range(size):
                member = msgspec.structs.replace(gang, job_id=500 + n, gang="g", gang_size=size)
                machine.add(member, random.randrange(1, 6))
        for _ in range(600):
            if not machine.running and not any(not d.refused for d in machine.told) and machine.told:
                break
            machine.tick()
            machine.check()
            members = [job_id for job_id, work in machine.queued.items() if work.claim.gang]
            assert len(members) in (0, size), f"seed {seed}: a part of a gang started"
        for decision in machine.told:
            if not decision.refused and decision.job_id in machine.queued:
                claim = machine.queued[decision.job_id].claim
                together = [one.claim for one in machine.queued.values() if claim.gang and one.claim.gang == claim.gang]
                unit = together or [claim]
                assert excess(unit, [], machine.pool) == GPU, f"seed {seed}: job {claim.job_id} {decision.why}"
        for work in (*machine.done.values(), *machine.queued.values()):
            for started, stopped in zip(work.starts, work.stops, strict=False):
                assert stopped - started >= GRACE_MS, f"seed {seed}: stopped within its grace"
            assert work.claim.preemptible or not work.stops


def test_a_guarantee_is_met_within_a_grace_and_a_checkpoint_whoever_borrows() -> None:
    """Borrowers never let up; ann, who is promised half of the cores, has them two ticks after the grace."""
    for seed in range(10):
        random = Random(seed)
        machine = random_machine(random)
        half = machine.pool.cores / 2
        machine.quotas = {"ann": Quota(guaranteed=(half, machine.pool.memory_bytes / 2, 0.0))}
        for job_id in range(1, 16):
            claim = Claim(job_id=job_id, cores=random.choice([1, half, machine.pool.cores]), account="bob",
                          preemptible=True, priority=random.choice([50, 95]))  # fmt: skip
            machine.add(claim, 50)
            machine.tick()
        machine.add(Claim(job_id=9999, cores=half, account="ann", priority=1), 5)
        for _ in range(GRACE_MS // TICK_MS + 2):
            machine.tick()
            machine.check()
        assert 9999 in machine.running or 9999 in machine.done, f"seed {seed}: {machine.told[0].why}"


def test_streams_of_urgent_small_jobs_starve_nobody() -> None:
    """A big job of low priority starts while small ones of higher priority never stop coming."""
    random = Random(7)
    machine = random_machine(random)
    machine.quotas = {}
    machine.add(Claim(job_id=1, cores=machine.pool.cores, account="ann", priority=10), 3)
    for tick in range(1000):
        machine.add(Claim(job_id=10 + tick, cores=1, account=random.choice(USERS), priority=14), random.randrange(1, 9))
        machine.tick()
        machine.check()
        if 1 in machine.running:
            break
    assert 1 in machine.running


MORE = "guaranteed = { cores = 3 }\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (f"[pool]\ncores = 2\n[pool.quotas.a]\n{MORE}", 2, "The quotas guarantee 3 cores, the pool has 2."),
        (f"[pool.quotas.a]\n{MORE}limit = {{ cores = 2 }}\n", 3, "guarantees 3 cores, its limit is 2."),
        ('[pool.quotas.a]\nusers = ["x"]\n[pool.quotas.b]\nusers = ["x"]\n', 4, "'x' is a user in pool.quotas.a"),
        ('[pool.quotas.a]\nlimit = { memory = "much" }\n', 2, "'much' is not a size"),
        ('[pool]\nhalf_life = "soon"\n', 2, "'soon' is no age"),
    ],
)
def test_quotas_that_contradict_themselves_are_refused_with_their_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(text)
    assert problem in refused.value.problem
    assert refused.value.place == f"lemnis.toml:{line}"
