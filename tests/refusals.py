"""What the engine and the console refuse with, as templates: the problems and remedies of every error they raise.

They are read from the sources, so that a test finds a sentence that nobody translated before a person meets it.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ERROR = "LemnisError"
SAID = ("problem", "remedy")  # the first arguments of an error
DEEPEST = 5  # names, calls and phrases on the way from an error to its words
Values = Mapping[str, Sequence[ast.expr]]


class Module:
    """A source: what its names are, and from where those come that it imports."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text("utf-8"))
        self.values = assigned(self.tree.body)
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def imported(self) -> Mapping[str, Path]:
        """The sources of the names that come from elsewhere in Lemnis."""
        return {
            alias.asname or alias.name: source
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and (source := source_of(node.module or "")) is not None
            for alias in node.names
        }


class Scope(NamedTuple):
    """Where an expression stands."""

    module: Module
    local: Values


@cache
def module_of(path: Path) -> Module:
    """Return a source, read once."""
    return Module(path)


def source_of(name: str) -> Path | None:
    """Return the source of a module of Lemnis."""
    base = ROOT.joinpath(*name.split(".")[1:])
    places = (base.with_suffix(".py"), base / "__init__.py") if name.startswith("lemnis.") else ()
    return next((place for place in places if place.exists()), None)


def assigned(nodes: Iterable[ast.AST]) -> Values:
    """Return what is assigned to each name."""
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target, value = node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value
            paired = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            for one, said in zip(target.elts, value.elts, strict=False) if paired else [(target, value)]:
                found[name_of(one)].append(said)
    return found


def name_of(node: ast.expr) -> str:
    """Return `one` of `one` and of `other.one`; empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def texts(node: ast.expr | None, scope: Scope, depth: int = 0) -> Iterator[str]:
    """Return what a text may be, as templates; and the phrases that may stand in their places."""
    match node if depth <= DEEPEST else None:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            inner = (part.value for part in parts if isinstance(part, ast.FormattedValue))
            phrases = (text for value in inner for text in texts(value, scope, depth + 1))
            yield from (text for text in phrases if " " in text.strip())  # words alone are as often names
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
            yield from (*texts(one, scope, depth), *texts(other, scope, depth))
        case ast.BoolOp(values=values):
            yield from (text for value in values for text in texts(value, scope, depth))
        case ast.Subscript(value=ast.Name(id=name)):
            tables = [value for value, _ in named(name, scope) if isinstance(value, ast.Dict)]
            yield from (text for table in tables for value in table.values for text in texts(value, scope, depth + 1))
        case ast.Name(id=name):
            yield from (text for value, there in named(name, scope) for text in texts(value, there, depth + 1))
        case ast.Call(func=ast.Name(id=name)):
            yield from (
                text for value, there in returned(name, scope.module) for text in texts(value, there, depth + 1)
            )
        case _:
            pass


def named(name: str, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    """Return what a name may be: of its function, of its module, or of the one it comes from."""
    if name in scope.local:
        yield from ((value, scope) for value in scope.local[name])
    elif name in scope.module.values:
        yield from ((value, Scope(scope.module, {})) for value in scope.module.values[name])
    elif name in scope.module.imported:
        yield from named(name, Scope(module_of(scope.module.imported[name]), {}))


def returned(name: str, module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """Return what a function may return."""
    if name in module.functions:
        body = list(ast.walk(module.functions[name]))
        scope = Scope(module, assigned(body))
        yield from ((node.value, scope) for node in body if isinstance(node, ast.Return) and node.value is not None)
    elif name in module.imported:
        yield from returned(name, module_of(module.imported[name]))


def calls(node: ast.AST, local: Values) -> Iterator[tuple[ast.Call, Values]]:
    """Return each call below a node, with what is assigned in the functions around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, local
        inside = assigned(ast.walk(child)) if isinstance(child, ast.FunctionDef) else {}
        yield from calls(child, {**local, **inside} if inside else local)


def raising(written: Iterable[str]) -> set[str]:
    """Return the names of what makes an error: LemnisError, what inherits it, functions of a problem and a remedy."""
    whole = "\n".join(written)
    found = {ERROR, *re.findall(r"def (\w+)\(problem: str, remedy: str", whole)}
    classes = re.findall(r"^class (\w+)\((\w+)", whole, re.MULTILINE)
    while more := {name for name, base in classes if base in found} - found:
        found |= more
    return found


def refusals() -> set[str]:
    """Return the templates of all problems and remedies; not those of commands, which print English."""
    paths = [path for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("tui/**/*.py")) if "commands" not in path.parts]
    written = {path: path.read_text("utf-8") for path in paths}
    makers = raising(written.values())
    making = re.compile(rf"\b({'|'.join(makers)})\(")
    found: set[str] = set()
    for path in (path for path, text in written.items() if making.search(text)):
        module = module_of(path)
        for call, local in calls(module.tree, {}):
            if isinstance(call.func, ast.Name) and call.func.id in makers:
                said = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg in SAID)]
                found.update(text for node in said for text in texts(node, Scope(module, local)))
    return {text for text in found if any(map(str.isalpha, text.replace("{}", "")))}
