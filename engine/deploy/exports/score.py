"""Answers of one model without Lemnis: rows in CSV or JSON lines in, the same rows with the model's answers out.

    python score.py rows.csv -o answered.csv        score a file; - is standard input, answers go to standard output
    python score.py --check                         answer the golden rows; ends with 1 if an answer is another one
    python score.py --serve 8080                    answer over HTTP as KServe's V1 protocol asks

It needs NumPy, for trees LightGBM too, and beside it model.txt, signature.json and golden.json. A category that
training did not see counts as no value; a value of the wrong kind is refused with its row and column.
"""

import argparse
import csv
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

BATCH_ROWS = 10_000
TOLERANCE = 1e-9
LINEAR = "lemnis linear 1\n"  # the first line of a linear model; what follows is JSON
LOGIT_ENDS = 1e-12  # probabilities nearer to 0 or 1 count as this near
FARTHEST = 1e100  # one feature of a linear model never adds more than this
LARGEST_BODY = 64 << 20  # bytes of a request
NAN = math.nan
MISSING: Any = object()  # a cell that is not there at all; Any: it stands where values of any kind do
Row = Mapping[str, Any]  # Any: what JSON or a CSV can hold, judged by the signature


class Refused(ValueError):
    """A row can't be read; the message names it."""


class Linear:
    """A linear model, or a constant: the raw score is a bias and what each feature adds, a line or by category."""

    def __init__(self, text: str) -> None:
        """Read the model from its file's text."""
        document = json.loads(text.removeprefix(LINEAR))
        self.link, self.bias = document["link"], np.array(document["bias"])
        self.effects: list[dict[str, Any]] = document["effects"]

    def added(self, effect: Mapping[str, Any], column: Any) -> Any:
        """Return what one feature adds to the raw scores, shape (rows, outputs)."""
        known, missing = np.isfinite(column), np.array(effect["missing"])
        if each := effect["each"]:
            known &= (column >= 0) & (column < len(each))
            return np.array([*each, missing])[np.where(known, column, len(each)).astype(np.int64)]
        if not effect["slope"]:
            return missing
        away = np.where(known, column, 0.0)[:, None] - effect["centre"]
        with np.errstate(over="ignore"):
            value = np.clip(np.array(effect["base"]) + np.array(effect["slope"]) * away, -FARTHEST, FARTHEST)
        return np.where(known[:, None], value, missing)

    def predict(self, matrix: Any) -> Any:
        """Return the scores of encoded rows, shape (rows, outputs)."""
        raw = np.tile(self.bias, (len(matrix), 1))
        for place, effect in enumerate(self.effects):
            raw += self.added(effect, matrix[:, place])
        if self.link == "identity":
            return raw
        if self.link == "logistic":
            return 1 / (1 + np.exp(-np.clip(raw, -700, 700)))
        grown = np.exp(raw - raw.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True)


def calibrated(scores: Any, kept: Mapping[str, Any]) -> Any:
    """Return scores, shape (rows, outputs), as the map that is kept with the version makes them."""
    points, classes = kept.get("points", []), kept.get("classes", [])
    if kept["method"] == "temperature":
        logs = np.log(np.maximum(scores, LOGIT_ENDS)) / points[0][0]
        grown = np.exp(logs - logs.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True)
    if kept["method"] == "platt":
        held = np.clip(scores, LOGIT_ENDS, 1 - LOGIT_ENDS)
        odds = points[0][0] * (np.log(held) - np.log1p(-held)) + points[0][1]
        return 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
    mapped: list[Any] = [
        np.interp(column, *np.array(part).T) for part, column in zip(classes or [points], scores.T, strict=True)
    ]
    better: Any = np.column_stack(mapped)
    return better / better.sum(axis=1, keepdims=True) if classes else better


class Scorer:
    """One model in memory."""

    def __init__(self, folder: Path) -> None:
        """Load the model, and its signature with the map of every category."""
        self.signature: dict[str, Any] = json.loads((folder / "signature.json").read_text("utf-8"))
        self.features: list[dict[str, Any]] = self.signature["features"]
        self.codes = [{text: float(at) for at, text in enumerate(one.get("categories", []))} for one in self.features]
        text = (folder / "model.txt").read_text("utf-8")
        if text.startswith(LINEAR):
            self.model: Any = Linear(text)  # Any: LightGBM is typed in part
        else:
            import lightgbm

            self.model = lightgbm.Booster(model_str=text)

    @property
    def names(self) -> list[str]:
        """The features, in the model's order."""
        return [str(feature["name"]) for feature in self.features]

    def cell(self, place: int, value: Any, *, text: bool) -> float:
        """Return a value as the model takes it; `text` when it came from a file that has nothing but text."""
        feature = self.features[place]
        if value is None or value != value or (text and value == ""):
            return NAN
        if feature["kind"] == "categorical":
            if isinstance(value, str):
                return self.codes[place].get(value, NAN)
        elif feature.get("logical"):
            found = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}.get(value.lower()) if text else None
            if found is not None or isinstance(value, bool):
                return float(value) if found is None else found
        elif text or (isinstance(value, int | float) and not isinstance(value, bool)):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = NAN
            if math.isfinite(number):
                return number
        wanted = "a text" if feature["kind"] == "categorical" else "true or false" if feature.get("logical") else ""
        raise Refused(f"{value!r} is not {wanted or 'a finite number'}")

    def matrix(self, rows: Sequence[Row], first: int = 0, *, text: bool = False) -> Any:
        """Return rows as the model takes them. Raises Refused, which names row, counted from `first`, and column."""
        matrix = np.empty((len(rows), len(self.features)))
        for number, row in enumerate(rows):
            for place, name in enumerate(self.names):
                try:
                    value = row.get(name, MISSING)
                    if value is MISSING:
                        raise Refused("the column is absent; give it, empty or null where it has no value")
                    matrix[number, place] = self.cell(place, value, text=text)
                except Refused as why:
                    raise Refused(f"row {first + number}, {name}: {why}") from None
        return matrix

    def scores(self, matrix: Any) -> list[list[float]]:
        """Return the scores of each row: one probability, one number, or one probability a class."""
        if not len(matrix):
            return []
        found = np.asarray(self.model.predict(matrix), dtype=np.float64).reshape(len(matrix), -1)
        kept = self.signature.get("calibration")
        return (calibrated(found, kept) if kept else found).tolist()

    def answers(self, scores: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
        """Return what is said of each row: probability and label, or value."""
        task, classes = self.signature["task"], self.signature.get("classes") or ["0", "1"]
        if task == "regression":
            return [{"value": row[0]} for row in scores]
        if task == "binary":
            at = float(self.signature.get("threshold", 0.5))
            return [{"probability": row[0], "label": classes[row[0] >= at]} for row in scores]
        return [
            {f"probability_{name}": score for name, score in zip(classes, row, strict=True)}
            | {"label": classes[max(range(len(row)), key=row.__getitem__)]}
            for row in scores
        ]

    def predict(self, rows: Any, params: Any = None) -> Any:
        """Return the answers to a pandas DataFrame as one; this is what mlflow.pyfunc calls."""
        import pandas

        columns = {
            name: rows[name].astype(object).where(rows[name].notna(), None).tolist()
            for name in self.names
            if name in rows.columns
        }
        asked = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return pandas.DataFrame(self.answers(self.scores(self.matrix(asked))), index=rows.index)


def _load_pyfunc(path: str) -> Scorer:  # pyright: ignore[reportUnusedFunction]  # MLflow calls it by this name
    """Return the model for mlflow.pyfunc."""
    return Scorer(Path(path))


def check(folder: Path) -> str:
    """Answer the golden rows; return what is wrong, empty when every answer is the recorded one."""
    scorer, golden = Scorer(folder), json.loads((folder / "golden.json").read_text("utf-8"))
    scores = scorer.scores(scorer.matrix(golden["rows"]))
    if len(scores) != len(golden["answers"]):
        return f"{len(scores)} of {len(golden['answers'])} golden rows were answered"
    for number, (got, wanted) in enumerate(zip(scores, golden["answers"], strict=True)):
        if len(got) != len(wanted) or not all(abs(a - b) <= TOLERANCE for a, b in zip(got, wanted, strict=True)):
            return f"golden row {number} got {got}, recorded is {wanted}"
    return ""


def read(lines: Iterable[str], *, as_csv: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file."""
    if as_csv:
        for number, row in enumerate(csv.DictReader(lines, restkey="", restval=MISSING)):
            if isinstance(row.get(""), list) or MISSING in row.values():
                raise Refused(f"row {number}: it has more or fewer cells than the first line has names")
            yield row
        return
    for number, line in enumerate(lines):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise Refused(f"row {number}: no JSON: {error}") from None
            if not isinstance(row, dict):
                raise Refused(f"row {number}: no JSON object")
            yield row


def score(scorer: Scorer, source: IO[str], target: IO[str], *, as_csv: bool) -> int:
    """Write every row of a file with its answers behind it, a batch at a time; return the rows."""
    rows, done, writer = read(source, as_csv=as_csv), 0, None
    while batch := list(islice(rows, BATCH_ROWS)):
        answers = scorer.answers(scorer.scores(scorer.matrix(batch, done, text=as_csv)))
        if there := [name for name in answers[0] if name in batch[0]]:
            raise Refused(f"a column {there[0]} is there already; rename it")
        whole = [row | answer for row, answer in zip(batch, answers, strict=True)]
        if as_csv:
            if writer is None:
                writer = csv.DictWriter(target, list(whole[0]), lineterminator="\n")
                writer.writeheader()
            writer.writerows(whole)
        else:
            target.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in whole)
        done += len(batch)
    return done


class Answering(BaseHTTPRequestHandler):
    """KServe's V1 protocol: GET /v1/models/NAME says that it is ready, POST /v1/models/NAME:predict answers."""

    timeout = 60.0  # seconds that one who sends nothing is waited for
    scorer: ClassVar[Scorer]
    name: ClassVar[str]

    def do_GET(self) -> None:
        ready = self.path in ("/", f"/v1/models/{self.name}")
        self.say(200 if ready else 404, {"name": self.name, "ready": True} if ready else {"error": "no such path"})

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if self.path != f"/v1/models/{self.name}:predict" or size > LARGEST_BODY:
            self.close_connection = True  # its body stays unread
            self.say(*((413, {"error": "too large"}) if size > LARGEST_BODY else (404, {"error": "no such path"})))
            return
        try:
            rows = json.loads(self.rfile.read(size))["instances"]
            scores = self.scorer.scores(self.scorer.matrix(rows))
        except (Refused, ValueError, TypeError, KeyError, AttributeError) as error:
            self.say(400, {"error": f"{type(error).__name__}: {error}"})
        else:
            self.say(200, {"predictions": self.scorer.answers(scores)})

    def say(self, status: int, document: dict[str, Any]) -> None:
        """Send a JSON answer."""
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of every request."""


def serve(server: ThreadingHTTPServer, scorer: Scorer, name: str) -> None:
    """Answer until SIGTERM or SIGINT, then only what was asked before: a container's first process has no default."""
    Answering.scorer, Answering.name = scorer, name
    server.daemon_threads = False  # closing waits for those who answer

    def end(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()  # it waits for the loop that this interrupts

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.serve_forever()
    server.server_close()


def main() -> int:
    """Do what the command line asks."""
    folder = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Answers of one model: score a file, check it, or serve it.")
    parser.add_argument("file", nargs="?", default="-", help="rows: .csv, or JSON lines; - is standard input")
    parser.add_argument("-o", "--out", default="-", help="where the answers go, in the same format")
    parser.add_argument("--csv", action="store_true", help="standard input is CSV")
    parser.add_argument("--check", action="store_true", help="answer the golden rows")
    parser.add_argument("--serve", type=int, metavar="PORT", help="answer over HTTP")
    parser.add_argument("--host", default="127.0.0.1", help="where it listens; 0.0.0.0 in a container")
    parser.add_argument("--name", default="model", help="the model's name in addresses")
    asked = parser.parse_args()
    if asked.check:
        wrong = check(folder)
        print(wrong or "every golden row gave its recorded answer", file=sys.stderr)
        return 1 if wrong else 0
    scorer = Scorer(folder)
    if asked.serve is not None:
        serve(ThreadingHTTPServer((asked.host, asked.serve), Answering), scorer, asked.name)
        return 0
    as_csv, out = asked.csv or asked.file.lower().endswith(".csv"), f"{asked.out}.part"
    try:
        with ExitStack() as files:
            source, target = sys.stdin, sys.stdout
            if asked.file != "-":
                source = files.enter_context(open(asked.file, encoding="utf-8", newline=""))
            if asked.out != "-":
                target = files.enter_context(open(out, "w", encoding="utf-8", newline=""))
            score(scorer, source, target, as_csv=as_csv)
        if asked.out != "-":
            os.replace(out, asked.out)  # the answers are there when all of them are
    except (Refused, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        if asked.out != "-":
            Path(out).unlink(missing_ok=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
