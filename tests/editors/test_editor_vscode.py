"""The extension for VS Code: its manifest fits its files, and what it starts is what mixc understands.

`drive_extension.cjs` runs it with the real language client; only the editor itself is a stand-in.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.editors.conftest import EXTENSION, ROOT, Node

PACKAGE = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
CONTRIBUTES = PACKAGE["contributes"]
MIXC = Path(sys.executable).with_name("mixc")
INSTALL = 'pip install "mixc[lsp]"'


def drive(node: Node, **script: Any) -> Any:
    return node("drive_extension.cjs", EXTENSION / "extension.js", given={"settings": {}, **script})


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Path]:
    """A command that is mixc and writes down how it was called, and the file that it writes to."""
    command, calls = tmp_path / "bin dir" / "mixc", tmp_path / "calls.txt"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nprintf "%s|%s\\n" "$PWD" "$*" >> "{calls}"\nexec "{MIXC}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return command, calls


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A recipe in a folder of a git repository, with a name that a shell would split, and its manifest committed."""
    folder = tmp_path / "all recipes" / "mine"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "recipes" / "hello.mix", folder / "a $b.mix")
    subprocess.run([MIXC, "compile", "a $b.mix"], cwd=folder, check=True, capture_output=True)
    person = ("-c", "user.name=mixc", "-c", "user.email=mixc@example.org")
    for arguments in (["init", "-q"], ["add", "."], [*person, "commit", "-qm", "A mixture"]):
        subprocess.run(["git", *arguments], cwd=folder.parent, check=True)
    return folder / "a $b.mix"


def test_the_files_that_the_manifest_names_exist() -> None:
    (language,), (grammar,) = CONTRIBUTES["languages"], CONTRIBUTES["grammars"]
    for name in (PACKAGE["main"], language["configuration"], grammar["path"]):
        assert (EXTENSION / name).is_file(), name
    assert json.loads((EXTENSION / grammar["path"]).read_text(encoding="utf-8"))["scopeName"] == grammar["scopeName"]
    assert (language["id"], language["extensions"]) == (grammar["language"], [".mix"])
    assert (EXTENSION / "README.md").is_file()


def test_versions_are_those_of_mixc_and_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{PACKAGE["version"]}"\n' in project and PACKAGE["license"] in project
    pins = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    assert [pin for pin in pins.values() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []


def test_settings_are_read_under_the_names_that_they_have() -> None:
    source = (EXTENSION / "extension.js").read_text(encoding="utf-8")
    assert set(CONTRIBUTES["configuration"]["properties"]) == {"mixc.path"}
    assert '.getConfiguration("mixc").get("path", "mixc")' in source
    assert CONTRIBUTES["configuration"]["properties"]["mixc.path"]["default"] == "mixc"
    assert PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] == ["mixc.path"]


def test_words_are_selected_whole() -> None:
    rules = json.loads((EXTENSION / "language-configuration.json").read_text(encoding="utf-8"))
    text = "source stack-edu { epochs <= 4, tokens = 1.2B tokens, share = 30% } # per-file"
    words = [match[0] for match in re.finditer(rules["wordPattern"], text)]
    assert words == ["source", "stack-edu", "epochs", "4", "tokens", "1.2B", "tokens", "share", "30%", "per-file"]
    more, less = (rules["indentationRules"][f"{way}IndentPattern"] for way in ("increase", "decrease"))
    opening = ["source a {", "budget { # why", '  path = "{" {', "require share("]
    closed = ["source a { }", "epochs <= 4", '  path = "a{"', "# source {", 'x = "#{"']
    assert [line for line in opening + closed if re.match(more, line)] == opening
    assert re.match(less, "  }") and not re.match(less, "  a }")


def test_every_command_is_registered_and_goes_with_the_extension(node: Node) -> None:
    done = drive(node, settings={"mixc.path": "/no/such/mixc"})
    assert done["registered"] == [command["command"] for command in CONTRIBUTES["commands"]]
    assert done["left"] == []


@pytest.mark.parametrize("path", ["/no/such/mixc", "no-such-mixc"])
def test_without_mixc_it_says_what_to_type_once(node: Node, path: str) -> None:
    (message,) = drive(node, settings={"mixc.path": path})["messages"]
    assert message == f"`{path} lsp` cannot be started. Type `{INSTALL}`, or set `mixc.path` to where mixc is."


@pytest.mark.parametrize(
    ("answer", "opened"), [("Open Settings", [["workbench.action.openSettings", "mixc.path"]]), ("", [])]
)
def test_the_message_leads_to_the_setting(node: Node, answer: str, opened: list[list[str]]) -> None:
    done = drive(node, settings={"mixc.path": "/no/such/mixc"}, answer=answer)
    assert [command for command in done["commands"] if command[0].startswith("workbench")] == opened


def test_a_server_that_ends_at_once_is_told_with_its_last_words(node: Node, tmp_path: Path) -> None:
    command = tmp_path / "mixc"
    command.write_text("#!/bin/sh\necho 'error[M599]: no pygls here' >&2\nexit 1\n", encoding="utf-8")
    command.chmod(0o755)
    done = drive(node, settings={"mixc.path": str(command)})
    assert [INSTALL in message for message in done["messages"]] == [True]
    assert any("error[M599]: no pygls here" in line for line in done["output"])


def test_it_starts_the_server_in_the_workspace_and_again_when_the_setting_changes(
    node: Node, recorded: tuple[Path, Path], tmp_path: Path
) -> None:
    command, calls = recorded
    steps = [{"set": {"mixc.path": "bin dir/mixc"}}, {"set": {"other.path": "x"}}, {"command": "mixc.restart"}]
    drive(node, settings={"mixc.path": str(command)}, folder=str(tmp_path), steps=steps)
    assert calls.read_text(encoding="utf-8").splitlines() == [f"{tmp_path}|lsp"] * 3


def test_a_broken_recipe_is_diagnosed_through_the_real_server(node: Node, tmp_path: Path) -> None:
    recipe = tmp_path / "broken.mix"
    recipe.write_text("recipe broken\nsorce web { epochs <= 4 }\n", encoding="utf-8")
    done = drive(node, settings={"mixc.path": str(MIXC)}, folder=str(tmp_path), steps=[{"open": str(recipe)}])
    assert done["messages"] == []
    assert any("sorce" in message for message in done["diagnostics"][str(recipe)])


def test_commands_run_what_mixc_understands(node: Node, repository: Path) -> None:
    names = ("mixc.compile", "mixc.diff", "mixc.explain")
    ways = ([str(repository)], [repository.as_uri()], [])  # from a code lens, and what is being edited
    steps = [{"command": name, "args": arguments} for arguments in ways for name in names]
    done = drive(node, settings={"mixc.path": str(MIXC)}, active=str(repository), steps=steps)
    runs = [task["execution"] for task in done["tasks"]]
    assert runs == runs[:3] * 3
    assert [run["args"][0] for run in runs[:3]] == ["compile", "diff", "explain"]
    text = repository.read_text(encoding="utf-8")
    repository.write_text(text.replace("10B tokens", "12B tokens"), encoding="utf-8")
    said = []
    for run in runs[:3]:
        assert (run["process"], run["options"]) == (str(MIXC), {"cwd": str(repository.parent)})
        ran = subprocess.run([run["process"], *run["args"]], **run["options"], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stdout)
    assert "10B" in said[1] and "12B" in said[1]  # what the last commit has, and what was just compiled


def test_what_was_edited_is_saved_first_and_other_files_are_refused(node: Node, tmp_path: Path) -> None:
    recipe = str(tmp_path / "a.mix")
    steps = [{"command": "mixc.compile", "args": [name]} for name in (recipe, "/a/b.txt")]
    done = drive(node, settings={"mixc.path": "/no/such/mixc"}, dirty=[recipe], steps=steps)
    assert done["saved"] == [recipe] and len(done["tasks"]) == 1
    assert done["messages"][-1] == "mixc: open a recipe, `NAME.mix`, in the editor first."


def test_the_home_folder_can_be_written_short(node: Node, recorded: tuple[Path, Path], tmp_path: Path) -> None:
    command, _ = recorded
    home = os.environ.get("HOME", "")
    relative = os.path.relpath(command, home) if home else str(command)
    step = {"command": "mixc.explain", "args": [str(tmp_path / "a.mix")]}
    done = drive(node, settings={"mixc.path": f"~/{relative}"}, steps=[step])
    assert Path(os.path.normpath(done["tasks"][0]["execution"]["process"])) == command
