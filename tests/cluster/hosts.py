"""A Ray cluster of several hosts whose cables are cut: `python -m tests.cluster.hosts [SCENARIO…]`.

Each host is a network namespace, and so is the switch between them. Cutting takes a host off the switch: its
connections stay as they are, and nothing comes through any more, no end of a connection either. Needs root and `ip`
(package `iproute2`); without, nodes of one host do what they can, and it is said loudly what was not tested.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.backends.selection.backend import perform
from mixc.backends.selection.run import RUN
from mixc.compiler.executor import Unavailable, open_executor, run_on
from mixc.compiler.progress import Quiet
from mixc.compiler.scan.scan import scan
from mixc.dsl.diagnostics import Diagnostic
from tests.cluster.wires import HOSTS, PORT, STARTING, hosts, ip, start, stop
from tests.executors import losses
from tests.executors.losses import SHARDS, Watched, prepare
from tests.selection.kill import bytes_of
from tests.selection.pool import compiled, loaded, open_run, plain_pool, told

NAME = "MIXC_HOSTS"  # names the namespaces to the processes inside
PLACE = "MIXC_PLACE"  # and the folder that all hosts see
RATE = "512kbit"


@dataclass
class Cluster:
    """Where the scenarios run: names of hosts, a folder, and what one process makes of the pool in it."""

    name: str
    folder: Path
    count: int = 0

    def cut(self, host: str) -> None:
        """Take a host off the switch."""
        ip("-n", f"{self.name}-switch", "link", "set", host, "nomaster")

    def join(self, host: str) -> None:
        """Put it back."""
        ip("-n", f"{self.name}-switch", "link", "set", host, "master", "bridge")

    def throttle(self, host: str, word: str) -> None:
        """`add` or `delete`: hardly anything comes through to a host and back."""
        for where, device in ((f"{self.name}-switch", host), (f"{self.name}-{host}", "eth0")):
            limit = ["tbf", "rate", RATE, "burst", "16kb", "latency", "400ms"] if word == "add" else []
            command = ["tc", "-n", where, "qdisc", word, "dev", device, "root", *limit]
            subprocess.run(command, check=True, capture_output=True)

    def node(self, host: str) -> str:
        """What Ray calls the node of a host; waits until it is there."""
        import ray

        until = time.monotonic() + STARTING
        while time.monotonic() < until:
            for one in ray.nodes():
                if one["NodeManagerAddress"] == HOSTS[host] and one["Alive"]:
                    return str(one["NodeID"])
            time.sleep(0.5)
        raise AssertionError(f"no node on {host}")

    def pool(self) -> Path:
        """A new folder with the pool in it."""
        self.count += 1
        shutil.copytree(self.folder / "pool", self.folder / f"work{self.count}")
        return self.folder / f"work{self.count}" / "pool.mix"

    def under(
        self,
        engine: Any,
        host: str,
        strike: Callable[[Watched], None],
        work: Callable[[Watched], Any],
        after: int = SHARDS // 4,
    ) -> float:
        """Do some work, and strike when the host is in the middle of it; how long it took afterwards, in seconds.

        Without a host, any is; `after` tasks have been done before.
        """
        marks = self.folder / f"marks{self.count}"
        marks.mkdir()
        watched = Watched(engine, marks, lambda: strike(watched), after, self.node(host) if host else "")
        work(watched)
        assert watched.struck, "nothing was lost"
        return time.monotonic() - watched.struck

    def run(self, watched: Watched) -> list[Diagnostic]:
        """`mixc run`: the same bytes as in one process."""
        path = self.pool()
        job = compiled_there(path)
        done, found = perform(job, path.parent / "out", watched, Quiet())
        assert done is not None and bytes_of(path.parent / "out") == bytes_of(self.folder / "alone"), told(found)
        return found

    def scan(self, watched: Watched) -> list[Diagnostic]:
        """`mixc scan`: the same catalog as in one process, as the manifest shows it."""
        path = self.pool()
        shutil.rmtree(path.parent / ".mixc")
        catalog, found = scan(loaded(path), watched)
        assert catalog is not None, told(found)
        assert catalog.files == scanned_alone(self.folder).files
        assert compiled(path).integrity == compiled_there(self.folder / "pool" / "pool.mix").integrity
        return found

    def score(self, watched: Watched) -> list[Diagnostic]:
        """`mixc score`: the same scores as in one process."""
        from tests.nag.scoring_pool import kept, scored_on

        folder = self.folder / f"scored{self.count}"
        shutil.copytree(self.folder / "texts", folder, symlinks=True)
        done, found = scored_on(folder / "pool.mix", watched)
        assert done is not None, told(found)
        assert kept(folder) == kept(self.folder / "scored"), "other scores"
        return found


def compiled_there(path: Path) -> Any:
    """The manifest that lies beside a recipe."""
    return open_run(path.parent / "pool.manifest.json")


def scanned_alone(folder: Path) -> Any:
    """The catalog by one process."""
    catalog, found = run_on("local", 1, lambda engine: scan(loaded(folder / "pool" / "pool.mix"), engine))
    assert catalog is not None, told(found)
    return catalog


def restarted(cluster: Cluster, host: str) -> None:
    """A host that is lost comes back as a new node."""
    stop(cluster.name, host)
    cluster.join(host)
    start(cluster.name, host)


def cut(cluster: Cluster, engine: Any) -> float:
    """A host is cut off in the middle of a run, and comes back as another node."""
    took = cluster.under(engine, "one", lambda _: cluster.cut("one"), cluster.run)
    restarted(cluster, "one")
    return took


def glitch(cluster: Cluster, engine: Any) -> float:
    """A host is cut off in the middle of a scan, for two seconds."""

    def strike(_: Watched) -> None:
        cluster.cut("two")
        time.sleep(2)
        cluster.join("two")

    return cluster.under(engine, "two", strike, cluster.scan)


def joined(cluster: Cluster, engine: Any) -> float:
    """A host is cut off in the middle of a run, and is there again when nobody waits for it any more."""

    def strike(_: Watched) -> None:
        cluster.cut("one")
        time.sleep(25)
        cluster.join("one")

    took = cluster.under(engine, "one", strike, cluster.run)
    restarted(cluster, "one")
    return took


def worker(cluster: Cluster, engine: Any) -> float:
    """A worker is killed in the middle of a task."""

    def strike(watched: Watched) -> None:
        os.kill(int(watched.at_work()[0].read_text()), signal.SIGKILL)

    return cluster.under(engine, "one", strike, cluster.run)


def raylet(cluster: Cluster, engine: Any) -> float:
    """What runs a host's tasks is killed in the middle of a scan."""
    took = cluster.under(engine, "two", lambda _: stop(cluster.name, "two", "raylet"), cluster.scan)
    restarted(cluster, "two")
    return took


def throttled(cluster: Cluster, engine: Any) -> float:
    """Hardly anything comes through to a host from the middle of a run on."""
    took = cluster.under(engine, "two", lambda _: cluster.throttle("two", "add"), cluster.run)
    cluster.throttle("two", "delete")
    return took


def scored(cluster: Cluster, engine: Any) -> float:
    """A host is cut off while models score."""
    try:
        return cluster.under(engine, "one", lambda _: cluster.cut("one"), cluster.score, after=0)
    finally:
        restarted(cluster, "one")


def head(cluster: Cluster, engine: Any) -> float:
    """The head is cut off from a driver on another host: it says so, and a new cluster goes on to the same bytes."""
    path = cluster.pool()
    job, output = compiled_there(path), path.parent / "out"
    said: list[Diagnostic] = []

    def work(watched: Watched) -> None:
        try:
            perform(job, output, watched, Quiet())
        except Unavailable as error:
            said.append(error.diagnostic)

    took = cluster.under(engine, "", lambda _: cluster.cut("head"), work)
    assert [one.code for one in said] == ["M535"], told(said)
    alone = bytes_of(cluster.folder / "alone")
    odd = sorted(name for name, data in bytes_of(output).items() if alone.get(name) != data and name != RUN)
    assert not odd, f"something is there that is not whole: {odd}"
    done, found = run_on("local", 1, lambda other: perform(job, output, other, Quiet()))
    assert done is not None and done[0].before > 0, told(found)
    assert bytes_of(output) == alone
    return took


SCENARIOS = {one.__name__: one for one in (worker, cut, glitch, raylet, joined, throttled, scored, head)}


def inside(names: list[str]) -> int:
    """On a host: scenarios one after the other, on one cluster."""
    cluster = Cluster(os.environ[NAME], Path(os.environ[PLACE]), int(os.environ.get("MIXC_COUNT", "0")))
    os.environ["RAY_ADDRESS"] = f"{HOSTS['head']}:{PORT}"
    lost = 0
    with closing(open_executor("ray", None)) as engine:
        for name in names:
            try:
                print(
                    f"{name:10} {SCENARIOS[name](cluster, engine):6.1f} s after the loss: the same result", flush=True
                )
            except (AssertionError, Unavailable) as error:
                lost += 1
                print(f"{name:10} LOST: {error}", flush=True)
    return int(lost > 0)


def outside(names: list[str]) -> int:
    """Make the hosts, and run on them; where that is not permitted, lose nodes of one host."""
    name = f"mixc{os.getpid()}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            stack.enter_context(hosts(name))
        except (OSError, subprocess.CalledProcessError) as error:
            why = str(getattr(error, "stderr", None) or error).strip()
            print(f"SKIPPED: no hosts can be made here ({why}): cut cables are NOT tested, only nodes of one host")
            return subprocess.run([sys.executable, "-m", "tests.executors.losses"]).returncode
        job = compiled(plain_pool(folder / "pool", shards=SHARDS))
        done, found = run_on("local", 1, lambda engine: perform(job, folder / "alone", engine, Quiet()))
        assert done is not None, told(found)
        if "scored" in names:
            scored_alone(folder)
        for host in HOSTS:  # one after the other: hosts share a file system, where Ray's nodes name their sockets
            start(name, host)
        code = 0
        groups = ("head", [one for one in names if one != "head"]), ("two", [one for one in names if one == "head"])
        for number, (host, mine) in enumerate(groups):
            environment = {**os.environ, NAME: name, PLACE: str(folder), "MIXC_COUNT": str(1000 * number)}
            words = ["ip", "netns", "exec", f"{name}-{host}", sys.executable, "-m", "tests.cluster.hosts", *mine]
            code |= subprocess.run(words, env=environment).returncode if mine else 0
        return code


def scored_alone(folder: Path) -> None:
    """A pool of texts with a small model, and its scores by one process."""
    from tests.models import smollm_folder, smollm_gguf
    from tests.nag.scoring_pool import TWO, pool, rows, scored_on
    from tests.nag.tiny import saved

    texts = folder / "texts"
    texts.mkdir()
    pool(texts, saved("Llama", folder / "tiny", smollm_folder(smollm_gguf())), TWO, rows(60))
    shutil.copytree(texts, folder / "scored", symlinks=True)
    done, found = run_on("local", 1, lambda engine: scored_on(folder / "scored" / "pool.mix", engine))
    assert done is not None, told(found)


if __name__ == "__main__":
    losses.DEADLINE = 1200.0
    prepare()
    chosen = sys.argv[1:] or list(SCENARIOS)
    sys.exit(inside(chosen) if NAME in os.environ else outside(chosen))
