"""Hosts that a Ray cluster runs on: network namespaces, and one more as the switch between them.

Needs root and `ip`, from the package `iproute2`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.executors.losses import STORE

HOSTS = {"head": "10.213.0.1", "one": "10.213.0.2", "two": "10.213.0.3"}
PORT = 6379
STARTING = 480.0  # seconds
TRIES = 3
SLOW = {  # a machine on which much else is done starts a node in minutes; seconds
    "RAY_raylet_start_wait_time_s": "90",
    "RAY_gcs_server_request_timeout_seconds": "240",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "240",
    "RAY_worker_register_timeout_seconds": "240",
    "RAY_agent_register_timeout_ms": "240000",
}


def ip(*words: str) -> None:
    """Run `ip`; raises `CalledProcessError` where it may not do that."""
    subprocess.run([shutil.which("ip") or "ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def hosts(name: str) -> Iterator[None]:
    """All hosts at the switch; in the end all that runs there is killed."""
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
        for host in HOSTS:
            stop(name, host)
        for host in (*HOSTS, "switch"):
            subprocess.run(["ip", "netns", "delete", f"{name}-{host}"], capture_output=True)


def start(name: str, host: str) -> None:
    """Start a node of the cluster on a host."""
    role = ("--head", f"--port={PORT}", "--include-dashboard=false") if host == "head" else (
        f"--address={HOSTS['head']}:{PORT}",)  # fmt: skip
    size = ["--num-cpus=1", f"--object-store-memory={STORE}", "--disable-usage-stats"]
    ports = [
        "--dashboard-agent-listen-port=6394",
        "--dashboard-agent-grpc-port=6391",
        "--runtime-env-agent-port=6392",
        "--metrics-export-port=6393",
    ]
    node = [f"--node-ip-address={HOSTS[host]}", *size, *ports, *role]  # Ray waits 30 s for ports that it chooses
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *node]
    inside = ["ip", "netns", "exec", f"{name}-{host}", *command]
    for left in reversed(range(TRIES)):  # now and then one does not come up, whatever time it gets
        ran = subprocess.run(inside, env={**os.environ, **SLOW}, capture_output=True, text=True, timeout=STARTING)
        if ran.returncode == 0:
            return
        stop(name, host)
        print(f"Ray did not start on {host}, {left} tries left: {ran.stderr.strip()[-300:]}", flush=True)
    raise RuntimeError(f"Ray does not start on {host}")


def pids(name: str, host: str) -> list[int]:
    """The processes on a host, but for this one."""
    found = subprocess.run(["ip", "netns", "pids", f"{name}-{host}"], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split() if int(pid) != os.getpid()]


def stop(name: str, host: str, kind: str = "") -> None:
    """Kill the processes on a host whose command has `kind` in it."""
    for pid in pids(name, host):
        try:
            if kind in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
