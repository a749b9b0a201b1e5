"""The feature pipeline: training and serving must see the same numbers."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.features.matrix import (
    Signature,
    encode_columns,
    encode_rows,
    encode_table,
    fit_signature,
    labelled,
    target_value,
    target_vector,
)

TYPES = {"wind": pa.float64(), "seats": pa.int32(), "carrier": pa.string(), "holiday": pa.bool_(), "late": pa.bool_()}
FEATURES = ["wind", "seats", "carrier", "holiday"]

rows = st.fixed_dictionaries(
    {
        "wind": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "seats": st.none() | st.integers(-(2**31), 2**31 - 1),
        "carrier": st.none() | st.sampled_from(["UA", "B6", "", "[b]", "日本", "ZZ"]) | st.text(max_size=3),
        "holiday": st.none() | st.booleans(),
        "late": st.booleans(),
    }
)


def table(of: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in of], type=kind) for name, kind in TYPES.items()})


def flights() -> pa.Table:
    return table(
        [
            {"wind": 3.5, "seats": 140, "carrier": "UA", "holiday": False, "late": True},
            {"wind": None, "seats": 55, "carrier": "B6", "holiday": True, "late": False},
            {"wind": 20.0, "seats": None, "carrier": None, "holiday": None, "late": None},
        ]
    )


def signature() -> Signature:
    return fit_signature(flights(), FEATURES, task="binary", target="late", threshold=0.4)


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=20), st.lists(rows, min_size=1, max_size=20))
def test_a_table_its_rows_and_its_columns_give_the_same_matrix(
    seen: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> None:
    fitted = fit_signature(table(seen), FEATURES, task="binary", target="late")
    expected = encode_table(table(asked), fitted)
    np.testing.assert_array_equal(encode_rows(asked, fitted), expected)
    np.testing.assert_array_equal(
        encode_columns({name: [row[name] for row in asked] for name in FEATURES}, fitted), expected
    )
    for place, row in enumerate(asked):
        np.testing.assert_array_equal(encode_rows([row], fitted)[0], expected[place])


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=30))
def test_a_signature_survives_its_file(tmp_path_factory: pytest.TempPathFactory, seen: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("signature") / "signature.json"
    fitted = fit_signature(table(seen), FEATURES, task="binary", target="late")
    fitted.save(path)
    assert Signature.load(path) == fitted


def test_categories_are_places_and_unknown_ones_are_missing() -> None:
    matrix = encode_rows(
        [{"wind": 1, "seats": 2, "carrier": code, "holiday": True} for code in ("B6", "UA", "XX")], signature()
    )
    np.testing.assert_array_equal(matrix[:, 2], [0.0, 1.0, math.nan])
    assert matrix[0, 3] == 1.0


def test_a_feature_knows_its_training_range() -> None:
    wind, seats, carrier, holiday = signature().features
    assert (wind.low, wind.high, wind.nullable) == (3.5, 20.0, True)
    assert (seats.low, seats.high) == (55.0, 140.0)
    assert (carrier.kind, carrier.categories) == ("categorical", ["B6", "UA"])
    assert holiday.logical
    assert signature().categorical == [2]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("wind", "3.5"),
        ("wind", True),
        ("wind", math.nan),
        ("wind", math.inf),
        ("wind", -math.inf),
        ("wind", 10**400),
        ("wind", [1.0]),
        ("carrier", 7),
        ("carrier", False),
        ("carrier", {"a": 1}),
        ("holiday", 1),
        ("holiday", "true"),
    ],
)
def test_a_wrong_value_is_refused_with_its_row_and_column(column: str, value: object) -> None:
    good: dict[str, object] = {"wind": 1.0, "seats": 1, "carrier": "UA", "holiday": None}
    with pytest.raises(BadInput) as refused:
        encode_rows([good, good | {column: value}], signature())
    assert column in refused.value.problem
    assert refused.value.place == f"row 1, {column}"
    columns = {name: [good[name], (good | {column: value})[name]] for name in good}
    with pytest.raises(BadInput) as refused:
        encode_columns(columns, signature())
    assert refused.value.place == f"row 1, {column}"


def test_an_absent_feature_is_refused_and_null_is_not() -> None:
    with pytest.raises(BadInput, match="seats is absent"):
        encode_rows([{"wind": 1.0, "carrier": "UA", "holiday": None}], signature())
    with pytest.raises(BadInput, match="seats is absent"):
        encode_columns({"wind": [1.0]}, signature())
    assert np.isnan(encode_rows([dict.fromkeys(FEATURES)], signature())).all()


def test_hostile_text_in_a_refusal_is_harmless() -> None:
    with pytest.raises(BadInput) as refused:
        encode_rows([{"wind": "\x1b[31m", "seats": 1, "carrier": "UA", "holiday": None}], signature())
    assert "\x1b" not in refused.value.problem


def test_tensors_are_columns_too() -> None:
    columns = {
        "wind": np.array([1.5, math.nan], dtype=np.float32),
        "seats": np.array([3, 4], dtype=np.int64),
        "carrier": np.array(["UA", None], dtype=object),
        "holiday": np.array([True, False]),
    }
    matrix = encode_columns(columns, signature())
    np.testing.assert_array_equal(matrix, [[1.5, 3, 1, 1], [math.nan, 4, math.nan, 0]])
    with pytest.raises(BadInput, match="wind"):
        encode_columns(columns | {"wind": np.array([math.inf, 0.0])}, signature())
    with pytest.raises(BadInput, match="differ in length"):
        encode_columns(columns | {"wind": np.array([1.0])}, signature())


def test_a_column_of_another_type_is_refused() -> None:
    other = flights().set_column(0, "wind", pa.array(["a", "b", "c"]))
    with pytest.raises(BadInput, match="trained with numbers"):
        encode_table(other, signature())
    with pytest.raises(BadInput, match="trained with text"):
        encode_table(flights().set_column(2, "carrier", pa.array([1, 2, 3])), signature())
    with pytest.raises(NotFound, match="no column wind"):
        encode_table(flights().drop_columns(["wind"]), signature())


def test_times_are_no_features() -> None:
    when = flights().append_column("when", pa.array([0, 1, 2], pa.timestamp("ms")))
    with pytest.raises(BadInput, match="no feature"):
        fit_signature(when, ["when"], task="binary", target="late")


def test_the_target_is_no_feature() -> None:
    with pytest.raises(BadInput, match="is the target"):
        fit_signature(flights(), ["late"], task="binary", target="late")


def test_rows_without_an_answer_are_left_out_of_training() -> None:
    np.testing.assert_array_equal(target_vector(flights(), signature()), [1.0, 0.0, math.nan])
    kept, target = labelled(flights(), signature())
    assert kept.num_rows == 2
    np.testing.assert_array_equal(target, [1.0, 0.0])


def test_classes_have_a_place_and_an_unknown_answer_is_refused() -> None:
    colours = pa.table({"x": [1, 2, 3], "colour": ["red", "blue", "red"]})
    fitted = fit_signature(colours, ["x"], task="multiclass", target="colour")
    assert fitted.classes == ["blue", "red"]
    assert target_value("red", fitted) == 1.0
    with pytest.raises(BadInput, match="no value of colour"):
        target_value("green", fitted)
    assert [target_value(answer, signature()) for answer in (True, 0, "false", 1.0)] == [1.0, 0.0, 0.0, 1.0]


def test_a_target_that_does_not_suit_the_task_is_refused() -> None:
    with pytest.raises(BadInput, match="3 distinct values"):
        fit_signature(pa.table({"x": [1, 2, 3], "y": [1, 2, 3]}), ["x"], task="binary", target="y")
    with pytest.raises(BadInput, match="regression needs a number"):
        fit_signature(flights(), ["wind"], task="regression", target="carrier")
