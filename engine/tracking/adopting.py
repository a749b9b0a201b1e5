"""Taking over a LightGBM model that a client registered: a version of Lemnis, once the modelbox has asked it.

What it takes comes from the signature that the client logged with it; its golden rows are made of the ranges that the
model's own text gives, with missing values and every category. Nothing is unpickled.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.deploy import registry
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.records import Golden, ModelVersion
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.experiments.tracked import find_run
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.files import sha256_of
from lemnis.engine.models.kinds import Task
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import artifacts, clients, versions

LARGEST = 1 << 30  # bytes of a model's text
NUMBERS = ("double", "float", "long", "integer")
TASKS: dict[str, Task] = {"binary": "binary", "cross_entropy": "binary", "multiclass": "multiclass"}
RANGE = re.compile(r"\[([^:\]]+):([^\]]+)\]")
PANDAS = "pandas_categorical:"


def adopt(store: Store, name: str, number: int, model: str, *, who: str, why: str) -> ModelVersion:
    """Make a client's version the next version of a model of Lemnis, which can be promoted and served.

    Args:
        store: The workspace's.
        name: The registered model of the client.
        number: Its version.
        model: What it is called here; another name than any client's.
        who: Who takes it over.
        why: Why; kept with the version.

    Raises:
        NotFound: There is no such version or run.
        BadInput: It is no LightGBM text with a signature, or the modelbox refuses it.
        Unavailable: PyYAML is missing.
    """
    row = versions.row_of(store, name, str(number))
    if store.row("select 1 from registered_models where name = ?", [model]) is not None:
        raise BadInput(f"A client's model is called {safe(model)}.", "Give it another name here.")
    text = clients.mlmodel_text(store, name, number)
    if "lightgbm" not in clients.flavours_of(text) or clients.BOOSTER not in text:
        why_not = clients.reason(clients.flavours_of(text), text).removeprefix("not served here: ")
        raise BadInput(f"{safe(name)} {number} can't be taken over: {why_not}.", "Only LightGBM's own text can.")
    described = parsed(text)
    inside = str(described["flavors"]["lightgbm"].get("data") or "model.lgb")
    file = artifacts.below(clients.folder_of(store, name, number), artifacts.parts_of(inside))
    run = find_run(store, row["run_uid"])
    signature = signature_of(described, head_of(file))
    sha256 = sha256_of(file)
    path = registry.keep_file(store, file, sha256)
    rows = golden_rows(signature)
    golden = Golden(rows=rows, answers=ask_model(path, sha256, signature, rows))
    return registry.add(store, model, run.id, (path, sha256), signature, golden, who=who, why=why)


def parsed(text: str) -> dict[str, Any]:
    """Return an MLmodel. Any: values of every kind."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise Unavailable(
            "Reading an MLmodel needs PyYAML.", "Install it with `pip install 'lemnis[mlflow]'`."
        ) from None
    try:
        found: Any = yaml.safe_load(text)
        if isinstance(found["flavors"]["lightgbm"], dict):
            return found
    except (yaml.YAMLError, TypeError, KeyError, RecursionError):
        pass
    raise BadInput("Its MLmodel can't be read.", "Log the model again.")


def head_of(file: Path) -> dict[str, str]:
    """Return the facts of a model's text: what stands before its first tree, and the categories behind the last."""
    if not file.is_file() or file.stat().st_size > LARGEST:
        raise BadInput("The model's file is not here, or too large.", "Log the model again.")
    facts: dict[str, str] = {}
    with open(file, encoding="utf-8", errors="replace") as lines:
        trees = False
        for line in lines:
            trees = trees or line.startswith("Tree=")
            if line.startswith(PANDAS):
                facts[PANDAS] = line.removeprefix(PANDAS).strip()
            elif not trees and "=" in line:
                key, _, value = line.strip().partition("=")
                facts[key] = value
    return facts


def signature_of(described: dict[str, Any], facts: dict[str, str]) -> Signature:
    """Return what a client's model takes and answers. Any: values of every kind.

    Raises:
        BadInput: It was logged without a signature, or with one that is no table of numbers, texts and truth values.
    """
    try:
        columns = msgspec.json.decode(described["signature"]["inputs"], type=list[dict[str, Any]])
        categories = iter(msgspec.json.decode(facts.get(PANDAS) or "[]", type=list[list[str]] | None) or [])
        ranges = facts["feature_infos"].split()
        features = [feature_of(column, text, categories) for column, text in zip(columns, ranges, strict=True)]
        objective = facts.get("objective", "regression").split()
    except (KeyError, TypeError, ValueError, StopIteration, msgspec.DecodeError):
        raise BadInput(
            "The model has no signature that names its columns, or one that does not fit it.",
            "Log it with `signature=` or `input_example=`, its texts as pandas categories.",
        ) from None
    task = TASKS.get(objective[0], "regression")
    classes = ["0", "1"] if task == "binary" else []
    if task == "multiclass":
        count = next(int(word.partition(":")[2]) for word in objective if word.startswith("num_class:"))
        classes = [str(place) for place in range(count)]
    return Signature(features=features, task=task, target="target", classes=classes)


def feature_of(column: dict[str, Any], text: str, categories: Any) -> Feature:
    """Return one feature; raises ValueError for a kind that no feature has. Any: JSON values, an iterator of lists."""
    name, kind = str(column["name"]), column["type"]
    if kind == "string":
        return Feature(name=name, kind="categorical", categories=next(categories), nullable=True)
    if kind not in (*NUMBERS, "boolean"):
        raise ValueError(kind)
    found = RANGE.fullmatch(text)
    low, high = (float(found[1]), float(found[2])) if found else (None, None)
    return Feature(name=name, kind="numeric", low=low, high=high, nullable=True, logical=kind == "boolean")


def golden_rows(signature: Signature) -> list[dict[str, Any]]:
    """Return rows of what each feature can be: none, its ends and between, every category. Any: request values."""
    choices: list[list[Any]] = []
    for feature in signature.features:
        if feature.kind == "categorical":
            choices.append([None, *feature.categories[:30]])
        elif feature.logical:
            choices.append([True, False, None])
        else:
            low, high = feature.low or 0.0, feature.high or 0.0
            choices.append([low, None, high, *(low + (high - low) * part / 8 for part in range(1, 8))])
    count = min(64, max(map(len, choices)) * 2)
    return [
        {
            feature.name: options[(row * (2 * place + 1) + place) % len(options)]
            for place, (feature, options) in enumerate(zip(signature.features, choices, strict=True))
        }
        for row in range(count)
    ]
