"""Mutations of bytes and words: what a slip of the hand, a bad merge or a broken disk does to a recipe."""

from __future__ import annotations

import random
import re

TOKEN = re.compile(
    rb'"(?:\\.|[^"\\\n])*"|[A-Za-z_][\w-]*|\d[\d_.]*(?:[eE][+-]?\d+)?[%KMBT]?|<=|>=|==|\.\.|\s+|.', re.DOTALL
)
ODD = (
    b"\x00",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\t",
    b"\xe2\x80\xae",
    b"\xe2\x80\x9c",
    b"{",
    b"}",
    b"(",
    b")",
    b"[",
    b"]",
    b'"',
    b"#",
    b"..",
    b"\\",
    b"<<<<<<< HEAD\n",
    b"1e999",
    b"-3B",
    b"NaN",
    b"inf",
    b"0 tokens",
    b"${x}",
    b"e",
    b"%",
    b"{" * 300,
    b"(" * 300,
    b"-" * 300,
    b"\n" * 300,
    b"recipe",
    b"override",
    b"require",
    b"within",
    b"=",
    b",",
    b":",
)


def mutate_bytes(chance: random.Random, texts: tuple[bytes, ...]) -> bytes:
    """A recipe in which one to six bytes, words or stretches were changed."""
    data = chance.choice(texts)
    for _ in range(chance.randint(1, 6)):
        data = chance.choice((_byte, _odd, _token, _token, _cut, _move, _splice))(chance, data, texts)
    return data


def _byte(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + chance.randint(0, 1) :]


def _odd(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(ODD) + data[at:]


def _token(chance: random.Random, data: bytes, texts: tuple[bytes, ...]) -> bytes:
    words, others = TOKEN.findall(data), TOKEN.findall(chance.choice(texts))
    if not words or not others:
        return data
    at, kind = chance.randrange(len(words)), chance.randint(0, 2)
    words[at : at + 1] = (
        [] if kind == 0 else [chance.choice(others)] if kind == 1 else [words[at], chance.choice(others)]
    )
    return b"".join(words)


def _cut(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + (data[start + chance.randint(1, 40) :] if chance.random() < 0.8 else b"")


def _move(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _splice(chance: random.Random, data: bytes, texts: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\n")
    lines.insert(chance.randint(0, len(lines)), chance.choice(chance.choice(texts).split(b"\n")))
    return b"\n".join(lines)
