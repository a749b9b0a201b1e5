"""A LightGBM model's trees as the arrays of ONNX's TreeEnsemble, with every comparison as LightGBM makes it.

Source: ONNX, ai.onnx.ml TreeEnsemble 5; LightGBM, include/LightGBM/tree.h (NumericalDecision, CategoricalDecision).
"""

import math
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput

ZERO = float(np.float32(1e-35))  # kZeroThreshold: LightGBM takes what is not beyond it for 0
AT_MOST, MEMBER = 0, 6  # TreeEnsemble's modes: x <= split, x in a set
TRANSFORMS = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "sigmoid",
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "none"),
}
Node = dict[str, Any]  # a tree as LightGBM's dump has it: texts, numbers and nodes


class Ensemble:
    """Trees in arrays, one entry a node or a leaf."""

    def __init__(self, dump: Node) -> None:
        """Read the dump of a model, `Booster.dump_model()`.

        Raises:
            BadInput: It has what no ONNX operator can do.
        """
        self.targets = int(dump["num_tree_per_iteration"])
        self.transform, self.scale = transform_of(str(dump.get("objective", "")))
        self.roots: list[int] = []
        self.features: list[int] = []
        self.modes: list[int] = []
        self.splits: list[float] = []
        self.missing_true: list[int] = []
        self.children: tuple[list[int], list[int]] = ([], [])  # true and false: a node's or a leaf's place
        self.ends: tuple[list[int], list[int]] = ([], [])  # 1 where that child is a leaf
        self.leaves: list[float] = []
        self.leaf_targets: list[int] = []
        self.members: list[float] = []  # the sets of MEMBER nodes in their order, each ended by NaN
        trees: list[Node] = dump["tree_info"]
        shares = len(trees) // self.targets if dump.get("average_output") else 1
        for place, tree in enumerate(trees):
            self.roots.append(len(self.features))
            self._tree(tree["tree_structure"], place % self.targets, shares)

    @classmethod
    def read(cls, text: str) -> "Ensemble":
        """Return the trees of a trusted model text; raises BadInput."""
        from lemnis.engine.trees import lightgbm

        return cls(lightgbm.Booster(model_str=text).dump_model())

    def _tree(self, root: Node, target: int, shares: int) -> None:
        if "split_feature" not in root:  # a lone leaf is a node whose children are that leaf
            self._node(0, AT_MOST, 0.0, missing_true=1)
            leaf = self._leaf(root, target, shares)
            for side in (0, 1):
                self.children[side][-1], self.ends[side][-1] = leaf, 1
            return
        waiting: list[tuple[Node, int, int]] = [(root, -1, 0)]  # a node, its parent and on which side of it
        while waiting:
            node, parent, side = waiting.pop()
            place = len(self.features)
            if parent >= 0:
                self.children[side][parent] = place
            self._split(node)
            for other, child in enumerate((node["left_child"], node["right_child"])):
                if "split_feature" in child:
                    waiting.append((child, place, other))
                else:
                    self.children[other][place], self.ends[other][place] = self._leaf(child, target, shares), 1

    def _split(self, node: Node) -> None:
        feature, missing = int(node["split_feature"]), str(node["missing_type"])
        if node["decision_type"] == "==":
            self._node(feature, MEMBER, 0.0, missing_true=0)  # LightGBM: no category, so in no set
            self.members += [*map(float, str(node["threshold"]).split("||")), math.nan]
            return
        if missing == "Zero":
            raise BadInput(
                "The model was trained with zero_as_missing, which ONNX has no word for.", "Export it as a folder."
            )
        threshold = float(node["threshold"])
        # Without a value LightGBM takes the branch it learned, or 0 where training had no missing ones.
        left = bool(node["default_left"]) if missing == "NaN" else threshold >= 0
        self._node(feature, AT_MOST, beside_zero(threshold), missing_true=int(left))

    def _node(self, feature: int, mode: int, split: float, *, missing_true: int) -> None:
        self.features.append(feature)
        self.modes.append(mode)
        self.splits.append(split)
        self.missing_true.append(missing_true)
        for side in (0, 1):
            self.children[side].append(0)
            self.ends[side].append(0)

    def _leaf(self, leaf: Node, target: int, shares: int) -> int:
        if "leaf_const" in leaf:
            raise BadInput("The model has linear trees, which ONNX has no operator for.", "Export it as a folder.")
        self.leaves.append(float(leaf["leaf_value"]) / shares)
        self.leaf_targets.append(target)
        return len(self.leaves) - 1

    def thresholds(self, feature: int) -> NDArray[np.float64]:
        """Return every number that a feature is compared with, sorted."""
        found = {
            split
            for split, at, mode in zip(self.splits, self.features, self.modes, strict=True)
            if at == feature and mode == AT_MOST and split < math.inf
        }
        return np.array(sorted(found))


def beside_zero(threshold: float) -> float:
    """Return a threshold so that what is as near to 0 as LightGBM's ZERO compares like 0, as LightGBM has it."""
    if -ZERO <= threshold < 0:
        return math.nextafter(-ZERO, -math.inf)
    return ZERO if 0 <= threshold <= ZERO else threshold


def transform_of(objective: str) -> tuple[str, float]:
    """Return what an objective makes of the raw score, and the factor before it; raises BadInput."""
    name, *settings = objective.split() or [""]
    known = TRANSFORMS.get(name)
    if known is None or "sqrt" in settings:
        raise BadInput(f"The objective {objective!r} can't be written as ONNX.", "Export it as a folder.")
    factor = next((float(one.partition(":")[2]) for one in settings if one.startswith("sigmoid:")), 1.0)
    return known, factor


def narrowed(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers as float32."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def native_features(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each feature whether float32 holds every number of these rows."""
    return ((narrowed(rows) == rows) | np.isnan(rows)).all(axis=0)


def narrowed_thresholds(thresholds: NDArray[np.float64], native: "NDArray[np.bool_] | bool") -> NDArray[np.float32]:
    """Return thresholds for values that are float32.

    Where the values always were (`native`), they are rounded down: every value then compares as before. Where values
    are rounded, the thresholds are rounded alike: x <= threshold stays true, and becomes true where both are made one.
    """
    near = narrowed(thresholds)
    lower = np.nextafter(near, np.float32(-np.inf))
    return np.where(native & (near > thresholds), lower, near).astype(np.float32)


def narrowed_text(text: str, native: NDArray[np.bool_]) -> str:
    """Return a model's text with every threshold as `narrowed_thresholds` has it, for who knows float32 alone."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("tree_sizes=")]
    features = np.empty(0, dtype=np.int64)
    for place, line in enumerate(lines):
        name, _, numbers = line.partition("=")
        if name == "split_feature":
            features = np.array(numbers.split(), dtype=np.int64)
        elif name == "threshold":
            exact = np.array(numbers.split(), dtype=np.float64)
            near = narrowed_thresholds(exact, native[features]).astype(np.float64)
            kept = np.where(np.isfinite(near), near, exact).tolist()
            lines[place] = f"threshold={' '.join(map(repr, kept))}\n"
    return "".join(lines)


class Harm(Struct, frozen=True, kw_only=True):
    """What rounding to float32 does to one feature: rows that change side of a threshold."""

    feature: str
    rows: int
    example: float


def harmed(ensemble: Ensemble, names: list[str], rows: NDArray[np.float64]) -> list[Harm]:
    """Return the features whose float32 rounding crosses a threshold in some rows, the most rows first."""
    found: list[Harm] = []
    native = native_features(rows)
    for place, name in enumerate(names):
        column, thresholds = rows[:, place], ensemble.thresholds(place)
        near = narrowed_thresholds(thresholds, bool(native[place]))
        crossed = np.searchsorted(thresholds, column) != np.searchsorted(near, narrowed(column))
        crossed &= np.isfinite(column)
        if crossed.any():
            first = float(column[int(crossed.argmax())])
            found.append(Harm(feature=name, rows=int(crossed.sum()), example=first))
    return sorted(found, key=lambda harm: -harm.rows)
