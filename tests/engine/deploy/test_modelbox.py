"""Damaged models are refused in a child process and never end the one that asked."""

# pyright: basic

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.deploy.golden import disagreement
from lemnis.engine.deploy.modelbox import Limits, ask_model, ending
from lemnis.engine.errors import BadInput
from lemnis.engine.files import sha256_of

QUICK = Limits(cpu_s=2, wall_s=60.0)


def ask(trained: Any, path: Path, *, sha256: str = "", recorded: Any = None) -> Any:
    rows = trained.request_rows(20)
    return ask_model(path, sha256 or sha256_of(path), trained.signature, rows, recorded, limits=QUICK)


def mutated(trained: Any, folder: Path, change: Any) -> Path:
    path = folder / "model.txt"
    path.write_bytes(change((trained.folder / "model.txt").read_bytes()))
    return path


def cyclic(data: bytes) -> bytes:
    """Point the first root's left child back at the root, without changing a length."""
    return re.sub(rb"left_child=(\S+)", lambda match: b"left_child=" + b"0" * len(match.group(1)), data, count=1)


def test_a_whole_model_answers_what_it_answers_here(first_model: Any) -> None:
    answers = ask(first_model, first_model.folder / "model.txt")
    assert ask(first_model, first_model.folder / "model.txt", recorded=answers) == answers


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("empty", lambda data: b""),
        ("another kind of file", lambda data: b"\x80\x04pickle"),
        ("cut at half", lambda data: data[: len(data) // 2]),
        ("cut within the trees", lambda data: data[: data.index(b"end of trees") * 9 // 10]),
        ("no leaves", lambda data: re.sub(rb"num_leaves=\d+", b"num_leaves=0", data)),
        ("no tree a round", lambda data: data.replace(b"tree_per_iteration=1\n", b"tree_per_iteration=0\n")),
        (
            "too many trees a round",
            lambda data: data.replace(b"tree_per_iteration=1\n", b"tree_per_iteration=100000000\n"),
        ),
        ("leaves that are no number", lambda data: re.sub(rb"leaf_value=\S+", b"leaf_value=nan", data)),
        ("infinite leaves", lambda data: re.sub(rb"leaf_value=\S+", b"leaf_value=inf", data)),
        ("fewer features", lambda data: data.replace(b"max_feature_idx=3", b"max_feature_idx=2")),
    ],
)
def test_a_damaged_model_is_refused_with_a_reason(first_model: Any, tmp_path: Path, name: str, change: Any) -> None:
    with pytest.raises(BadInput, match=r"The model was refused: .+"):
        ask(first_model, mutated(first_model, tmp_path, change))


def test_a_model_that_never_answers_is_stopped(first_model: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"CPU|within"):
        ask(first_model, mutated(first_model, tmp_path, cyclic))


def test_an_edited_leaf_is_found_by_the_hash_and_by_the_golden_answers(first_model: Any, tmp_path: Path) -> None:
    recorded = ask(first_model, first_model.folder / "model.txt")
    path = mutated(first_model, tmp_path, lambda data: re.sub(rb"(leaf_value=-?\d\.)\d", rb"\g<1>9", data))
    with pytest.raises(BadInput, match="hashes differ"):
        ask(first_model, path, sha256=first_model.sha256)
    with pytest.raises(BadInput, match="golden row"):
        ask(first_model, path, recorded=recorded)


def test_memory_beyond_the_limit_is_refused(first_model: Any) -> None:
    with pytest.raises(BadInput, match="refused"):
        ask_model(
            first_model.folder / "model.txt",
            first_model.sha256,
            first_model.signature,
            first_model.request_rows(2),
            limits=Limits(memory_bytes=64 << 20),
        )


@pytest.mark.parametrize(
    ("got", "wanted", "says"),
    [
        ([[0.5]], [[0.5 + 1e-10]], ""),
        ([[0.5]], [[0.5 + 1e-8]], "golden row 0 got 0.5"),
        ([[float("nan")]], [[0.5]], "not finite"),
        ([[0.5]], [[0.5], [0.5]], "1 of 2"),
        ([[0.5, 0.5]], [[0.5]], "2 scores instead of 1"),
    ],
)
def test_answers_must_be_finite_and_equal(got: Any, wanted: Any, says: str) -> None:
    assert says in disagreement(got, wanted)
    assert bool(says) == bool(disagreement(got, wanted))


def test_the_ending_of_a_child_is_said_in_words() -> None:
    assert "SIGABRT" in ending(-signal.SIGABRT, QUICK)
    assert "CPU" in ending(-signal.SIGXCPU, QUICK)
