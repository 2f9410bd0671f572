"""`mixc new`: every recipe that it writes is fine and compiles; what it cannot write it explains."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.compiler.review.output import write_new
from mixc.compiler.starter.sizes import published
from mixc.compiler.starter.write import HEAD
from mixc.compiler.supply.languages import resolve
from tests.cli.ran import Ran
from tests.examples import shown

Mixc = Callable[..., Ran]
CATALOGS = Path(__file__).parents[2] / "recipes" / "catalogs"
WORDS = "the quick brown fox jumps over the lazy dog and runs away "


def rows(count: int, start: int = 0, **more: Callable[[int], Any]) -> list[dict[str, Any]]:
    made = []
    for i in range(start, start + count):
        row = {"id": f"d{i}", "text": WORDS * (40 + i % 50), "lang": ("en", "deu_Latn", "french")[i % 3]}
        made.append(row | {key: make(i) for key, make in more.items()})
    return made


def jsonl(path: Path, found: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in found))


def one_spaced(path: Path) -> str:
    """A recipe without its alignment and line breaks."""
    return " ".join(path.read_text(encoding="utf-8").split())


def fine(mixc: Mixc, name: str) -> None:
    """Checked without a word, in the one formatting, compiled."""
    assert mixc("check", name) == Ran(0, f"{name}: fine\n", "")
    assert mixc("fmt", "--check", name) == Ran(0, "", "")
    ran = mixc("compile", name)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--languages", "sv,is,no,zxx,zh"),
        ("--languages", "eng, en  deu_Latn", "--compute", "3e21"),
        ("--model", "1.2B params", "--tokens", "60B"),
        ("--tokens", "100B tokens"),
        ("--model", "350M"),
        ("--model", "7B", "--compute", "1e22 FLOPs"),
        ("--languages", ",".join(sorted(code for corpus in published() for code in corpus.sizes)[:60])),
    ],
)
def test_a_plan_is_fine(mixc: Mixc, folder: Path, options: tuple[str, ...]) -> None:
    ran = mixc("new", "plan.mix", *options)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("next:\n  mixc check plan.mix\n  mixc compile plan.mix\n")
    fine(mixc, "plan.mix")


def test_the_description_stays_true_when_the_recipe_is_changed(mixc: Mixc, folder: Path) -> None:
    mixc("new", "plan.mix", "--languages", "sv,da", "--model", "350M")
    jsonl(folder / "web" / "a.jsonl", rows(400))
    mixc("new", "web.mix", "--data", "web")
    said = set()
    for name in ("plan", "web"):
        assert mixc("compile", f"{name}.mix").code == 0
        said.add(json.loads((folder / f"{name}.manifest.json").read_text())["recipe"]["description"])
    assert said == {HEAD}  # the same of all of them, so it cannot state what one of them does
    assert not any(char.isdigit() for char in HEAD)


def test_sizes_are_those_of_the_catalogs() -> None:
    """The table that ships restates the catalogs that recipes use: no figure of its own."""
    names = {"fineweb": "fineweb", "fineweb2": "fineweb2", "stack_edu": "stack-edu"}
    for corpus in published():
        text = (CATALOGS / f"{names[corpus.name]}.csv").read_text(encoding="utf-8")
        found = {}
        for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
            code = resolve(f"{row['language']}_{row['script']}")
            if code is not None and code.main and int(row[corpus.unit]) >= 100_000_000:
                found[code.code] = int(row[corpus.unit])
        assert dict(corpus.sizes) == found
        assert corpus.license is None or corpus.license in text


def test_data_is_looked_at(mixc: Mixc, folder: Path) -> None:
    more = {"edu_score": lambda i: i % 97 / 10, "ppl": lambda i: 1 + i % 89, "toxicity": lambda i: i / 7}
    jsonl(folder / "web" / "a.jsonl", rows(400, **more, url=lambda i: f"x{i}", language_score=lambda i: 0.9))
    pq.write_table(pa.Table.from_pylist(rows(400, 400, **more)), folder / "web" / "b.parquet")
    ran = mixc("new", "web.mix", "--data", "web")
    assert (ran.code, ran.err) == (0, "")
    text = one_spaced(folder / "web.mix")
    assert 'columns = { id: "id", text: "text", language: "lang" }' in text
    assert 'aliases = { "french": fr }' in text
    assert 'rater edu_score { column = "edu_score" }' in text
    assert 'rater ppl { column = "ppl", better = lower }' in text
    assert '# rater toxicity { column = "toxicity" }' in text
    assert "Only in some files: language_score, url." in text
    assert "The data holds" in text
    assert "# languages [" in text
    fine(mixc, "web.mix")


def test_a_column_of_languages_is_known_by_its_values(mixc: Mixc, folder: Path) -> None:
    made = rows(300, grade=lambda i: ("no", "yes")[i % 2])
    jsonl(
        folder / "a.jsonl", [{"sprache" if key == "lang" else key: value for key, value in row.items()} for row in made]
    )
    assert mixc("new", "a.mix", "--data", "a.jsonl").code == 0
    assert 'language: "sprache"' in one_spaced(folder / "a.mix")
    fine(mixc, "a.mix")


def test_a_column_is_stated_for_the_data_that_has_it(mixc: Mixc, folder: Path) -> None:
    jsonl(folder / "web.jsonl", rows(300))
    jsonl(folder / "books.jsonl", [{"isbn": row["id"], "fulltext": row["text"], "lang": "en"} for row in rows(300)])
    both = ("--data", "web.jsonl", "--data", "books.jsonl")
    assert "error[M841]" in mixc("new", "a.mix", *both).err
    assert mixc("new", "a.mix", *both, "--column", "text=fulltext").code == 0
    written = one_spaced(folder / "a.mix")
    assert 'text: "text"' in written and 'text: "fulltext"' in written
    fine(mixc, "a.mix")
    nowhere = mixc("new", "b.mix", *both, "--column", "text=fulltxt")
    assert nowhere.code == 1
    command = "mixc new b.mix --data web.jsonl --data books.jsonl --column text=fulltxt"
    shown("M847", nowhere.err, command=command)


def test_domains_are_values_of_a_column_with_few(mixc: Mixc, folder: Path) -> None:
    jsonl(
        folder / "a.jsonl",
        rows(600, topic=lambda i: ("Arts & Ent", 'a "b" \\c', "news")[i % 3], score=lambda i: i % 101),
    )
    jsonl(folder / "hosts.jsonl", rows(300, domain=lambda i: f"site{i}.example.com"))
    assert mixc("new", "a", "--data", "a.jsonl").code == 0
    text = one_spaced(folder / "a.mix")
    assert 'domain: "topic"' in text
    assert 'domain "Arts & Ent" { weights = { score: 1 } }' in text
    fine(mixc, "a.mix")
    assert mixc("new", "b", "--data", "hosts.jsonl").code == 0
    assert " domain = text " in one_spaced(folder / "b.mix")
    fine(mixc, "b.mix")


def test_two_patterns_are_two_sources(mixc: Mixc, folder: Path) -> None:
    jsonl(folder / "one" / "x.jsonl", rows(300, edu=lambda i: i))
    jsonl(folder / "en" / "x.jsonl", [{"content": WORDS * 50} for _ in range(300)])
    ran = mixc("new", "two", "--data", "one", "--data", "en")
    assert (ran.code, ran.err) == (0, "")
    text = (folder / "two.mix").read_text()
    assert "source one {" in text
    assert "source en_data {" in text  # `en` alone is a language
    assert mixc("check", "two.mix").out == "two.mix: fine\n"


@pytest.mark.parametrize(
    "name", ["a b", 'q"uote', "back\\slash", "Größe 数据", "$x {y}", "[1] *", "-dash", "tab\tnew\nline", "text", "all"]
)
def test_any_folder_can_be_named(mixc: Mixc, folder: Path, name: str) -> None:
    jsonl(folder / name / "x.jsonl", rows(400))
    ran = mixc("new", "strange.mix", f"--data={name}")
    assert (ran.code, ran.err) == (0, ""), ran.err
    fine(mixc, "strange.mix")


@pytest.mark.parametrize("name", ["a${root}b", "x\x01y", "zero\u200bwidth"])
def test_a_folder_that_no_recipe_can_name(mixc: Mixc, folder: Path, name: str) -> None:
    jsonl(folder / name / "x.jsonl", rows(10))
    ran = mixc("new", "strange.mix", "--data", name)
    assert ran.code == 1
    assert "error[M843]" in ran.err
    if "$" in name:
        shown("M843", ran.err, command=f"mixc new strange.mix --data '{name}'")
    assert not (folder / "strange.mix").exists()


def test_a_file_that_reads_as_a_param_is_refused_by_all(mixc: Mixc, folder: Path) -> None:
    jsonl(folder / "a${root}b" / "x.jsonl", rows(10))
    told = mixc("new", "strange.mix", "--data", "a[$]*/*.jsonl").err
    shown("M516", told, about="A folder is named `a${root}b`.", command="mixc new strange.mix --data 'a[$]*/*.jsonl'")
    recipe = "recipe a\nbudget { model = 1M params, tokens = 1M tokens }\n"
    recipe += 'source s { path = "a[$]*/*.jsonl", columns = { text: "text" }, epochs <= 4 }\n'
    (folder / "a.mix").write_text(recipe)
    assert "error[M516]" in mixc("compile", "a.mix").err


def test_absolute_paths_become_a_param(mixc: Mixc, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    jsonl(away / "de ep" / "x.jsonl", rows(400))
    (folder / "sub").mkdir()
    assert mixc("new", "sub/far.mix", "--data", f"{away}/de ep/*.jsonl").code == 0
    assert 'path = "${root}/*.jsonl"' in one_spaced(folder / "sub" / "far.mix")
    fine(mixc, "sub/far.mix")
    jsonl(folder / "near" / "x.jsonl", rows(400))
    assert mixc("new", "sub/near.mix", "--data", "near").code == 0
    assert 'path = "../near"' in one_spaced(folder / "sub" / "near.mix")
    fine(mixc, "sub/near.mix")


ABOUT = {
    "error[M844]": "No corpus that mixc knows the sizes of holds Ankave, `aak`.",
    "error[M841]": 'A line of the file: `{"x": 1, "y": "a"}`.',
    "error[M842]": 'A line of `mixed/a.jsonl`: `{"text": "a"}`; a line of `mixed/b.jsonl`: `{"content": "a"}`.',
    "error[M508]": "A line of the file: `[1]`.",
    "error[M845]": 'A line of the file: `{"text": "a"}`.',
}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--languages", "en,germna"), "did you mean `de`?"),
        (("--languages", "en,jp"), "did you mean `ja`?"),
        (("--languages", "en,aak"), "error[M844]"),
        (("--tokens", "5X"), "no space before the unit"),
        (("--tokens", "5 flubs"), "error[M202]"),
        (("--model", "1.2B tokens"), "write `1.2B params`"),
        (("--model", "1.2B, seed = 3"), "error[M206]"),
        (("--tokens", "10"), "error[M204]"),
        (("--model", "1B", "--tokens", "1B", "--compute", "1e20"), "the third follows"),
        (("--column", "text=a"), "give `--data` too"),
        (("--data", "none*"), "error[M500]"),
        (("--data", ""), "error[M"),
        (("--data", "toy.mix"), "error[M"),
        (("--data", "table.jsonl"), "error[M841]"),
        (("--data", "mixed"), "error[M842]"),
        (("--data", "bad.jsonl"), "error[M508]"),
        (("--data", "plain.jsonl", "--languages", "en,de"), "error[M845]"),
        (("--data", "good.jsonl", "--languages", "is"), "the data holds de, en, fr"),
        (("--data", "good.jsonl", "--column", "text=txet"), "did you mean `text`?"),
        (("--data", "good.jsonl", "--column", "text=number"), "error[M847]"),
        (("--data", "good.jsonl", "--column", "txt=text"), "did you mean `text`?"),
        (("--data", "good.jsonl", "--column", "text"), "write `--column text=NAME`"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    mixc: Mixc, folder: Path, options: tuple[str, ...], words: str
) -> None:
    jsonl(folder / "good.jsonl", rows(30, number=lambda i: i / 2))
    jsonl(folder / "plain.jsonl", [{"text": "a"}])
    jsonl(folder / "table.jsonl", [{"x": 1, "y": "a"}])
    jsonl(folder / "mixed" / "a.jsonl", [{"text": "a"}])
    jsonl(folder / "mixed" / "b.jsonl", [{"content": "a"}])
    (folder / "bad.jsonl").write_text("[1]\n")
    before = sorted(folder.rglob("*"))
    ran = mixc("new", "wrong.mix", *options)
    assert ran.code == 1
    assert words in ran.err
    assert sorted(folder.rglob("*")) == before
    if words in ABOUT:
        code = words.removeprefix("error[").removesuffix("]")
        shown(code, ran.err, about=ABOUT[words], command=f"mixc new wrong.mix {' '.join(options)}")


def test_a_budget_beyond_the_data_is_a_warning(mixc: Mixc, folder: Path) -> None:
    jsonl(folder / "a.jsonl", rows(30))
    ran = mixc("new", "a.mix", "--data", "a.jsonl", "--tokens", "1B")
    assert ran.code == 0
    about = "`a.jsonl` holds 30 short texts."
    shown("M846", ran.err, about=about, command="mixc new a.mix --data a.jsonl --tokens 1B")
    assert mixc("check", "a.mix").out == "a.mix: fine\n"


def test_nothing_is_written_over(mixc: Mixc, folder: Path) -> None:
    before = (folder / "toy.mix").read_bytes()
    (folder / "link.mix").symlink_to("nowhere")
    (folder / "deep").mkdir()
    for name in ("toy.mix", "toy", "link", "deep", "deep/", "none/a.mix", "."):
        told = mixc("new", name).err
        assert "error[M840]" in told, name
        if name == "toy.mix":
            shown("M840", told, about="There is a recipe `toy.mix` already.", command="mixc new toy.mix")
    assert (folder / "toy.mix").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["deep", "link.mix", "toy.mix"]


def test_of_writers_at_once_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.mix"
    assert write_new(path, b"first") == (True, [])
    assert write_new(path, b"second") == (False, [])
    assert [path.read_bytes(), *tmp_path.iterdir()] == [b"first", path]
    assert [one.code for one in write_new(tmp_path / "none" / "a.mix", b"")[1]] == ["M458"]


class Terminal:
    """`mixc new` in a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", "mixc", "new", *arguments])
        self.seen = ""

    def until(self, words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.end], [], [], 1)[0]:
                self.seen += os.read(self.end, 4096).decode()

    def answer(self, question: str, text: str) -> None:
        self.until(question)
        self.seen = ""
        os.write(self.end, text.encode())

    def code(self, key: str = "") -> int:
        """The exit code; a key to leave is pressed until it is heeded, as it may come just before the wait for keys."""
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.end], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.end, 4096).decode()
                except OSError:  # nobody has the other end open any more
                    break
            elif key:
                os.write(self.end, key.encode())
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(folder, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        if one.pid:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        os.close(one.end)


def test_three_questions(terminal: Callable[..., Terminal], mixc: Mixc, folder: Path) -> None:
    jsonl(folder / "web" / "a.jsonl", rows(400))
    asked = terminal("asked.mix")
    asked.answer("Which data?", "wbe\n")
    asked.until("error")
    asked.answer("Which data?", "web\n")
    asked.answer("Which languages?", "germna\n")
    asked.until("did you mean")
    asked.answer("Which languages?", "de, en\n")
    asked.answer("Which budget?", "5X\n")
    asked.until("M206")
    asked.answer("Which budget?", "100M params, 1M tokens\n")
    assert asked.code() == 0, asked.seen
    assert "languages [de, en]" in (folder / "asked.mix").read_text()
    fine(mixc, "asked.mix")


@pytest.mark.parametrize("answers", [0, 1, 2])
@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_leaving_in_a_question_leaves_nothing(
    terminal: Callable[..., Terminal], folder: Path, answers: int, key: str
) -> None:
    asked = terminal("asked.mix")
    questions = ("Which data?", "Which languages?", "Which budget?")
    for question in questions[:answers]:
        asked.answer(question, "\n")
    asked.answer(questions[answers], key)
    assert asked.code(key) == 130
    assert "Traceback" not in asked.seen
    assert [path.name for path in folder.iterdir()] == ["toy.mix"]


def test_the_readme_says_how_many_sizes_there_are() -> None:
    number = sum(len(corpus.sizes) for corpus in published())
    assert f"published of {number} languages" in (CATALOGS.parents[1] / "README.md").read_text(encoding="utf-8")
