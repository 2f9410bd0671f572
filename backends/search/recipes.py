"""Recipes that extend another with drawn or found parameters: their text, and whether they pass `mixc check`.

The shares of domains follow from the curves: domain m of T_m tokens gives T_m F_m. `mixc compile` would decide shares
by loss, so a recipe with several rated domains states their ratios; languages and sources stay the recipe's to decide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mixc.backends.search.design_messages import does_not_check, not_written
from mixc.backends.search.space import Floats, fractions
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.recipe import Recipe
from mixc.compiler.whole import write_whole
from mixc.dsl.diagnostics import Severity
from mixc.dsl.formatter import format_source
from mixc.dsl.text import SourceText

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")
DIGITS = 6  # of every number that is written, so that tables, recipes and platforms agree
LEAST = {"lambda": 1e-3, "omega": 1e-6, "eta": 1e-6, "epsilon": 0.0}  # a curve has none of 0
SHARE_DIGITS = 6


def rounded(theta: Floats) -> Floats:
    """Theta [..., M, N + 4] as it is written: weights of 6 decimals that sum to 1, curves of 6 digits and above 0."""
    result = theta.copy()
    weights = np.round(theta[..., :-4], DIGITS)
    largest = weights.argmax(axis=-1)[..., None]
    rest = weights.sum(axis=-1, keepdims=True) - np.take_along_axis(weights, largest, axis=-1)
    np.put_along_axis(weights, largest, np.round(1.0 - rest, DIGITS), axis=-1)
    result[..., :-4] = weights
    least = np.array(list(LEAST.values()))
    curves = np.maximum(theta[..., -4:], least)
    digits = [float(f"{value:.{DIGITS}g}") for value in curves.ravel().tolist()]
    result[..., -4:] = np.reshape(digits, curves.shape)
    return result


def number(value: float) -> str:
    """A number without an exponent."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return text or "0"


def word(name: str) -> str:
    """A name as a recipe writes it."""
    return name if NAME.fullmatch(name) else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def theta_text(domains: Sequence[str], raters: Sequence[str], theta: Floats, tokens: Sequence[float] | None) -> str:
    """Overrides of rated domains by theta [M, N + 4], and the ratios of their shares where `tokens` [M] are known."""
    lines = []
    for domain, row in zip(domains, theta.tolist(), strict=True):
        weights = ", ".join(f"{word(r)}: {number(value)}" for r, value in zip(raters, row[:-4], strict=True))
        names = ("lambda", "omega", "eta", "epsilon")
        curve = ", ".join(f"{name}: {number(value)}" for name, value in zip(names, row[-4:], strict=True))
        lines += [f"override domain {word(domain)} {{", f"weights = {{ {weights} }}", f"sampling = {{ {curve} }}", "}"]
    if tokens is None or len(domains) == 1:
        return "\n".join(lines) + "\n"
    taken = fractions(theta[:, -4:]) * np.array(tokens)
    first = int(taken.argmax())
    lines += ["", "# The shares that the curves give: tokens of a domain x the integral of its curve."]
    for m, domain in enumerate(domains):
        if m != first and tokens[m] > 0:
            ratio = number(float(f"{taken[m] / taken[first]:.{DIGITS}g}"))
            lines.append(f"require share({_share(domain)}) == {ratio} * share({_share(domains[first])})")
    return "\n".join(lines) + "\n"


def mixture_text(domains: Sequence[str], shares: Floats) -> str:
    """The shares of domains [M] but for the largest, which is what the others leave."""
    largest = int(shares.argmax())
    lines = [f"# {domains[largest]}: the rest, {100 * shares[largest]:.4g} %"]
    for m, domain in enumerate(domains):
        if m != largest:
            lines.append(
                f"require share({_share(domain)}) == {number(round(100 * float(shares[m]), SHARE_DIGITS - 2))}%"
            )
    return "\n".join(lines) + "\n"


def _share(domain: str) -> str:
    """A domain within a rule; a language or source may have the same name."""
    return f"domain.{domain}" if NAME.fullmatch(domain) else word(domain)


def overlay(comment: str, name: str, recipe: Recipe, folder: Path, body: str) -> str:
    """The whole text of a recipe `name` in `folder` that extends another, in the one formatting."""
    above = Path(os.path.relpath(recipe.path, folder.absolute())).as_posix()
    words = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")
    head = words if re.match(r"[A-Za-z_]", words) else f"r-{words}"
    lines = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    text = f'{lines}recipe {head} extends "{above}"\n\n{body}'
    formatted, _ = format_source(SourceText(name, text))
    return text if formatted is None else formatted


def inside(recipe: Recipe, folder: Path) -> bool:
    """Whether a recipe in `folder` may extend this one without `--allow-outside`."""
    return Path(os.path.realpath(recipe.path)).is_relative_to(os.path.realpath(folder))


def write_recipe(path: Path, text: str, *, check: bool = True, part: bool = False) -> None:
    """Write a recipe that passes `mixc check`; raises Unreadable where it does not, and writes nothing.

    `part`: of a folder that is brought to the disk and moved to its place as a whole.
    """

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")
        if check:
            _, found = load_recipe(temporary, allow_outside=True)
            errors = [one.message for one in found if one.severity is Severity.ERROR]
            if errors:
                raise Unreadable(does_not_check(path.name, errors))

    try:
        write_whole(path, write, lasting=not part, alone=not part)
    except OSError as error:
        raise Unreadable(not_written(str(path), (error.strerror or "the system gave no reason").lower())) from None
