"""The cable between two hosts of a Ray cluster is cut in the middle of a run: `python -m tests.executors.cable`.

Two network namespaces are the hosts, a third is the switch between them. Cutting takes a host off the switch: its
connections stay as they are, and nothing comes through any more. Needs root and `ip`, from the package `iproute2`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mixc.backends.selection.backend import Run
from mixc.compiler.executor import open_executor
from tests.executors.losses import STORE, Watched, assert_nothing_lost, main, prepare, selected

HOSTS = {"here": "10.213.0.1", "there": "10.213.0.2"}
PORT = 6379
NAME = "MIXC_CABLE"  # names the namespaces to the process inside


def ip(*words: str) -> None:
    """Run `ip`; raises `CalledProcessError` where it may not do that."""
    subprocess.run([shutil.which("ip") or "ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def hosts(name: str) -> Iterator[None]:
    """Both hosts at the switch; in the end all that runs there is killed."""
    try:
        ip("netns", "add", f"{name}-switch")
        ip("-n", f"{name}-switch", "link", "add", "bridge", "type", "bridge")
        ip("-n", f"{name}-switch", "link", "set", "bridge", "up")
        for host, address in HOSTS.items():
            ip("netns", "add", f"{name}-{host}")
            ip("-n", f"{name}-switch", "link", "add", host, "type", "veth", "peer", "eth0", "netns", f"{name}-{host}")
            ip("-n", f"{name}-switch", "link", "set", host, "master", "bridge", "up")
            ip("-n", f"{name}-{host}", "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", f"{name}-{host}", "link", "set", device, "up")
        yield
    finally:
        for host in (*HOSTS, "switch"):
            pids = subprocess.run(["ip", "netns", "pids", f"{name}-{host}"], capture_output=True, text=True).stdout
            for pid in pids.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", f"{name}-{host}"], capture_output=True)


def start(name: str, host: str, *words: str) -> None:
    """Start a node of the cluster on a host."""
    node = [f"--node-ip-address={HOSTS[host]}", "--num-cpus=1", f"--object-store-memory={STORE}"]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *node, "--disable-usage-stats", *words]
    subprocess.run(["ip", "netns", "exec", f"{name}-{host}", *command], check=True, capture_output=True, timeout=60)


def cut(folder: Path, job: Run, alone: dict[str, bytes]) -> None:
    """On the host `here`: run, with the other host's help until its cable is cut."""
    import ray

    name = os.environ[NAME]
    start(name, "here", "--head", f"--port={PORT}", "--include-dashboard=false")
    start(name, "there", f"--address={HOSTS['here']}:{PORT}")
    os.environ["RAY_ADDRESS"] = f"{HOSTS['here']}:{PORT}"
    with closing(open_executor("ray", None)) as engine:
        (there,) = [one["NodeID"] for one in ray.nodes() if one["NodeManagerAddress"] == HOSTS["there"]]

        def strike() -> None:
            ip("-n", f"{name}-switch", "link", "set", "there", "nomaster")

        watched = Watched(engine, folder / "marks", strike, busy=there)
        assert selected(job, folder / "out", watched) == []
        assert_nothing_lost(folder / "out", alone, watched)


def outside() -> int:
    """Make the hosts, and run on one of them; 0 also where that is not permitted."""
    name = f"mixc{os.getpid()}"
    try:
        with hosts(name):
            inside = [sys.executable, "-m", "tests.executors.cable"]
            environment = {**os.environ, NAME: name}
            return subprocess.run(["ip", "netns", "exec", f"{name}-here", *inside], env=environment).returncode
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", None) or str(error)
        print(f"SKIPPED: no hosts can be made here ({why.strip()}): a cut cable is NOT tested")
        return 0


if __name__ == "__main__":
    if NAME not in os.environ:
        sys.exit(outside())
    prepare()
    main({"cable": cut})
