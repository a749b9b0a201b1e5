"""A DuckDB that is let go while another thread asks it something."""

# pyright: basic

from threading import Event, Thread

import pytest

from lemnis.engine.errors import Cancelled
from lemnis.engine.explore.streams import Duck

A_WHILE = "select count(*) from range(100_000) a, range(2_000) b where a.range % 7 = b.range % 11"


def test_what_is_closed_while_it_is_asked_lets_go_when_that_has_ended() -> None:
    duck, begun, said = Duck(1), Event(), list[str]()

    def ask() -> None:
        try:
            with duck.query() as query:
                query.fetch("select 1")
                begun.set()
                query.fetch(A_WHILE)
        except Cancelled as error:
            said.append(error.problem)

    asking = Thread(target=ask)
    asking.start()
    assert begun.wait(30)
    duck.close()
    asking.join(30)
    assert not asking.is_alive()
    assert said in ([], ["The query was stopped."])  # none where it was not begun yet
    assert duck.resting
    with pytest.raises(Cancelled), duck.query():
        pass
