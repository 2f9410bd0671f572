"""Renderers: the examples of the language page, and everything that could break a terminal or a line."""

import json

import pytest
from cases import CASES, check_golden

from mixc.dsl.diagnostics import Diagnostic, Label, Severity
from mixc.dsl.render import render
from mixc.dsl.text import SourceText, Span

PAGE = SourceText(
    "recipes/multilingual.mix",
    (CASES / "render" / "multilingual.mix").read_text(),
)


def at(text, nth=1, source=PAGE):
    """The span of the nth occurrence of a text."""
    start = -1
    for _ in range(nth):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


EXAMPLES = {
    "M101": Diagnostic(
        "M101",
        "unknown key `columms` in `source`",
        (Label(at("columms"), "not a key of `source`"),),
        ("keys of `source`: path, columns, domain, language, epochs, license",),
        ("did you mean `columns`?",),
    ),
    "M201": Diagnostic(
        "M201",
        "`ratio` is measured in tokens/param, not params/token",
        (Label(at("20 params/token"), "this is params/token"),),
        ("`ratio` bounds how many tokens each parameter sees",),
        ("write `20 tokens/param`",),
    ),
    "M301": Diagnostic(
        "M301",
        "these requirements cannot hold together",
        (
            Label(at("share(web) <= 40%"), "at most 40% from `web`"),
            Label(at("share(code) <= 15%"), "at most 15% comes from `code`"),
            Label(at("share(encyclopedia) <= 10%"), "at most 10% from `encyclopedia`"),
        ),
        (
            "every source lies in one of these three domains: 15% + 40% + 10% = 65%, but shares sum to 100%",
            "no two of them conflict; all other requirements were set aside and play no part",
        ),
        ("loosening any one by 35 points restores feasibility, e.g. `share(web) <= 75%`",),
    ),
    "M302": Diagnostic(
        "M302",
        "language `ko` has no supply",
        (Label(at("language ko"), "declared with priority 0.5 here"),),
        (
            'read 1,204 shards of `fineweb` and `wikipedia`; the column "lang" holds 16 of the 17 declared codes',
            '3.1B tokens are tagged "kor", which is not declared',
        ),
        ("map it in the source: `aliases = { kor: ko }`",),
    ),
    "M102": Diagnostic(
        "M102",
        "language `pt` is declared twice",
        (Label(at("language pt", 2), "declared again here"), Label(at("language pt"), "first declared here")),
        (),
        ("remove one, or write `override language pt` in a recipe that extends this one",),
    ),
    "M401": Diagnostic(
        "M401",
        'source `wikipedia` has no column "n_tokens"',
        (
            Label(at('"n_tokens"', 2), "not in the data"),
            Label(at('"${root}/wiki/*.jsonl.zst"'), "read from /data/pretrain/wiki/000.jsonl.zst"),
        ),
        ("columns found: text, lang, title, url, token_count",),
        ('did you mean "token_count"? without `tokens`, mixc counts them itself (about 11 min)',),
    ),
}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_examples_of_the_language_page(code):
    check_golden(CASES / "render" / f"{code}.txt", render([EXAMPLES[code]], "full"))


@pytest.mark.parametrize("format", ["concise", "json", "github"])
def test_the_other_formats(format):
    check_golden(CASES / "render" / f"all.{format}.txt", render(EXAMPLES.values(), format))


def test_colours_only_when_asked_and_around_the_same_text():
    import re

    plain, coloured = render(EXAMPLES.values(), "full"), render(EXAMPLES.values(), "full", color=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[M101]" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_several_files_the_primary_one_first():
    base = SourceText("base.mix", "recipe base\nlanguage pt { }\n")
    child = SourceText("child.mix", 'recipe child extends "base.mix"\n\nlanguage pt { }\n')
    made = Diagnostic(
        "M102",
        "language `pt` is declared twice",
        (Label(at("language pt", 1, child), "declared again here"), Label(at("language pt", 1, base), "first here")),
    )
    check_golden(CASES / "render" / "two-files.txt", render([made], "full"))


def test_lines_between_one_is_shown_more_are_not():
    source = SourceText("x.mix", "".join(f"line{n}\n" for n in range(1, 12)))
    labels = tuple(Label(at(f"line{n}\n", 1, source), str(n)) for n in (9, 1, 3, 4))
    check_golden(CASES / "render" / "distances.txt", render([Diagnostic("M001", "m", labels)], "full"))


@pytest.mark.parametrize("before", ["\t\t", "漢字 ", "é ", "e\u0301 ", "a\tb\t", "\u200d", "\x1b[31m", "\u202e", "ｗ"])
def test_marks_stand_under_their_text_whatever_stands_before(before):
    from mixc.dsl.display import width_of

    source = SourceText("x.mix", f"{before}HERE = 1")
    lines = render([Diagnostic("M001", "m", (Label(at("HERE", 1, source), "this"),))], "full").splitlines()
    assert width_of(lines[3].split("HERE")[0]) == len(lines[4].split("^")[0])
    assert lines[4].count("^") == 4


def test_a_long_line_is_cut_around_its_mark():
    source = SourceText("x.mix", "a" * 5000 + "HERE" + "b" * 5000)
    for width in (40, 80, 100, 200):
        text = render([Diagnostic("M001", "m", (Label(at("HERE", 1, source), "this"),))], "full", width=width)
        line, mark = text.splitlines()[3:5]
        assert len(line) <= max(width, 45)
        assert line[mark.index("^") :].startswith("HERE")
        assert line.endswith("...")


def test_marks_outside_of_a_cut_line_stay_on_the_screen():
    source = SourceText("x.mix", "FIRST " + "a" * 5000 + " HERE")
    labels = (Label(at("HERE", 1, source), "this"), Label(at("FIRST", 1, source), "that"))
    text = render([Diagnostic("M001", "m", labels)], "full", width=80)
    assert all(len(line) <= 90 for line in text.splitlines())


def test_a_span_of_several_lines_is_marked_on_its_first():
    source = SourceText("x.mix", "source a {\n  x = 1\n}\n")
    text = render([Diagnostic("M001", "m", (Label(Span(source, 0, 20), "this"),))], "full")
    assert text.splitlines()[3:5] == ["1 | source a {", "  | ^^^^^^^^^^ this"]


def test_a_place_behind_the_end_of_the_text():
    source = SourceText("x.mix", "recipe r\n")
    text = render([Diagnostic("M001", "m", (Label(Span(source, 9, 9), "here"),))], "full")
    assert text.splitlines()[1:] == [" --> x.mix:2:1", "  |", "2 |", "  | ^ here"]


def test_nothing_a_recipe_holds_reaches_the_terminal_raw():
    source = SourceText("a\x1b]0;\x07\n.mix", "x = \x1b[2J\u202e\r")
    made = Diagnostic("M003", "`\x1b[2J` \n", (Label(Span(source, 4, 5), "\x1b"),), ("\x9b",), ("\u2028",))
    for format in ("full", "concise", "github"):
        text = render([made], format)
        assert not any((ord(char) < 32 and char != "\n") or char in "\x9b\u2028\u202e" for char in text)
    assert len(render([made], "concise").splitlines()) == 1
    assert len(render([made], "github").splitlines()) == 1
    assert "\x1b" not in render([made], "json")


def test_github_escapes_what_would_end_a_property():
    source = SourceText("a,b:c%.mix", "x")
    made = Diagnostic("M001", "100% of a::b", (Label(Span(source, 0, 1)),), severity=Severity.WARNING)
    assert render([made], "github") == (
        "::warning file=a%2Cb%3Ac%25.mix,line=1,col=1,endLine=1,endColumn=2,title=M001::100%25 of a::b\n"
    )


def test_without_a_place_the_subject_is_named():
    made = Diagnostic("M009", "there is no file", (), ("a note",), (), Severity.WARNING, "x.mix")
    assert render([made], "full") == "warning[M009]: there is no file\n --> x.mix\n  = note: a note\n"
    assert render([made], "concise") == "x.mix: M009 warning: there is no file\n"
    (data,) = json.loads(render([made], "json"))
    assert (data["file"], data["start"], data["severity"]) == ("x.mix", None, "warning")


def test_nothing_to_say():
    assert [render([], f) for f in ("full", "concise", "json", "github")] == ["", "", "[]\n", ""]
