"""Links written into lemnis.toml: only what changes is touched."""

import difflib

import pytest

from lemnis.engine import Engine
from lemnis.engine.config import Link, parse_config
from lemnis.engine.data import drafted
from lemnis.engine.data.declared import text_with_link, text_without_link
from lemnis.engine.errors import BadInput

TEXT = """\
[sources.a]
path = "a.csv"
[sources.b]
path = "b.csv"

[dataset]
base = "a" # the base

[[dataset.links]] # one
source = "b" # two
on = { k = "k" } # three
prefix = "b_"  # four

# about derive
[dataset.derive]
y = "1"
"""
INLINE = """\
[sources.a]
path = "a.csv"
[dataset]
base = "a"
links = [
    {source = "a", on = {k = "k"}}, # keep
]
"""


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line.startswith(("+ ", "- ")) and line[2:].strip()]


def test_a_new_link_stands_behind_the_others_and_before_the_comments_of_what_follows() -> None:
    link = Link(source="a", on={'"two words"': "k", "lower(k)": "k"}, asof="at", tolerance="2h")
    after = text_with_link(TEXT, link)
    assert parse_config(after).dataset.links == [*parse_config(TEXT).dataset.links, link]
    assert changed(TEXT, after) == [
        "+ [[dataset.links]]",
        '+ source = "a"',
        '+ on = {"\\"two words\\"" = "k", "lower(k)" = "k"}',
        '+ asof = "at"',
        '+ tolerance = "2h"',
    ]
    assert after.index("[[dataset.links]]\n") < after.index("# about derive")


def test_of_a_link_that_is_there_only_what_differs_is_written() -> None:
    after = text_with_link(TEXT, Link(source="b", on={"k": "k", "day": "day"}), 1)
    assert changed(TEXT, after) == [
        '+ on = {k = "k", day = "day"} # three',
        '- on = { k = "k" } # three',
        '- prefix = "b_"  # four',
    ]
    assert text_with_link(TEXT, parse_config(TEXT).dataset.links[0], 1) == TEXT


def test_the_order_of_keys_is_part_of_a_link() -> None:
    text = text_with_link(TEXT, Link(source="b", on={"k": "k", "j": "j"}), 1)
    assert 'on = {j = "j", k = "k"}' in text_with_link(text, Link(source="b", on={"j": "j", "k": "k"}), 1)


def test_a_link_is_taken_out_and_the_rest_stays() -> None:
    after = text_without_link(TEXT, 1)
    assert parse_config(after).dataset.links == []
    assert all(line.startswith("- ") for line in changed(TEXT, after))
    assert "# about derive" in after
    assert text_without_link(text_with_link(after, Link(source="a", on={"k": "k"})), 1).split() == after.split()


def test_links_in_an_array_stay_in_it() -> None:
    more = text_with_link(INLINE, Link(source="a", on={"j": "j"}, prefix="x_"))
    assert changed(INLINE, more) == ['+     {source = "a", on = {j = "j"}, prefix = "x_"},']
    assert parse_config(text_without_link(more, 1)).dataset.links == [Link(source="a", on={"j": "j"}, prefix="x_")]


def test_a_file_without_a_dataset_gets_one() -> None:
    after = text_with_link('[sources.a]\npath = "a.csv"\n', Link(source="a", on={"k": "k"}))
    assert parse_config(after).dataset.links == [Link(source="a", on={"k": "k"})]


@pytest.mark.parametrize("position", [0, 2])
def test_a_position_without_a_link_is_refused(position: int) -> None:
    with pytest.raises(BadInput, match="no link"):
        text_without_link(TEXT, position)
    with pytest.raises(BadInput, match="no link"):
        text_with_link(TEXT, Link(source="a", on={"k": "k"}), position)


def test_links_that_stand_apart_in_the_file_are_links_all_the_same() -> None:
    apart = TEXT + '[[dataset.links]]\nsource = "a"\non = { k = "k" }\n'
    first, second = parse_config(apart).dataset.links
    new = Link(source="b", on={"j": "j"})
    assert parse_config(text_with_link(apart, new)).dataset.links == [first, second, new]
    assert parse_config(text_with_link(apart, new, 2)).dataset.links == [first, new]
    assert parse_config(text_without_link(apart, 1)).dataset.links == [second]


def test_a_link_that_somebody_else_changed_is_not_overwritten(engine: Engine) -> None:
    engine.workspace.config.write_text(TEXT)
    dataset = engine.config().dataset
    edited = drafted(dataset, Link(source="b", on={"j": "j"}), 1)
    with pytest.raises(BadInput, match="changed by somebody else"):
        engine.data.declare_link(edited, was=Link(source="b", on={"other": "k"}), who="ann")
    assert engine.data.declare_link(edited, was=dataset.links[0], who="ann", why="better") == 1
    assert engine.data.declare_link(drafted(engine.config().dataset, Link(source="a", on={"k": "k"})), who="ann") == 2
    assert [link.on for link in engine.config().dataset.links] == [{"j": "j"}, {"k": "k"}]
    change = engine.problem.history()[1]
    assert (change.who, change.why) == ("ann", "better")
    engine.data.remove_link(1, engine.config().dataset.links[0], who="ann")
    assert [link.on for link in engine.config().dataset.links] == [{"k": "k"}]
