"""A few of the faults of `make crashes`: every kind of it, at points evenly spaced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.crash.__main__ import FEW, PART
from tests.crash.order import disorder, unsynced
from tests.crash.shim import Call, built
from tests.models import absent
from tests.mounting import may_mount

ROOT = Path(__file__).parents[2]
PATIENCE = 1500.0
NEED_MOUNTS = {"read-only", "no room", "no inodes"}
DAMAGES = {"emptied", "cut off", "zeros"}


def test_nothing_is_lost_at_points_evenly_spaced(tmp_path: Path) -> None:
    built()
    command = [sys.executable, "-m", "tests.crash", "--part", "--json", str(tmp_path / "rows.json")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    mounts = bool(may_mount())
    for name, faults in PART.items():
        wanted = {"order", *faults} - {"power"} | (DAMAGES if "power" in faults else set())
        found = {row["fault"]: row for row in rows if row["command"] == name}
        assert set(found) == (wanted if mounts else wanted - NEED_MOUNTS)
        assert all(row["tried"] >= min(FEW, row["points"]) > 0 == len(row["lost"]) for row in found.values())
    faults = [row for row in rows if row["fault"] != "order"]
    assert 4 * sum(row["idle"] for row in faults) < sum(row["tried"] for row in faults)
    if not mounts:
        absent("NOT TESTED: this user may not mount, so neither a full disk nor a read-only one was tried")


def call(name: str, path: str, other: str = "", size: int = -1) -> Call:
    return Call(0, 1, name, f"/w/{path}" if path else "/w", f"/w/{other}" if other else "", size, 0)


def test_the_order_that_a_loss_of_power_asks_for() -> None:
    made = [call("open", "t"), call("write", "t"), call("fsync", "t"), call("rename", "t", "x", 3), call("fsync", "")]
    assert disorder(made, Path("/w")) == unsynced(made, Path("/w")) == []
    late = [*made[:2], made[3], made[2], made[4]]
    assert disorder(late, Path("/w")) == ["x gets its name before its bytes are on the disk"]
    assert unsynced(late, Path("/w")) == ["x"]
    again = [*made[:3], call("write", "t"), *made[3:]]
    assert disorder(again, Path("/w")) == ["x gets its name before its bytes are on the disk"]
    assert disorder(made[:4], Path("/w")) == ["x gets its name, and its folder is not synced"]
    assert disorder([call("mkdir", "deep/er")], Path("/w")) == ["folder deep/er is not synced where it lies"]
    cached = [call("write", ".mixc/t"), call("rename", ".mixc/t", ".mixc/x", 3)]
    assert (disorder(cached, Path("/w")), unsynced(cached, Path("/w"))) == ([], [".mixc/x"])
