"""A recipe for data: sources, columns, raters and languages as a look at the files found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixc.compiler.starter.columns import why_unused
from mixc.compiler.starter.look import MOST_DOMAINS, Look
from mixc.compiler.starter.size import Size, figure
from mixc.compiler.starter.tags import code_of
from mixc.compiler.starter.write import (
    EDIT,
    HEAD,
    NAME,
    budget_block,
    can_hold,
    comment,
    languages_block,
    name_from,
    quoted,
    rules_block,
)
from mixc.compiler.supply.languages import canonical
from mixc.dsl.wording import listed

LIMIT = 4


@dataclass(frozen=True, slots=True)
class Place:
    """How a recipe names the files of one look: a path, with `${root}` where they lie away from the recipe."""

    look: Look
    path: str


def seen_text(
    title: str, places: Sequence[Place], root: str | None, codes: Sequence[str], size: Size, limit: int
) -> str:
    """The recipe `title` for data; `codes` are the languages asked for, none for all that the data holds.

    `limit` is how often a document may be read. With one code and no column of languages, all is in that language.
    """
    tokens, files = sum(place.look.tokens for place in places), sum(place.look.files for place in places)
    said = comment(
        f"Made from a look at {files:,} file{'s' * (files > 1)}, about {_amount(tokens)} tokens.",
        f"What is guessed says so. {EDIT}",
    )
    where = "\n# Where the data lie; on another machine, give `--param root=DIR`.\n"
    params = "" if root is None else f"{where}param root = {quoted(root)}\n"
    several = len(places) > 1
    rated = {tuple(place.look.raters) for place in places}
    domains = [
        name_from(f"{_source_name(place, ())}_text" if several and len(rated) > 1 else "text", "text")
        for place in places
    ]
    taken = {*domains, *(domain for place in places for domain in place.look.domains), "root"}
    sources = []
    for place, domain in zip(places, domains, strict=True):
        label = _source_name(place, taken)
        taken.add(label)
        sources.append(_source(place, label, domain, codes, limit))
    remark = f"The data gives about {_amount(tokens)} tokens, each read once."
    return "\n".join((
        f"{comment(HEAD)}recipe {title}\n",
        f"{said}{params}",
        budget_block(size, remark + " Nobody asked for a size, so this one follows from it." * (len(size.chosen) > 1)),
        "\n".join(sources),
        *_raters(places, domains),
        *_languages(places, codes),
        rules_block(codes or [code for place in places for code in place.look.codes][:2]),
    ))  # fmt: skip


def _amount(tokens: float) -> str:
    return figure(tokens) if tokens >= 1 else "no"


def _source_name(place: Place, taken: Sequence[str] | set[str]) -> str:
    """A name from the path: the last folder or file in it that is no pattern."""
    parts = [part for part in place.look.pattern.split("/") if part and not set(part) & set("*?[")]
    stem = parts[-1].split(".")[0] if parts else ""
    return name_from(stem, "data", taken)


def _source(place: Place, label: str, domain: str, codes: Sequence[str], limit: int) -> str:
    look = place.look
    roles = {role: column for role, column in look.roles.items() if not can_hold(column)}
    used = {*roles.values(), *look.raters, *look.unsure}
    left = {column: why_unused(column, tuple(roles)) for column in look.columns if column not in used}
    files = f"{look.files:,} file{'s' * (look.files > 1)}, {look.sampled:,} of them read in part." * (not look.whole)
    lines = [f"path = {quoted(place.path)}"]
    lines += [f"format = {look.format}"] * (look.format is not None)
    lines.append("columns = { " + ", ".join(f"{role}: {quoted(column)}" for role, column in roles.items()) + " }")
    if "language" not in roles:
        lines.append(f"language = {codes[0]}" if codes else "# language = en  # of all documents; no column says it")
    lines += _aliases(look)
    lines += [f"domain = {domain}"] * ("domain" not in roles)
    if look.per_file and "id" in roles:
        lines.append("ids = per-file  # another file has the same ones")
    lines.append(f"epochs <= {limit}  # how often any document may be read")
    if look.skipped:
        lines.append(f"bad_lines = skip  # {look.skipped:,} of the lines looked at are no JSON objects")
    words = comment(
        files,
        f"Not used: {listed(list(left), 16)}." if left else "",
        *(f"`{column}` is {why}." for column, why in left.items() if why),
        f"Only in some files: {listed(look.partial, 16)}." if look.partial else "",
        "No column of ids: a document is told by its text." if "id" not in roles else "",
        f"`{look.repeated}` repeats itself within a file." if look.repeated else "",
        "No count of tokens: they are estimated from the text." if "tokens" not in roles else "",
    )
    return f"{words}source {label} {{\n" + "\n".join(lines) + "\n}\n"


def _aliases(look: Look) -> list[str]:
    """Tags of the data that name a language and are not its code."""
    named = {tag: code_of(tag) for tag in look.languages if canonical(tag) is None and not can_hold(tag)}
    pairs = ", ".join(f"{quoted(tag)}: {code}" for tag, code in named.items() if code)
    return [f"aliases = {{ {pairs} }}"] if pairs else []


def _raters(places: Sequence[Place], domains: Sequence[str]) -> list[str]:
    """Scores as raters, and the domains that they rank; what may be a score as a comment."""
    raters: dict[str, tuple[str, str]] = {}
    weights: dict[str, list[str]] = {}
    for place, domain in zip(places, domains, strict=True):
        for column, better in place.look.raters.items():
            if can_hold(column):
                continue
            known = next((name for name, (one, _) in raters.items() if one == column), None)
            label = known or name_from(column.rpartition(".")[2], "score", raters)
            raters[label] = (column, better)
            for ranked in _domains(place, domain):
                weights.setdefault(ranked, []).append(label)
    blocks = []
    if raters:
        lines = [
            f"rater {label} {{ column = {quoted(column)}{', better = lower' * (better == 'lower')} }}"
            for label, (column, better) in raters.items()
        ]
        blocks.append(
            comment("Scores by which documents are ranked within a language and domain; `better` says which are good.")
            + "\n".join(lines)
            + "\n"
        )
        blocks.append(
            "\n".join(_weights(domain, list(dict.fromkeys(names))) for domain, names in weights.items()) + "\n"
        )
    unsure = list(dict.fromkeys(column for place in places for column in place.look.unsure if not can_hold(column)))
    if unsure:
        lines = [f"# rater {name_from(one.rpartition('.')[2], 'score')} {{ column = {quoted(one)} }}" for one in unsure]
        words = comment("Numbers that may be scores. A rater ranks documents once a domain weighs it in `weights`.")
        blocks.append(f"{words}#\n" + "\n".join(lines) + "\n")
    return blocks


def _domains(place: Place, domain: str) -> list[str]:
    """The domains of a source: those seen in its column, or the one it is said to be."""
    if "domain" not in place.look.roles:
        return [domain]
    seen = sorted(place.look.domains, key=lambda one: -place.look.domains[one])[:MOST_DOMAINS]
    return [one for one in seen if not can_hold(one)]


def _weights(domain: str, raters: Sequence[str]) -> str:
    pairs = ", ".join(f"{rater}: {1 / len(raters):.2g}" for rater in raters)
    shown = domain if NAME.fullmatch(domain) else quoted(domain)
    return f"domain {shown} {{ weights = {{ {pairs} }} }}"


def _languages(places: Sequence[Place], codes: Sequence[str]) -> list[str]:
    """Who is in the mixture: those asked for, or by a comment those that the data holds."""
    found: dict[str, float] = {}
    for place in places:
        for code, tokens in place.look.codes.items():
            found[code] = found.get(code, 0.0) + tokens
    order = sorted(found, key=lambda code: -found[code])
    whole = all(place.look.whole for place in places)
    held = f"The data holds {listed(order, 16)}" if whole else f"The rows read hold {listed(order, 16)}"
    unknown = list(dict.fromkeys(tag for place in places for tag in place.look.unknown))
    odd = f"Other tags: {listed(unknown, 8)}; `aliases` in a source says what language they are." if unknown else ""
    if codes:
        missing = [code for code in codes if found and code not in found]
        words = f"Not seen in them: {listed(missing)}." if missing else ""
        return [languages_block(codes, " ".join(one for one in (f"{held}." if order else "", words, odd) if one))]
    if not order:
        return []
    words = f"{held}. Declare languages, and the mixture holds exactly those; without, all that the data holds."
    line = f"# languages [{', '.join(order[:16])}] {{ priority = 1.0 }}\n"
    return [f"{comment(words, odd)}#\n{line}"]
