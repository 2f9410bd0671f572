"""Licences are of kinds we accept, the bill of materials is valid, every bound is there, nothing needs a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from tests.chain import audit
from tests.chain.audit import told
from tests.chain.packages import ALLOWED, EXTRAS, VENDOR, licences, named, running
from tests.chain.sbom import environment, faults, restricted
from tests.determinism.corpus import pool
from tests.nag.scoring_pool import GATED
from tests.nag.scoring_pool import pool as aimed
from tests.nag.tiny import saved

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FEW = 5  # the schema takes a third of a second for each package; `make sbom` has it look at all


def test_licences_are_of_the_kinds_we_accept() -> None:
    found, absent = running(EXTRAS)
    assert len(found) > 40
    print("NOT LISTED, for they are not installed:", *absent)
    wrong = {name: licences(one) - ALLOWED for name, one in found.items() if not VENDOR.match(name)}
    assert not {name: said for name, said in wrong.items() if said}


def test_the_bill_of_materials_is_valid_and_whole() -> None:
    bill = restricted(environment(), ())
    core = set(running()[0]) - {"mixc"}
    assert {named(one["name"]) for one in bill["components"]} == core
    assert all(one["version"] and one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    few = {**bill, "components": bill["components"][:FEW], "dependencies": []}
    assert faults(few) == ""
    assert faults({**few, "components": [{"name": "nothing"}]})


def test_everything_that_runs_has_bounds() -> None:
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *(line for name in EXTRAS for line in extras[name])]:
        signs = {one.operator for one in Requirement(text).specifier}
        assert signs == {"=="} or signs == {">=", "<"}, text


def test_an_audit_counts_what_was_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    looked = [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "version": "2", "vulns": [{"id": "X-1"}]}]
    assert told(looked, 3) == 1
    assert capsys.readouterr().out == "b 2: X-1\n2 of 3 packages looked up, 1 known vulnerabilities\n"
    assert told(looked[:1], 3) == 0


def test_an_audit_that_looked_up_nothing_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit itself calls this free of known vulnerabilities."""
    nothing = SimpleNamespace(stdout='{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: nothing)
    assert audit.main() == 2
    assert capsys.readouterr().out.splitlines()[-1].startswith("NOT AUDITED: ")


def test_nothing_reaches_for_a_network(tmp_path: Path, smollm: Path) -> None:
    """In a network namespace of its own where the machine lets us, and always under a hook that notes each attempt."""
    pool(tmp_path)
    (tmp_path / "aimed").mkdir()
    aimed(tmp_path / "aimed", saved("Llama", tmp_path / "tiny", smollm), GATED)
    cut = ["unshare", "-rn"]
    alone = shutil.which("unshare") is not None and subprocess.run([*cut, "true"], capture_output=True).returncode == 0
    command = [sys.executable, "-m", "tests.chain.offline", str(tmp_path)]
    ran = subprocess.run([*cut * alone, *command], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "no attempt"
    assert len(ran.stdout.splitlines()) == 14, ran.stdout
