"""Code lists as objects with a history: every act edits lemnis.toml, is an event, and can be taken back."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomlkit

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Check, Code, CodeList, load_config
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore.sandbox import ask, streams
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Row, Store
from lemnis.engine.validate import code_edits as edits
from lemnis.engine.validate.code_lists import MOST_UNKNOWN, CodeEvent, ListedCodes, UnknownCode, UnknownCodes
from lemnis.engine.validate.failures import find_result, write_rows
from lemnis.engine.validate.history import find_run
from lemnis.engine.validate.records import DATASET

MOST_KNOWN = 20_000  # codes of a reference that likenesses are looked for in
LONG = 5  # letters from which a slip can be told from another code
MOST_COMPARED = 2_000  # codes
FOUND = "found changed in lemnis.toml"


class CodeLists:
    """The code lists of a workspace. The acts take the name of a list, or of a check that judges codes.

    A check that lists its values, or refers to a column, is given a list of its own by the first act on it.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def lists(self) -> list[ListedCodes]:
        """Return the declared code lists."""
        config = load_config(self.store.workspace.config)
        counts = {
            row["list"]: row["n"] for row in self.store.rows("select list, count(*) n from code_events group by 1")
        }
        return [
            ListedCodes(
                name=name,
                codes=codes,
                version=counts.get(name, 0),
                checks=[check.name for check in config.checks if check.codes == name],
            )
            for name, codes in config.code_lists.items()
        ]

    def show(self, name: str) -> ListedCodes:
        """Return one code list, by its name or by that of a check.

        Raises:
            NotFound: There is none.
        """
        found = {each.name: each for each in self.lists()}
        listed, check = self._resolve(name)
        if listed not in found:
            raise NotFound(f"{check.name if check else name} has no code list yet.", "The first act on it makes one.")
        return found[listed]

    def events(self, name: str) -> list[CodeEvent]:
        """Return every change of a list, newest first."""
        rows = self.store.rows(
            """select *, exists (select 1 from code_events later where later.undoes = code_events.id) as undone
               from code_events where list = ? order by id desc""",
            [self._resolve(name)[0]],
        )
        return [_event(row) for row in rows]

    def unknown(self, check_name: str, check_run_id: int | None = None) -> UnknownCodes:
        """Return the unknown codes of a check by how many rows hold them.

        Raises:
            NotFound: There is no such check or run.
            BadInput: The check judges no codes, or was not evaluated.
        """
        run = find_run(self.store, check_run_id)
        result, files = find_result(self.store, check_name, run.id)
        listed, check = self._resolve(check_name)
        if result.kind not in ("code_list", "reference") or check is None:
            raise BadInput(f"{check_name} judges no codes.", "Choose a code_list or reference check.")
        config = load_config(self.store.workspace.config)
        codes = config.code_lists.get(listed, CodeList(codes=list(check.values), reference=check.reference))
        column = f"cast({quote(check.column)} as varchar)"
        values = f"select {column} as value, count(*) as n, count(*) over () from ({result.sql})"
        statements = [Statement(sql=f"{values} group by 1 order by n desc, value limit {MOST_UNKNOWN}")]
        if codes.reference:
            other, _, key = codes.reference.partition(".")
            code = f"cast({quote(key)} as varchar)"
            statements.append(Statement(sql=f"select distinct {code} from {quote(other)} limit {MOST_KNOWN}"))
        answers = [answer.table for answer in ask(statements, files)]
        rows = [tuple(row.values()) for row in answers[0].to_pylist()]
        known = [entry.code for entry in codes.entries]
        known += [value for table in answers[1:] for value in table.column(0).to_pylist() if value is not None]
        held = {value for rule in config.dataset.quarantine if rule.column == check.column for value in rule.values}
        return UnknownCodes(
            check=check_name,
            run=run.id,
            column=check.column,
            table=result.source,
            listed=listed if listed in config.code_lists else "",
            failing=result.failing or 0,
            distinct=int(rows[0][2]) if rows else 0,
            codes=[_unknown(str(value), int(n), codes, known, held) for value, n, _ in rows],
        )

    def add(self, name: str, codes: Sequence[str], *, who: str, why: str, start: str = "", end: str = "") -> CodeEvent:
        """Add codes to a list, valid from `start` until before `end` (ISO dates, empty: always).

        Raises:
            NotFound, BadInput, ConfigError: There is no such list, a code stands there already, or no reason is given.
        """
        entries = [Code(code=code, start=start, end=end) for code in codes]
        return self._act("add", name, codes, lambda text, listed: edits.add_codes(text, listed, entries), who, why)

    def map(self, name: str, codes: Sequence[str], target: str, *, who: str, why: str) -> CodeEvent:
        """Let texts stand for an existing code: they are accepted and counted.

        Raises:
            NotFound, BadInput, ConfigError: There is no such list or code, or no reason is given.
        """

        def edit(text: Any, listed: str) -> None:
            edits.set_synonyms(text, listed, list(codes), target)

        return self._act("map", name, codes, edit, who, why, target=target)

    def deprecate(self, name: str, code: str, *, end: str, who: str, why: str, replacement: str = "") -> CodeEvent:
        """End a code: rows from `end` (ISO date) on must not hold it; `replacement` is what they should hold.

        Raises:
            NotFound, BadInput, ConfigError: There is no such list or code, or no reason is given.
        """

        def edit(text: Any, listed: str) -> None:
            old = next((each for each in self.show(listed).codes.entries if each.code == code), Code(code=code))
            edits.replace_code(text, listed, msgspec.structs.replace(old, end=end, replacement=replacement))

        return self._act("deprecate", name, [code], edit, who, why, target=replacement)

    def quarantine(self, check_name: str, codes: Sequence[str], *, who: str, why: str) -> CodeEvent:
        """Copy the rows with these codes aside, and leave them out of the next dataset version by a declared rule.

        Raises:
            NotFound, BadInput, ConfigError: The check is not about the dataset, holds no such rows, or was not run.
        """
        found = self.unknown(check_name)
        if found.table != DATASET:
            raise BadInput(f"{check_name} is about {found.table}.", "Only rows of the dataset can be in quarantine.")
        _need(who, why, codes)
        version_id = find_run(self.store, found.run).version_id
        kept, rows = self._set_aside(check_name, found, list(codes))
        if not rows:
            raise BadInput(f"No failing row holds {', '.join(codes)}.", "Look at the list of unknown codes.")

        def edit(text: Any, listed: str) -> None:
            edits.quarantine(text, found.column, list(codes), why)

        facts = {"version_id": version_id, "rows": rows, "kept": kept}
        return self._act("quarantine", check_name, codes, edit, who, why, target=found.column, facts=facts)

    def undo(self, event_id: int, *, who: str, why: str) -> CodeEvent:
        """Take back one act, by an act of its own; what came after it stays.

        Raises:
            NotFound: There is no such event.
            BadInput: It was taken back already, can't be, or what it did is not there any more.
        """
        row = self.store.row("select *, 0 as undone from code_events where id = ?", [event_id])
        if row is None:
            raise NotFound(f"There is no change {event_id} of a code list.", "See `lemnis validate codes show`.")
        event = _event(row)
        if self.store.value("select 1 from code_events where undoes = ?", [event_id]):
            raise BadInput(f"Change {event_id} was taken back already.", "Do it again instead.")
        inverse: dict[str, Callable[[Any, str], None]] = {
            "add": lambda text, listed: edits.remove_codes(text, listed, event.codes),
            "map": lambda text, listed: edits.set_synonyms(text, listed, event.codes, None),
            "deprecate": lambda text, listed: edits.replace_code(text, listed, _entry(event.before, event.codes[0])),
            "quarantine": lambda text, listed: edits.release(text, event.target, event.codes),
        }
        if event.act not in inverse:
            raise BadInput(f"A change of kind {event.act} can't be taken back.", "Make the opposite change.")
        return self._act(
            "undo", event.listed, event.codes, inverse[event.act], who, why, target=event.target,
            facts={"undoes": event_id}
        )  # fmt: skip

    def _resolve(self, name: str) -> tuple[str, Check | None]:
        """Return the list that a name means, and the check if it is one; the list may have to be made first."""
        config = load_config(self.store.workspace.config)
        check = next((each for each in config.checks if each.name == name), None)
        if check is not None and check.kind in ("code_list", "reference"):
            return check.codes or check.name, check
        if name in config.code_lists:
            return name, None
        known = [*config.code_lists, *(each.name for each in config.checks if each.kind in ("code_list", "reference"))]
        raise NotFound(f"There is no code list {name!r}.", f"Known: {', '.join(dict.fromkeys(known)) or 'none'}.")

    # Any: a document of tomlkit.
    def _act(
        self,
        act: str,
        name: str,
        codes: Sequence[str],
        edit: Callable[[Any, str], None],
        who: str,
        why: str,
        *,
        target: str = "",
        facts: dict[str, Any] | None = None,
    ) -> CodeEvent:
        """Edit lemnis.toml and keep the event; the file first, so that an event never tells of what did not happen."""
        _need(who, why, codes)
        listed, check = self._resolve(name)
        self._notice(listed)
        problem, text = ProblemRoom(self.store), load_text(self.store)
        document = tomlkit.parse(text)
        before = load_config(self.store.workspace.config).code_lists.get(listed)
        if check is not None and not check.codes and act != "quarantine":
            edits.promote(document, check)
        edit(document, listed)
        problem.edit(tomlkit.dumps(document), who, f"codes of {listed}: {why}", expected=text)
        after = load_config(self.store.workspace.config).code_lists.get(listed)
        row = {"list": listed, "act": act, "codes": list(codes), "target": target, "before": before, "after": after}
        return self._record({**row, "who": who.strip(), "why": why.strip(), **(facts or {})})

    def _record(self, facts: dict[str, Any]) -> CodeEvent:
        encoded = {key: msgspec.json.encode(facts[key]).decode() for key in ("codes", "before", "after")}
        row = {"target": "", "undoes": None, "version_id": None, "rows": None, "kept": "", "at": now_ms()}
        with self.store.write() as db:
            event_id = int(str(db.table("code_events").insert({**row, **facts, **encoded}).last_pk))
        found = self.store.row("select *, 0 as undone from code_events where id = ?", [event_id])
        assert found is not None
        return _event(found)

    def _notice(self, listed: str) -> None:
        """Keep a change that was made by hand, so that the history has no gap."""
        codes = load_config(self.store.workspace.config).code_lists.get(listed)
        last = next(iter(self.events(listed)), None) if codes else None
        if last is not None and last.after != codes:
            facts: dict[str, Any] = {"list": listed, "act": "edit", "codes": [], "before": last.after, "after": codes}
            self._record({**facts, "who": "", "why": FOUND})

    def _set_aside(self, check_name: str, found: UnknownCodes, codes: list[str]) -> tuple[str, int]:
        """Copy the failing rows with these codes to a file of their own; return its name and how many they are."""
        result, files = find_result(self.store, check_name, found.run)
        listed = ", ".join(map(literal, codes))
        sql = f"select * from ({result.sql}) where cast({quote(found.column)} as varchar) in ({listed})"
        folder: Path = self.store.workspace.hidden / "quarantine"
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{check_name}-{now_ms()}.parquet"
        part, rows = folder / f".{name}.part", 0
        try:
            with streams([Statement(sql=sql)], files) as each:
                for stream in each:
                    rows += write_rows(stream, part, ".parquet")
            if rows:
                part.rename(folder / name)
        finally:
            part.unlink(missing_ok=True)
        return name, rows


def load_text(store: Store) -> str:
    """Return the text of lemnis.toml."""
    return ProblemRoom(store).text()


def _need(who: str, why: str, codes: Sequence[str]) -> None:
    if not who.strip() or not why.strip() or not codes:
        raise BadInput("A change of codes needs a code, a person and a reason.", "Say which, who and why.")


def _unknown(value: str, rows: int, codes: CodeList, known: list[str], held: set[str]) -> UnknownCode:
    """Return an unknown value with the code most like it, and what was decided since the run."""
    decided = "in quarantine" if value in held else ""
    decided = f"stands for {codes.synonyms[value]}" if value in codes.synonyms else decided
    decided = "added" if value in {entry.code for entry in codes.entries} else decided
    return UnknownCode(value=value, rows=rows, like=most_like(value, known), decided=decided)


def most_like(value: str, known: list[str]) -> str:
    """Return the code that a value is a slip of; empty where that would be a guess.

    A code in another case or with other spaces is meant; longer ones may differ in a few letters. Short codes that
    differ in a letter are as a rule two codes.
    """
    bare = {"".join(code.split()).casefold(): code for code in known}
    text = "".join(value.split()).casefold()
    if text in bare:
        return bare[text]
    if len(text) < LONG or len(bare) > MOST_COMPARED:
        return ""
    close = difflib.get_close_matches(text, [code for code in bare if len(code) >= LONG], n=1, cutoff=0.75)
    return bare[close[0]] if close else ""


def _entry(codes: CodeList | None, code: str) -> Code:
    found = next((entry for entry in codes.entries if entry.code == code), None) if codes else None
    if found is None:
        raise BadInput(f"It is not known how {code!r} was before.", "Edit lemnis.toml with e.")
    return found


def _event(row: Row) -> CodeEvent:
    facts = (
        dict(row)
        | {"listed": row["list"]}
        | {key: msgspec.json.decode(row[key]) for key in ("codes", "before", "after")}
    )
    return msgspec.convert(facts | {"undone": bool(row["undone"])}, CodeEvent)
