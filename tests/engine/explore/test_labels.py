"""The label store: events that are never changed, undo and redo without end, two labellers, files."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.config import parse_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, ConfigError, NotFound
from lemnis.engine.explore.labels import Answer, AnswerKind, Queue
from lemnis.engine.explore.labels.apply import label_table
from lemnis.engine.explore.labels.cards import key_parts, key_texts, read_cells
from lemnis.engine.explore.labels.queues import make_queue
from lemnis.engine.explore.labels.records import Item, Kind
from lemnis.engine.workspace import create_workspace

CONFIG = '[labels.topic]\ncolumn = "분류"\nclasses = ["교통", "환경", "시설"]\n'
ROWS = 12


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(create_workspace(tmp_path / "box", CONFIG))
    table = pa.table(
        {"번호": [f"r{n}" for n in range(ROWS)], "본문": [f"글 {n}" for n in range(ROWS)], "n": range(ROWS)}
    )
    record_version(opened.store, table, name="texts", roles={"번호": "key"}, split={})
    yield opened
    opened.store.close()


def queue_of(engine: Engine, kind: Kind = "order", overlap: float = 0.0, given: str | None = None) -> Queue:
    items = [Item(place=n, row_key=f"r{n}", row_number=n, given=given, suggested="환경") for n in range(ROWS)]
    version = engine.data.version().id
    return make_queue(engine.store, "topic", kind, version, items, recipe="all", who="kim", overlap=overlap)


def say(engine: Engine, queue: Queue, value: str | None, who: str = "kim", kind: AnswerKind = "label") -> str:
    """Answer the next row of a queue and return its key."""
    task = engine.explore.labels.next(queue.id, who)
    assert task is not None
    engine.explore.labels.answer(queue.id, task.item.place, Answer(kind=kind, value=value, took_ms=900), who)
    return task.item.row_key


def standing(engine: Engine) -> dict[str, str | None]:
    return {row.row_key: row.value for row in engine.explore.labels.resolved("topic")}


def test_every_answer_is_an_event_with_what_was_suggested_and_seen(engine: Engine) -> None:
    queue = queue_of(engine)
    room = engine.explore.labels
    room.answer(queue.id, 0, Answer(kind="label", value="교통", took_ms=1234, shown=True), "kim")
    (event,) = room.history("topic")
    assert (event.labeller, event.row_key, event.kind, event.value) == ("kim", "r0", "label", "교통")
    assert (event.suggested, event.suggestion_shown, event.took_ms, event.queue_id) == ("환경", True, 1234, queue.id)


def test_an_event_can_be_neither_changed_nor_removed(engine: Engine) -> None:
    say(engine, queue_of(engine), "교통")
    for statement in ("update label_events set value = '환경'", "delete from label_events"):
        with pytest.raises(Exception, match="never changed"), engine.store.write() as db:
            db.execute(statement)
    assert standing(engine) == {"r0": "교통"}


def test_undo_goes_back_to_the_beginning_and_redo_to_the_end(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    said = ["교통", "환경", "시설", "교통"]
    keys = [say(engine, queue, value) for value in said]
    whole = standing(engine)
    undone = [event.row_key for event in iter(lambda: room.undo(queue.id, "kim"), None)]
    assert undone == keys[::-1]
    assert standing(engine) == {}
    task = room.next(queue.id, "kim")
    assert task is not None
    assert task.item.row_key == "r0"
    redone = [event.row_key for event in iter(lambda: room.redo(queue.id, "kim"), None)]
    assert redone == keys
    assert standing(engine) == whole
    assert len(room.history("topic")) == 12  # nothing was overwritten on the way


def test_an_answer_after_an_undo_ends_what_could_be_redone(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    say(engine, queue, "교통")
    room.undo(queue.id, "kim")
    say(engine, queue, "환경")
    assert room.redo(queue.id, "kim") is None
    assert standing(engine) == {"r0": "환경"}


def test_undo_takes_back_only_ones_own(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    say(engine, queue, "교통", "kim")
    say(engine, queue, "환경", "lee")
    event = room.undo(queue.id, "kim")
    assert event is not None
    assert event.labeller == "kim"
    assert room.undo(queue.id, "kim") is None
    assert list(standing(engine).values()) == ["환경"]


@given(st.lists(st.sampled_from(["교통", "환경", "undo", "redo", "skip", "unsure"]), max_size=25))
@pytest.mark.slow
def test_what_stands_is_what_a_list_with_undo_and_redo_would_hold(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[str]
) -> None:
    engine = Engine(create_workspace(tmp_path_factory.mktemp("box"), CONFIG))
    table = pa.table({"번호": [f"r{n}" for n in range(40)]})
    record_version(engine.store, table, name="texts", roles={"번호": "key"}, split={})
    items = [Item(place=n, row_key=f"r{n}", row_number=n) for n in range(40)]
    version = engine.data.version().id
    queue = make_queue(engine.store, "topic", "order", version, items, recipe="all", who="kim")
    room = engine.explore.labels
    done: list[tuple[int, str]] = []
    undone: list[tuple[int, str]] = []
    for wish in wishes:
        if wish == "undo":
            event = room.undo(queue.id, "kim")
            assert (event is None) == (not done)
            undone += [done.pop()] if done else []
        elif wish == "redo":
            event = room.redo(queue.id, "kim")
            assert (event is None) == (not undone)
            done += [undone.pop()] if undone else []
        else:
            kind: AnswerKind = "skip" if wish == "skip" else "unsure" if wish == "unsure" else "label"
            task = room.next(queue.id, "kim")
            assert task is not None
            assert task.item.place == min(set(range(40)) - {place for place, _ in done})
            answer = Answer(kind=kind, value=wish if kind == "label" else None)
            room.answer(queue.id, task.item.place, answer, "kim")
            done.append((task.item.place, wish))
            undone.clear()
    assert standing(engine) == {f"r{place}": wish for place, wish in done if wish in ("교통", "환경")}
    engine.store.close()


def test_two_labellers_share_a_queue_and_never_a_row(engine: Engine) -> None:
    queue = queue_of(engine)
    got: dict[str, list[str]] = {"kim": [], "lee": [], "park": []}

    def work(who: str) -> None:
        while (task := engine.explore.labels.next(queue.id, who)) is not None:
            got[who].append(task.item.row_key)
            engine.explore.labels.answer(queue.id, task.item.place, Answer(kind="label", value="교통"), who)
        engine.store.close()

    threads = [threading.Thread(target=work, args=(who,)) for who in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [key for keys in got.values() for key in keys]
    assert sorted(everything) == sorted(f"r{n}" for n in range(ROWS))


def test_a_row_on_the_screen_of_one_is_not_asked_of_another_until_it_is_given_back(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels

    def key(who: str) -> str:
        task = room.next(queue.id, who)
        assert task is not None
        return task.item.row_key

    assert (key("kim"), key("lee"), key("kim")) == ("r0", "r1", "r0")
    room.release(queue.id, "kim")
    assert key("park") == "r0"


def test_an_overlap_asks_two_people_about_its_share_of_rows(engine: Engine) -> None:
    queue, room = queue_of(engine, overlap=0.5), engine.explore.labels
    assert sum(item.wanted for item in room.items(queue.id)) == ROWS + 6
    for _ in range(ROWS):
        say(engine, queue, "교통", "kim")
    assert room.next(queue.id, "kim") is None
    assert room.queue(queue.id).done == 6
    for _ in range(6):
        say(engine, queue, "환경", "lee")
    assert room.next(queue.id, "lee") is None
    assert room.queue(queue.id).done == ROWS
    assert room.agreement("topic").pairs[0].kappa.n == 6
    assert room.sets()[0].split == 6


def test_unsure_is_an_answer_and_a_skip_leaves_the_row_to_others(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    assert say(engine, queue, None, "kim", "unsure") == "r0"
    assert say(engine, queue, None, "kim", "skip") == "r1"
    assert say(engine, queue, "교통", "kim") == "r2"
    assert say(engine, queue, "환경", "lee") == "r1"
    assert room.progress(queue.id, "kim").unsure == 1
    assert standing(engine) == {"r1": "환경", "r2": "교통"}


def test_the_majority_stands_a_tie_is_split_and_a_decision_rules(engine: Engine) -> None:
    room = engine.explore.labels

    def vote(who: str, value: str, *, gold: bool = False) -> None:
        room.say("topic", "r0", Answer(kind="label", value=value), who, gold=gold)

    vote("kim", "교통")
    vote("lee", "환경")
    assert [(row.value, row.how) for row in room.resolved("topic")] == [(None, "split")]
    vote("park", "환경")
    assert [(row.value, row.how, row.votes) for row in room.resolved("topic")] == [("환경", "majority", 3)]
    vote("kim", "환경")  # kim's first vote no longer counts
    assert [(row.value, row.how) for row in room.resolved("topic")] == [("환경", "agreed")]
    vote("yun", "시설", gold=True)
    assert [(row.value, row.how) for row in room.resolved("topic")] == [("시설", "gold")]


def test_a_review_decides_and_unsure_in_it_leaves_the_row_as_it_was(engine: Engine) -> None:
    room = engine.explore.labels
    for row in ("r0", "r1", "r2"):
        room.say("topic", row, Answer(kind="label", value="교통"), "kim")
    queue = queue_of(engine, "errors", given="교통")
    say(engine, queue, "환경", "park")
    say(engine, queue, "교통", "park")
    say(engine, queue, None, "park", "unsure")
    assert standing(engine) == {"r0": "환경", "r1": "교통", "r2": "교통"}
    progress = room.progress(queue.id, "park")
    assert (progress.reviewed, progress.changed, progress.mine) == (2, 1, 3)


def test_labels_a_minute_are_those_of_the_last_answers_and_a_pause_counts_one_minute(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    for took in (1000, 1000, 4000):
        task = room.next(queue.id, "kim")
        assert task is not None
        room.answer(queue.id, task.item.place, Answer(kind="label", value="교통", took_ms=took), "kim")
    assert room.progress(queue.id, "kim").per_minute == pytest.approx(30)
    room.answer(queue.id, 5, Answer(kind="label", value="교통", took_ms=3_600_000), "kim")
    assert room.progress(queue.id, "kim").per_minute == pytest.approx(4 * 60_000 / 66_000)


def test_a_queue_survives_closing(engine: Engine) -> None:
    queue = queue_of(engine)
    say(engine, queue, "교통")
    again = Engine.open(engine.workspace.root)
    task = again.explore.labels.next(queue.id, "kim")
    assert task is not None
    assert (task.item.row_key, again.explore.labels.queue(queue.id).done) == ("r1", 1)
    again.store.close()


def test_what_is_no_class_nobody_or_no_row_is_refused(engine: Engine) -> None:
    queue, room = queue_of(engine), engine.explore.labels
    with pytest.raises(BadInput, match="no class"):
        room.answer(queue.id, 0, Answer(kind="label", value="복지"), "kim")
    with pytest.raises(BadInput, match="labeller"):
        room.answer(queue.id, 0, Answer(kind="label", value="교통"), " ")
    with pytest.raises(NotFound):
        room.answer(queue.id, 99, Answer(kind="label", value="교통"), "kim")
    with pytest.raises(NotFound):
        room.next(99, "kim")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('classes = ["a"]', "1 different classes"),
        ('classes = ["a", "a"]', "1 different classes"),
        ('classes = ["a", "b"]\nkeys = { c = "x" }', "no class"),
        ('classes = ["a", "b"]\nkeys = { a = "u" }', "gives 'a' the key 'u'"),
        ('classes = ["a", "b"]\nkeys = { a = "x", b = "x" }', "one key to two classes"),
        ('classes = ["a", " "]', "can't be shown"),
    ],
)
def test_a_declaration_that_could_not_be_labelled_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as refused:
        parse_config(f'[labels.topic]\ncolumn = "c"\n{text}\n')
    assert refused.value.place.startswith("lemnis.toml:")


def test_each_class_gets_a_key_of_its_own_beginning_with_the_home_row() -> None:
    names = [f"class {n}" for n in range(33)]
    labels = parse_config(
        f'[labels.t]\ncolumn = "c"\nclasses = {json.dumps(names)}\nkeys = {{"class 5" = "f"}}\n'
    ).labels["t"]
    keys = list(labels.key_of.values())
    assert len(set(keys)) == 33
    assert keys[5] == "f"
    assert keys[:3] == ["j", "d", "k"]
    assert not set(keys) & {"u", "n", "v"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=2, max_size=4))
def test_a_key_of_several_columns_can_be_taken_apart_again(parts: list[str]) -> None:
    names = [f"k{n}" for n in range(len(parts))]
    (text,) = key_texts(pa.table({name: [part] for name, part in zip(names, parts, strict=True)}), names)
    assert text is not None
    assert key_parts(text, len(parts)) == parts


def test_a_card_reads_its_row_from_whatever_row_group_it_is_in(tmp_path: Path) -> None:
    engine = Engine(create_workspace(tmp_path / "box", CONFIG))
    rows = 140_000  # three row groups
    table = pa.table({"번호": pa.array(range(rows)), "x": pa.array([n * 2 for n in range(rows)])})
    version = record_version(engine.store, table, name="big", roles={"번호": "key"}, split={})
    for place in (0, 65_535, 65_536, 131_072, rows - 1):
        assert read_cells(version, place, ["번호", "x"]) == {"번호": str(place), "x": str(place * 2)}
    engine.store.close()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_labels_leave_and_come_back_with_their_labellers(engine: Engine, tmp_path: Path, suffix: str) -> None:
    room, file = engine.explore.labels, tmp_path / f"labels{suffix}"
    for who, value in (("kim", "교통"), ("lee", "환경")):
        room.say("topic", "r0", Answer(kind="label", value=value, note='a "note",\nof two lines'), who)
    room.say("topic", "r1", Answer(kind="unsure"), "kim")
    assert room.export("topic", file, every=True) == 3
    assert room.take_in("topic", file, "somebody") == 0  # all of it is known
    room.say("topic", "r0", Answer(kind="label", value="시설"), "kim")
    assert room.take_in("topic", file, "somebody") == 1
    said = {(e.row_key, e.labeller): e.value for e in room.history("topic")[::-1]}
    assert said == {("r0", "kim"): "교통", ("r0", "lee"): "환경", ("r1", "kim"): None}


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("x.csv", "row_key,value\nr1,교통\nr2,복지\n", "x.csv:3"),
        ("x.csv", "key,value\nr1,교통\n", "x.csv"),
        ("x.csv", 'row_key,value\n"r1,교통\n', "x.csv:"),
        ("x.jsonl", '{"row_key": "r1", "value": "교통"}\n{"row_key": 1}\n', "x.jsonl:2"),
        ("x.jsonl", '{"value": "교통"}\n', "x.jsonl:1"),
        ("x.txt", "r1", "x.txt"),
    ],
)
def test_a_file_that_is_wrong_names_its_line_and_leaves_nothing(
    engine: Engine, tmp_path: Path, name: str, text: str, place: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput) as refused:
        engine.explore.labels.take_in("topic", tmp_path / name, "kim")
    assert place in refused.value.place
    assert engine.explore.labels.history("topic") == []


def test_labels_find_their_rows_whatever_the_types_of_key_and_label(tmp_path: Path) -> None:
    engine = Engine(create_workspace(tmp_path / "box", '[labels.t]\ncolumn = "late"\nclasses = ["true", "false"]\n'))
    at = [datetime(2025, 1, day, 3, 4, 5, 678_000, tzinfo=UTC) for day in (1, 2, 3)]
    columns = {
        "n": pa.array([1, -2, 3]),
        "day": pa.array([moment.date() for moment in at]),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "who": pa.array(["a|b", "a\\|b", ""]),
        "late": pa.array([None, True, None], pa.bool_()),
    }
    roles = dict.fromkeys(["n", "day", "at", "who"], "key")
    version = record_version(engine.store, pa.table(columns), name="keys", roles=roles, split={})
    labels = engine.config().labels["t"]
    texts = key_texts(pa.table(columns), version.keys)
    for text, value in zip(texts, ("true", "false", "true"), strict=True):
        assert text is not None
        engine.explore.labels.say("t", text, Answer(kind="label", value=value), "kim")
    pairs = [(row.row_key, row.value or "") for row in engine.explore.labels.resolved("t")]
    made = label_table(version, labels, pairs).sort_by("n")
    wanted = pa.table({**columns, "late": pa.array([True, False, True])}).sort_by("n")
    assert made.equals(wanted)
    engine.store.close()
