"""The ONNX file of a model: an input a column, the map of every category inside, trees or sums, the label as text.

With double inputs, the usual way, every comparison is LightGBM's own. float32 ones are for consumers that know no
other; there, only a value that becomes one with a threshold by rounding can change an answer of trees. A linear model
adds up as doubles either way.
"""

# onnx is typed in part.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

import math
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.deploy.exports.ensemble import Ensemble, narrowed, narrowed_thresholds
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.models.calibration import LOGIT_ENDS, Points, ProbabilityMap
from lemnis.engine.models.kinds import Task
from lemnis.engine.models.linear import FARTHEST, Effect, LinearModel
from lemnis.engine.text import safe

OPSET, ML_OPSET, IR_VERSION = 21, 5, 10
ML = "ai.onnx.ml"
ASKED = 2048  # rows at once
INNER = "lemnis/"  # how names inside the graph begin, so that none is a column's
OUTPUTS: dict[Task, tuple[str, ...]] = {
    "binary": ("probability", "label"),
    "multiclass": ("probabilities", "label"),
    "regression": ("value",),
}


def onnx_and_runtime() -> tuple[ModuleType, ModuleType]:
    """Return the packages `onnx` and `onnxruntime`; raises Unavailable."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise Unavailable(
            f"ONNX needs the package {error.name}.", "Install it: pip install 'lemnis[onnx]'.", "lemnis[onnx]"
        ) from None
    return onnx, onnxruntime


def onnx_model(
    made: Ensemble | LinearModel,
    signature: Signature,
    facts: dict[str, str],
    *,
    native: "NDArray[np.bool_] | None" = None,
) -> bytes:
    """Return the bytes of the ONNX model.

    Args:
        made: The trees, or the linear model.
        signature: What the model takes and answers.
        facts: Kept in it as texts by name.
        native: For float32 inputs: of each feature whether float32 holds its values; None for double inputs.

    Raises:
        BadInput: A column is called like an output.
        Unavailable: The packages are missing.
    """
    onnx, _ = onnx_and_runtime()
    graph = Graph(onnx, native)
    outputs = OUTPUTS[signature.task]
    if taken := set(outputs) & set(signature.names):
        raise BadInput(f"A feature is called {safe(taken.pop())}, as an output is.", "Export it as a folder.")
    for feature in signature.features:
        graph.take(feature)
    if isinstance(made, LinearModel):
        scores, targets = graph.sums(made, signature.features), len(made.bias)
    else:
        columns = [graph.column(feature) for feature in signature.features]
        scores, targets = graph.trees(graph.add("Concat", columns, axis=1), made), made.targets
    if signature.calibration is not msgspec.UNSET:
        scores = graph.calibrated(scores, signature.calibration)
    graph.name(graph.add("Cast", [scores], to=graph.number), outputs[0], graph.number, targets)
    if signature.task != "regression":
        graph.name(graph.label(scores, signature), outputs[1], onnx.TensorProto.STRING, 1)
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "lemnis", graph.inputs, graph.outputs, graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="lemnis",
    )
    onnx.helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class Graph:
    """An ONNX graph while it is built. Any: nodes and values are messages of protobuf."""

    def __init__(self, onnx: ModuleType, native: "NDArray[np.bool_] | None") -> None:
        self.onnx, self.native, self.float32 = onnx, native, native is not None
        self.number = onnx.TensorProto.FLOAT if self.float32 else onnx.TensorProto.DOUBLE
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Append a node, and return the name of what it gives."""
        result = f"{INNER}{len(self.nodes)}"
        made = self.onnx.helper.make_node(operator, inputs, [result], domain=domain, **attributes)
        self.nodes.append(made)
        return result

    def constant(self, value: NDArray[Any]) -> str:
        """Append a constant, and return its name."""
        name = f"{INNER}constant {len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(value, name))
        return name

    def tensor(self, values: NDArray[Any]) -> Any:
        """Return numbers as the graph's own type of them."""
        return self.onnx.numpy_helper.from_array(narrowed(values) if self.float32 else values)

    def name(self, value: str, called: str, kind: int, width: int) -> None:
        """Make a value an output of shape (rows, width)."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [called]))
        self.outputs.append(self.onnx.helper.make_tensor_value_info(called, kind, ["rows", width]))

    def take(self, feature: Feature) -> None:
        """Append the input of a feature, shape (rows, 1)."""
        kind = self.onnx.TensorProto.STRING if feature.kind == "categorical" else self.number
        self.inputs.append(self.onnx.helper.make_tensor_value_info(feature.name, kind, ["rows", 1]))

    def column(self, feature: Feature) -> str:
        """Return the numbers of a feature's input: a category's code, NaN for none."""
        if feature.kind != "categorical":
            return feature.name
        places = [float(place) for place in range(len(known_texts(feature)))]
        codes = self.coded(feature, values_floats=places, default_float=math.nan)
        return codes if self.float32 else self.add("Cast", [codes], to=self.number)

    def coded(self, feature: Feature, **values: Any) -> str:
        """Append what stands for each text of a feature's input."""
        return self.add("LabelEncoder", [feature.name], ML, keys_strings=known_texts(feature), **values)

    def trees(self, matrix: str, ensemble: Ensemble) -> str:
        """Append the trees and what makes answers of their sums, shape (rows, targets)."""
        splits = np.array(ensemble.splits)
        if self.native is not None:
            splits = narrowed_thresholds(splits, self.native[ensemble.features])
        attributes: dict[str, Any] = {
            "aggregate_function": 1,  # the sum
            "n_targets": ensemble.targets,
            "post_transform": 0,
            "tree_roots": ensemble.roots,
            "nodes_featureids": ensemble.features,
            "nodes_modes": self.onnx.numpy_helper.from_array(np.array(ensemble.modes, np.uint8)),
            "nodes_splits": self.tensor(splits),
            "nodes_missing_value_tracks_true": ensemble.missing_true,
            "nodes_truenodeids": ensemble.children[0],
            "nodes_falsenodeids": ensemble.children[1],
            "nodes_trueleafs": ensemble.ends[0],
            "nodes_falseleafs": ensemble.ends[1],
            "leaf_targetids": ensemble.leaf_targets,
            "leaf_weights": self.tensor(np.array(ensemble.leaves)),
        }
        if ensemble.members:
            attributes["membership_values"] = self.tensor(np.array(ensemble.members))
        scores = self.add("TreeEnsemble", [matrix], ML, **attributes)
        if ensemble.scale != 1 and ensemble.transform == "sigmoid":
            kind = np.float32 if self.float32 else np.float64
            scores = self.add("Mul", [scores, self.constant(np.array([ensemble.scale], kind))])
        if ensemble.transform == "softmax":
            return self.add("Softmax", [scores], axis=1)
        return scores if ensemble.transform == "none" else self.add(ensemble.transform.capitalize(), [scores])

    def sums(self, model: LinearModel, features: list[Feature]) -> str:
        """Append what a linear model adds up and its link, as doubles, shape (rows, outputs)."""
        pairs = list(zip(features, model.effects, strict=True))
        numbers = [pair for pair in pairs if pair[0].kind != "categorical"]
        parts = [self.slopes(numbers)] if numbers else []
        for feature, effect in (pair for pair in pairs if pair[0].kind == "categorical"):
            count = len(known_texts(feature))
            known = effect.each[:count]
            table = np.array([*known, *[effect.missing] * (count + 1 - len(known))])  # the last for any other text
            place = self.coded(feature, values_int64s=list(range(count)), default_int64=count)
            parts.append(self.add("Gather", [self.constant(table), place]))
        added = self.add("Concat", parts, axis=1)  # (rows, features, outputs)
        total = self.add("ReduceSum", [added, self.constant(np.array([1]))], keepdims=0)
        raw = self.add("Add", [total, self.constant(np.array(model.bias))])
        if model.link == "softmax":
            return self.add("Softmax", [raw], axis=1)
        return raw if model.link == "identity" else self.add("Sigmoid", [raw])

    def slopes(self, numbers: list[tuple[Feature, Effect]]) -> str:
        """Append what numbers add, shape (rows, features, outputs); one that is not finite is none."""
        effects = [effect for _, effect in numbers]
        none = [0.0] * len(effects[0].missing)
        slope = self.constant(np.array([effect.slope or none for effect in effects]))
        base = self.constant(np.array([effect.base if effect.slope else effect.missing for effect in effects]))
        centre = self.constant(np.array([[effect.centre] for effect in effects]))
        missing = self.constant(np.array([effect.missing for effect in effects]))
        zero, most, last = (self.constant(np.array(value)) for value in (0.0, np.finfo(np.float64).max, [2]))
        matrix = self.add("Concat", [feature.name for feature, _ in numbers], axis=1)
        said = self.add("Unsqueeze", [self.add("Cast", [matrix], to=self.onnx.TensorProto.DOUBLE), last])
        known = self.add("LessOrEqual", [self.add("Abs", [said]), most])
        away = self.add("Sub", [self.add("Where", [known, said, zero]), centre])
        value = self.add("Add", [base, self.add("Mul", [slope, away])])
        held = self.add("Clip", [value, *(self.constant(np.array(end)) for end in (-FARTHEST, FARTHEST))])
        return self.add("Where", [known, held, missing])

    def calibrated(self, scores: str, kept: ProbabilityMap) -> str:
        """Append what a version's map makes of its probabilities, as doubles, shape (rows, targets)."""
        said = self.add("Cast", [scores], to=self.onnx.TensorProto.DOUBLE)
        if kept.method == "temperature":
            logs = self.add("Log", [self.add("Max", [said, self.constant(np.array(LOGIT_ENDS))])])
            return self.add("Softmax", [self.add("Div", [logs, self.constant(np.array(kept.points[0]))])], axis=1)
        if kept.method == "platt":
            ends = [self.constant(np.array(end)) for end in (LOGIT_ENDS, 1 - LOGIT_ENDS)]
            held = self.add("Clip", [said, *ends])
            against = self.add("Log", [self.add("Sub", [self.constant(np.array([1.0])), held])])
            odds = self.add("Sub", [self.add("Log", [held]), against])
            slope, offset = (self.constant(np.array([value])) for value in kept.points[0])
            return self.add("Sigmoid", [self.add("Add", [self.add("Mul", [odds, slope]), offset])])
        if not kept.classes:
            return self.between(said, kept.points)
        columns = [self.add("Gather", [said, self.constant(np.array([at]))], axis=1) for at in range(len(kept.classes))]
        parts = [self.between(column, points) for column, points in zip(columns, kept.classes, strict=True)]
        better = self.add("Concat", parts, axis=1)
        return self.add("Div", [better, self.add("ReduceSum", [better, self.constant(np.array([1]))], keepdims=1)])

    def between(self, said: str, points: Points) -> str:
        """Append the straight lines between points, level beyond both ends, of values of shape (rows, 1)."""
        low, base = np.array(points).T
        rise, width = (
            np.diff(base, prepend=base[0], append=base[-1]),
            np.diff(low, prepend=low[0] - 1, append=low[-1] + 1),
        )
        above = self.add("GreaterOrEqual", [said, self.constant(low[None, :])])
        count = self.add("Cast", [above], to=self.onnx.TensorProto.INT64)
        place = self.add("ReduceSum", [count, self.constant(np.array([1]))], keepdims=1)
        from_low, from_base, by, over = (
            self.add("Gather", [self.constant(np.asarray(table)), place])
            for table in (np.concatenate([low[:1], low]), np.concatenate([base[:1], base]), rise, width)
        )
        along = self.add("Div", [self.add("Mul", [by, self.add("Sub", [said, from_low])]), over])
        return self.add("Add", [from_base, along])

    def label(self, scores: str, signature: Signature) -> str:
        """Append the choice of a class, shape (rows, 1)."""
        classes = signature.classes or ["0", "1"]
        if signature.task == "binary":
            doubles = self.add("Cast", [scores], to=self.onnx.TensorProto.DOUBLE)
            enough = self.add("GreaterOrEqual", [doubles, self.constant(np.array([signature.threshold]))])
            place = self.add("Cast", [enough], to=self.onnx.TensorProto.INT64)
        else:
            place = self.add("ArgMax", [scores], axis=1, keepdims=1)
        return self.add("LabelEncoder", [place], ML, keys_int64s=list(range(len(classes))), values_strings=classes)


def known_texts(feature: Feature) -> list[str]:
    """Return the categories of a feature; a text that nobody sends where there are none, because a map needs one."""
    return feature.categories or ["\x00"]


def onnx_answers(
    model: bytes, signature: Signature, rows: NDArray[np.float64], *, cores: int = 1
) -> tuple[NDArray[np.float64], list[str]]:
    """Return what onnxruntime answers: scores of shape (rows, outputs), and labels, none for regression.

    Args:
        model: Of `onnx_model`.
        signature: The model's.
        rows: As the model takes them; codes are handed over as the texts they stand for.
        cores: Threads.
    """
    _, runtime = onnx_and_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = cores, 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = {one.name: one.type for one in session.get_inputs()}
    parts = [session.run(None, inputs(signature, wanted, rows[at : at + ASKED])) for at in range(0, len(rows), ASKED)]
    scores = np.concatenate(
        [np.asarray(part[0], dtype=np.float64).reshape(-1, np.shape(part[0])[-1]) for part in parts]
    )
    if signature.task == "regression":
        return scores, []
    return scores, [str(label) for part in parts for label in np.asarray(part[1])[:, 0]]


def inputs(signature: Signature, wanted: dict[str, str], rows: NDArray[np.float64]) -> dict[str, Any]:
    """Return rows as the inputs of a model. Any: NumPy columns of texts or of numbers.

    Args:
        signature: The model's.
        wanted: The type of each input, as onnxruntime names it.
        rows: As the model takes them.
    """
    given: dict[str, Any] = {}
    for place, feature in enumerate(signature.features):
        column = rows[:, place]
        if feature.kind == "categorical":
            other = next(text for text in ("", "\x01") if text not in feature.categories)
            texts = np.array([*feature.categories, other], dtype=object)
            codes = np.where(np.isnan(column), len(feature.categories), column).astype(np.int64)
            given[feature.name] = texts[codes][:, None]
        else:
            kind = np.float32 if wanted[feature.name] == "tensor(float)" else np.float64
            with np.errstate(over="ignore"):
                given[feature.name] = column.astype(kind)[:, None]
    return given
