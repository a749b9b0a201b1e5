"""Modules that run beside the watch: each is started once, asked about later, and leaves no zombie."""

# pyright: basic

from contextlib import closing

import psutil
from support import until

from lemnis.engine.monitor.children import Children


def test_a_child_that_has_ended_is_no_zombie_until_it_is_asked_about() -> None:
    with closing(Children()) as children:
        assert children.ended("this", "--version") is None
        [(process, _)] = children._running.values()
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        children.reap()
        assert not psutil.pid_exists(process.pid)
        assert children.ended("this", "--version") == ""
        assert children.ended("lemnis.no.such.module") is None
        until(lambda: (told := children.ended("lemnis.no.such.module")) is not None and "No module named" in told)
