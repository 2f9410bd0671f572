"""Files that are no recipes: a diagnostic with its place, never a traceback."""

import os

import pytest

from mixc.dsl.parser import parse
from mixc.dsl.reading import check_text, read_source
from mixc.dsl.render import render
from mixc.dsl.text import SourceText


def codes(path):
    source, diagnostics = read_source(path, "x.mix")
    assert (source is None) == bool(diagnostics)
    return [d.code for d in diagnostics], "".join(render(diagnostics, "full"))


def write(tmp_path, data):
    path = tmp_path / "x.mix"
    path.write_bytes(data)
    return path


def test_a_recipe_is_read_as_it_is(tmp_path):
    source, diagnostics = read_source(write(tmp_path, "recipe r\r\n# ü\n".encode()), "x.mix")
    assert diagnostics == []
    assert source is not None
    assert (source.name, source.text) == ("x.mix", "recipe r\r\n# ü\n")


def test_a_missing_file(tmp_path):
    assert codes(tmp_path / "none.mix") == (
        ["M009"],
        "error[M009]: there is no file `x.mix`\n --> x.mix\n  = help: check the name and the current folder\n",
    )


def test_a_folder(tmp_path):
    found, text = codes(tmp_path)
    assert found == ["M009"]
    assert "is a folder" in text


def test_a_name_through_a_file(tmp_path):
    found, _ = codes(write(tmp_path, b"") / "y.mix")
    assert found == ["M009"]


def test_a_name_with_a_nul(tmp_path):
    found, _ = codes(tmp_path / "a\0b.mix")
    assert found == ["M009"]


def test_a_name_that_is_too_long(tmp_path):
    found, _ = codes(tmp_path / ("a" * 5000))
    assert found == ["M009"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, b"recipe r\n")
    path.chmod(0)
    found, text = codes(path)
    assert found == ["M009"]
    assert "may not be read" in text


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path):
    found, text = codes(write(tmp_path, b"recipe r\n# caf\xe9\n"))
    assert found == ["M010"]
    assert "byte 0xe9 at offset 14 (line 2) is not UTF-8" in text
    assert "--> x.mix:2" in text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings(tmp_path, encoding):
    found, _ = codes(write(tmp_path, "recipe r\n".encode(encoding)))
    assert found == ["M010"]


def test_nul_bytes(tmp_path):
    found, _ = codes(write(tmp_path, b"recipe r\n\0\0\0"))
    assert found == ["M010"]


def test_an_empty_file_is_read_and_the_parser_says_what_is_missing(tmp_path):
    source, diagnostics = read_source(write(tmp_path, b""), "x.mix")
    assert diagnostics == []
    assert source is not None
    assert [d.code for d in parse(source)[1]] == ["M006"]


def test_a_file_over_a_megabyte_is_not_read_whole(tmp_path):
    found, _ = codes(write(tmp_path, b"# x\n" * 250_001))
    assert found == ["M008"]


def test_a_line_over_64_k_is_refused(tmp_path):
    found, text = codes(write(tmp_path, b"recipe r\n" + b"#" * 65_537))
    assert found == ["M008"]
    assert "line 2 is 65,537 characters long" in text
    assert codes(write(tmp_path, b"recipe r\n" + b"#" * 65_536))[0] == []


@pytest.mark.parametrize("char", [*"\x07\x1b\x7f\x85\xad\u061c\u200b\u200e\u202e\u2028\u2066\ufeff", "\U000e0041"])
@pytest.mark.parametrize("shape", ["# {}", 'x = "{}"', "x = {}", "{}"])
def test_characters_that_cannot_be_seen_are_refused_everywhere(char, shape):
    source = SourceText("x.mix", "recipe r\n" + shape.format(f"a{char}b") + "\n")
    assert [d.code for d in check_text(source)] == ["M003"]
    assert char not in render(check_text(source), "full")


def test_joiners_may_stand_in_strings_and_comments_only():
    assert check_text(SourceText("x.mix", 'recipe r # \u200d\nx = "\u200c"\n')) == []
    assert [d.code for d in check_text(SourceText("x.mix", "recipe r\nx = a\u200db\n"))] == ["M003"]


def test_a_lone_surrogate_cannot_be_seen():
    assert [d.code for d in check_text(SourceText("x.mix", 'recipe r\nx = "\ud800"\n'))] == ["M003"]
