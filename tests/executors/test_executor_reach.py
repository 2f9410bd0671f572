"""A head that goes away, and one that comes back, by a port of this machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from mixc.backends.executors import reach
from mixc.backends.executors.reach import Head


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(reach, "EVERY", 0.0)
    monkeypatch.setattr(reach, "GONE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "[127.0.0.1]:{}"])
def test_a_head_that_answers_is_not_lost(port: int, form: str) -> None:
    head = Head(form.format(port))
    begun = head.reached
    assert head.lost() is None
    assert head.reached > begun


def test_a_head_is_lost_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "EVERY", 0.0)
    monkeypatch.setattr(reach, "GONE", 0.3)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: refuses at once
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        head = Head(address)
        assert head.lost() is None
        time.sleep(0.4)
        reason = head.lost()
        assert reason is not None
        assert reason.startswith(f"its head `{address}` was not reached for ") and reason.endswith("connection refused")
        unused.listen()
        assert head.lost() is None


def test_a_head_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Packets vanish: nobody accepts, and the queue is full."""
    monkeypatch.setattr(reach, "REACH", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = ("127.0.0.1", full.getsockname()[1])
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        head = Head("{}:{}".format(*address))
        assert head.lost() is None
        reason = head.lost()
        assert reason is not None and reason.endswith("timed out")
        for one in waiting:
            one.close()


def test_it_is_not_asked_all_the_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "EVERY", 3600.0)
    head = Head(f"127.0.0.1:{port}")
    asked = head.asked
    assert head.lost() is None
    assert head.asked == asked
