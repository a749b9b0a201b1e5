"""A column's profile against NumPy's own figures of the same rows, whatever its type and whatever is missing."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data import Column
from lemnis.engine.explore.measure import Beside, measure_column
from lemnis.engine.explore.profile import Profile, blank_profile
from lemnis.engine.explore.target import label_classes

few = st.integers(-40, 40)
wide = st.integers(-(2**50), 2**50)
reals = st.floats(-1e9, 1e9).map(lambda value: 0.0 if abs(value) < 1e-3 else value)
odd = st.one_of(reals, st.sampled_from([float("nan"), float("inf"), float("-inf"), 1.5, 2.5]))
KINDS = [
    (pa.int64(), few),
    (pa.int64(), wide),
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.int64(), st.sampled_from([-(2**63), 0, 2**63 - 1])),
    (pa.float64(), odd),
    (pa.float32(), st.integers(-1000, 1000).map(lambda value: value / 8)),
    (pa.float64(), st.sampled_from([0.5, 1.5, -3.0])),
    (pa.int16(), st.sampled_from([0, 1, 2, 2, 3, 90, 91, -50])),
    (pa.float64(), st.sampled_from([0.0, 1.0, 2.5, 3.0, 3.0, 1e6, -1e6, float("inf")])),
]
labels = st.sampled_from(["no", "no", "no", "yes", "maybe", None])


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.Array, list[str | None]]:
    """Draw one column of numbers and a label beside it."""
    kind, values = draw(st.sampled_from(KINDS))
    column = draw(st.lists(st.one_of(values, values, values, st.none()), min_size=1, max_size=120))
    label = draw(st.lists(labels, min_size=len(column), max_size=len(column)))
    return pa.array(column, kind), label


def profiled(column: pa.Array, label: list[str | None] | None = None) -> Profile:
    blank = blank_profile(Column(name="x", type=str(column.type)), 0, len(column))
    half = len(column) // 2  # a file comes in pieces
    pieces = pa.chunked_array([column.slice(0, half), column.slice(half)])
    classes = label_classes(pa.chunked_array([pa.array(label, pa.string())])) if label is not None else None
    return measure_column(pieces, blank, Beside(classes)).profile


@given(tables())
def test_every_figure_of_a_number_is_numpys(table: tuple[pa.Array, list[str | None]]) -> None:
    column, label = table
    profile = profiled(column, label)
    plain = [None if value is None or value != value else value for value in column.to_pylist()]
    finite = [value for value in plain if value is not None and abs(value) != float("inf")]
    assert profile.missing == plain.count(None)
    assert profile.findings.infinite == len(plain) - plain.count(None) - len(finite)
    if not finite:
        return
    values = np.sort(np.array(finite, dtype=column.type.to_pandas_dtype()))
    assert (profile.distinct, profile.findings.zeros) == (len(set(finite)), finite.count(0))
    assert (float(profile.minimum or ""), float(profile.maximum or "")) == (float(values[0]), float(values[-1]))
    numbers = values.astype(np.float64)
    size = max(1.0, np.abs(numbers).max())
    assert profile.mean == pytest.approx(numbers.mean(), abs=1e-9 * size)
    if len(numbers) > 1:
        assert profile.deviation == pytest.approx(numbers.std(ddof=1), abs=1e-6 * size)
    for share, value in profile.quantiles.items():
        assert value == pytest.approx(np.quantile(numbers, float(share)), abs=1e-9 * size)
    if len(set(finite)) < len(finite):
        most = {value: finite.count(value) for value in set(finite)}
        wanted = sorted(most.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
        assert [(float(top.value), top.rows) for top in profile.top] == [(float(v), n) for v, n in wanted]


@given(tables())
def test_each_class_has_the_figures_of_its_own_rows(table: tuple[pa.Array, list[str | None]]) -> None:
    column, label = table
    profile = profiled(column, label)
    if len({value for value in label if value is not None}) < 2:
        assert profile.findings.classes == []
        return
    edges = np.array(profile.histogram.edges)
    for found in profile.findings.classes:
        mine = [value for value, name in zip(column.to_pylist(), label, strict=True) if name == found.name]
        known = [value for value in mine if value is not None and value == value and abs(value) != float("inf")]
        gone = sum(value is None or value != value for value in mine)
        assert found.missing == gone
        if profile.present and len(known) + gone == len(mine):
            assert found.rows == len(mine)
        if known and profile.findings.infinite == 0:
            size = max(1.0, max(abs(float(value)) for value in column.drop_null().to_pylist()))
            assert found.mean == pytest.approx(np.mean([float(value) for value in known]), abs=1e-7 * size)
        if len(edges):
            inside = [value for value in known if edges[0] <= value <= edges[-1]]
            ends = [*edges[:-1].tolist(), np.nextafter(edges[-1], np.inf)]
            counts = [sum(low <= value < high for value in inside) for low, high in pairwise(ends)]
            assert profile.histogram.by_class[found.name] == counts


@st.composite
def tailed(draw: st.DrawFn) -> pa.Array:
    """Draw a column with values far from the others, some of them more often than they are listed."""
    inner = draw(st.lists(st.one_of(st.integers(0, 9), st.none()), min_size=20, max_size=80))
    far = draw(st.lists(st.one_of(st.integers(-99, -90), st.integers(90, 99)), min_size=1, max_size=14))
    kind = draw(st.sampled_from([pa.int16(), pa.float64(), pa.int64()]))
    scale = 10**13 if kind == pa.int64() else 1  # too wide to be counted
    values = [None if value is None else value * scale for value in draw(st.permutations([*inner, *far]))]
    return pa.array(values, kind)


@given(tailed())
def test_the_farthest_values_name_the_rows_that_hold_them(column: pa.Array) -> None:
    findings, values = profiled(column).findings, column.to_pylist()
    known = [value for value in values if value is not None]
    low = sorted(value for value in known if any(value < rule.low for rule in findings.outliers))
    high = sorted((value for value in known if any(value > rule.high for rule in findings.outliers)), reverse=True)
    assert [extreme.value for extreme in findings.extremes] == [*low[:5], *high[:5]]
    assert [values[extreme.row] for extreme in findings.extremes] == [*low[:5], *high[:5]]
    assert len({extreme.row for extreme in findings.extremes}) == len(findings.extremes)


words = st.sampled_from(["서울", "부산", "Seoul", "", " ", "N1", "a b"])


@given(st.lists(st.one_of(words, st.none()), min_size=1, max_size=60), st.booleans())
def test_words_are_counted_whether_they_come_as_a_dictionary_or_not(column: list[str | None], encoded: bool) -> None:
    array = pa.array(column, pa.string())
    profile = profiled(array.dictionary_encode() if encoded else array)
    held = [value for value in column if value is not None]
    assert (profile.missing, profile.distinct) == (column.count(None), len(set(held)))
    assert (profile.minimum, profile.maximum) == (min(held, default=None), max(held, default=None))
    assert {top.value: top.rows for top in profile.top} == {value: held.count(value) for value in set(held)}
    if held:
        lengths = profile.findings.lengths
        assert lengths is not None
        assert lengths.mean == pytest.approx(np.mean([len(value) for value in held]))
        assert lengths.blank == sum(not value.strip() for value in held)


def test_a_number_as_the_label_gives_its_quarters_from_the_lowest() -> None:
    classes = label_classes(pa.chunked_array([pa.array([*range(100), None])]))
    assert classes is not None
    assert classes.names == ["under 24.75", "24.75 to 49.5", "49.5 to 74.25", "from 74.25"]
    assert classes.rows == [25, 25, 25, 25]
    assert (classes.codes[0], classes.codes[-1]) == (0, -1)


def test_a_number_that_is_mostly_one_value_gives_fewer_classes() -> None:
    classes = label_classes(pa.chunked_array([pa.array([0] * 90 + list(range(1, 31)))]))
    assert classes is not None
    assert dict(zip(classes.names, classes.rows, strict=True)) == {"under 0.25": 90, "from 0.25": 30}
    assert label_classes(pa.chunked_array([pa.array([0.0] * 90)])) is None
