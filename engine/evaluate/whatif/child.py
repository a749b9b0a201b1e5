"""Asks the what-if process: it keeps one model and one row, answers in milliseconds, and ends with who asked."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.evaluate.whatif.records import (
    Answer,
    Flip,
    Flips,
    Open,
    Opened,
    Question,
    Refused,
    Tried,
    Try,
    Values,
)

OPEN_SECONDS, ANSWER_SECONDS = 120.0, 60.0  # on a busy machine; usually it is seconds, and milliseconds


class WhatIf:
    """One row and the process that answers for it; `close` it when it is not needed any more.

    May be used by several threads, one question at a time.
    """

    def __init__(self, root: Path, run_id: int, key: str) -> None:
        """Start the process and open a row.

        Raises:
            NotFound, BadInput: There is no such run or row, or the run has no model.
            Unavailable: The process ended or took too long.
        """
        self._lock = threading.Lock()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "lemnis.engine.evaluate.whatif.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        try:
            self.row: Opened = self._ask(Open(root=str(root), run_id=run_id, key=key), OPEN_SECONDS)
        except BaseException:
            self.close()
            raise

    def answer(self, values: Values) -> Tried:
        """Return the answer to the row with these values.

        Raises:
            BadInput: A value is not one that the model takes.
            Unavailable: The process ended.
        """
        return self._ask(Try(values=values), ANSWER_SECONDS)

    def flips(self, values: Values) -> Flips:
        """Return what would change the answer to the row with these values; raises as `answer`."""
        return self._ask(Flip(values=values), ANSWER_SECONDS)

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, question: Question, seconds: float) -> Any:  # the record that answers this kind of question
        with self._lock:
            stdin, stdout = self._child.stdin, self._child.stdout
            assert stdin is not None
            assert stdout is not None
            timer = threading.Timer(seconds, self._child.kill)
            timer.start()
            try:
                stdin.write(msgspec.json.encode(question) + b"\n")
                stdin.flush()
                said = stdout.readline()
            except (OSError, ValueError):  # it was closed, or ended, meanwhile
                said = b""
            finally:
                timer.cancel()
        if not said:
            raise Unavailable("The process that answers for this row ended.", "Open the row again.")
        answer = msgspec.json.decode(said, type=Answer)
        if isinstance(answer, Refused):
            raise BadInput(answer.problem, answer.remedy, answer.place)
        return answer
