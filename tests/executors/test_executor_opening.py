"""How an engine is found, and what is said where it cannot be used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from mixc.backends.executors.local import LocalExecutor
from mixc.compiler.executor import Unavailable, cluster_lost, open_executor, workers_do_not_start
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown


def refusal(name: str, workers: int | None = None) -> Diagnostic:
    with pytest.raises(Unavailable) as caught:
        open_executor(name, workers)
    assert str(caught.value) == caught.value.diagnostic.message
    return caught.value.diagnostic


def test_an_engine_is_found_by_name() -> None:
    executor = open_executor("local", None)
    assert isinstance(executor, LocalExecutor)
    assert executor.name == "local" and executor.workers >= 1


def test_an_unknown_engine() -> None:
    told = refusal("rya")
    assert (told.code, told.message) == ("M530", "there is no engine `rya`")
    assert "`local`" in told.notes[0] and "`ray`" in told.notes[0]
    assert told.helps == ("did you mean `--engine ray`?",)
    shown("M530", told, command="mixc scan recipe.mix --engine rya")


def test_an_engine_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    told = refusal("ray")
    assert told.code == "M531"
    assert told.message == "the engine `ray` needs the package `ray`, which is not installed"
    assert told.helps == ("pip install 'mixc[ray]'",)
    shown("M531", told, command="mixc scan recipe.mix --engine ray")


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)  # the cluster of other tests goes on
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: refuses at once
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        told = refusal("ray")
    assert told.code == "M532"
    assert told.message == f"the Ray cluster `{address}` cannot be used"
    assert "refused" in told.notes[0].lower()
    about = "`RAY_ADDRESS` names a machine where no Ray runs."
    shown("M532", told, about=about, command="mixc scan recipe.mix --engine ray", numbers=False)


AFTER_ANOTHER = """
import os
from mixc.compiler.executor import Unavailable, open_executor
os.environ["RAY_ADDRESS"] = {address!r}
try:
    open_executor("ray", 1)
except Unavailable:
    del os.environ["RAY_ADDRESS"]
engine = open_executor("ray", 1)
print("opened", os.environ["RAY_AUTH_MODE"])
engine.close()
"""


def test_a_cluster_of_our_own_after_another_was_asked_for(with_ray: None) -> None:
    """Ray reads its settings when it is imported: for the other cluster, which has no token of ours."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        script = AFTER_ANOTHER.format(address=f"127.0.0.1:{unused.getsockname()[1]}")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        ran = subprocess.run(
            [sys.executable, "-c", script], env=clean, capture_output=True, text=True, timeout=300, check=False
        )
    assert ran.stdout == "opened token\n", ran.stderr[-2000:]


@pytest.mark.parametrize("workers", [0, -3])
def test_workers_are_counted_from_one(workers: int) -> None:
    told = refusal("local", workers)
    assert (told.code, told.message) == ("M533", f"{workers} workers can do nothing")
    if workers == 0:
        shown("M533", told, about='A program calls `open_executor("local", 0)`.')


def test_what_is_said_of_broken_machines() -> None:
    assert workers_do_not_start(1, "no more processes").message == "a worker process cannot be started"
    about = "The head of the Ray cluster was switched off while documents were read."
    told = cluster_lost("the head of the cluster gave no sign of life for 60 s")
    shown("M535", told, about=about, command="mixc scan recipe.mix --engine ray")
