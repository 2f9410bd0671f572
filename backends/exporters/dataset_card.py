"""A manifest as a dataset card of the Hugging Face hub: a `README.md` with YAML front matter.

The card belongs beside `texts/`, which `mixc run --materialize` writes, and names those files as configurations of the
dataset. Where the hub has no name for a licence, `LICENSE.md` says what the recipe states. `size_categories` is left
out: the hub counts documents there, and a manifest knows tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from mixc.backends.exporters.described import (
    COLUMNS,
    PLANNED,
    TEXTS,
    Described,
    Part,
    decisions,
    described,
    one_line,
    summary,
    tag,
)
from mixc.backends.exporters.licences import Licence
from mixc.backends.selection.layout import escaped
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review import words
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.words import escape
from mixc.compiler.supply.languages import name
from mixc.dsl.diagnostics import Diagnostic

FILE, LICENCES = "README.md", "LICENSE.md"
CAPABILITY: Final = Capability(
    reads="shares, licences, the texts",
    needs="nothing",
    unit="none",
    exact="described as they are",
    phases="described",
    caps="described",
    verified="huggingface_hub and datasets read it, in the tests",
)
LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
UNSAFE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")  # not as they are in YAML
OTHER, UNKNOWN = "other", "unknown"
# What the hub calls a licence: its list has these by SPDX's name in lower case …
SAME_TEXT: Final = """
    apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear cc0-1.0 cc-by-2.0
    cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 isc lppl-1.3c
    ms-pl mpl-2.0 osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib
"""
SAME: Final = frozenset(SAME_TEXT.split())
# … and these by another.
RENAMED: Final = {
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
    **{
        f"{family.upper()}-{version}{suffix}": f"{family}-{version}"
        for family, version in (("gpl", "2.0"), ("gpl", "3.0"), ("lgpl", "2.1"), ("lgpl", "3.0"), ("agpl", "3.0"))
        for suffix in ("", "+", "-only", "-or-later")
    },
}

Yaml: TypeAlias = "str | Sequence[Yaml] | Mapping[str, Yaml]"


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """The card of a manifest."""
    facts = described(manifest)
    front = "".join(_yaml(front_matter(facts, manifest), 0))
    texts = {FILE: f"---\n{front}---\n\n" + "\n".join(_body(facts, manifest)).rstrip() + "\n"}
    if any(hub_licence(one) == OTHER for one in facts.stated):
        texts[LICENCES] = "\n".join(_licence_file(facts)).rstrip() + "\n"
    return texts, []


def front_matter(facts: Described, manifest: Manifest) -> dict[str, Yaml]:
    """What the hub reads; keys in the order of its template."""
    tags = [tag(one.name) for one in facts.languages if one.tokens]
    plain = sorted({one.split("-")[0] for one in tags if LANGUAGE.fullmatch(one.split("-")[0])})
    made: dict[str, Yaml] = {"pretty_name": facts.name}
    if plain:
        made["language"] = plain
    if any(not LANGUAGE.fullmatch(one) for one in tags):
        made["language_details"] = tags
    made |= _licences(facts)
    made["multilinguality"] = ["multilingual" if len(tags) > 1 else "monolingual"]
    made["task_categories"] = ["text-generation"]
    made["task_ids"] = ["language-modeling"]
    made["tags"] = ["pretraining", "data-mixture"]
    if manifest.runnable:
        made["configs"] = list(_configs(facts))
    return made


def hub_licence(stated: Licence) -> str:
    """What the hub calls a licence; `other` where it has no name for it."""
    if stated.expression in RENAMED:
        return RENAMED[stated.expression]
    lower = stated.expression.lower()
    return lower if lower in SAME else OTHER


def _licences(facts: Described) -> dict[str, Yaml]:
    names = {hub_licence(one) for one in facts.stated}
    if facts.silent or not names:
        names.add(UNKNOWN)
    made: dict[str, Yaml] = {"license": sorted(names)}
    if OTHER in names:
        own = [one.expression for one in facts.stated if hub_licence(one) == OTHER]
        made["license_name"] = "-and-".join(re.sub(r"[^a-z0-9.]+", "-", one.lower()).strip("-") for one in own)
        made["license_link"] = LICENCES
    return made


def _configs(facts: Described) -> Iterator[Mapping[str, Yaml]]:
    yield {"config_name": "default", "data_files": [{"split": "train", "path": TEXTS}]}
    phases = [one for one in facts.phases if one.tokens]
    if len(phases) > 1:
        for one in phases:
            folder = escaped(one.name)
            path = f"texts/{folder}/**/*.parquet"
            yield {"config_name": f"phase-{folder}", "data_files": [{"split": "train", "path": path}]}


def _yaml(value: Yaml, depth: int) -> Iterator[str]:
    """Block style; every text in double quotes, as JSON writes it."""
    space = "  " * depth
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(one, str):
                yield f"{space}{key}: {_quoted(one)}\n"
            else:
                yield f"{space}{key}:\n"
                yield from _yaml(one, depth)
        return
    for one in value:
        if isinstance(one, str):
            yield f"{space}- {_quoted(one)}\n"
        else:
            lines = "".join(_yaml(one, depth + 1))
            yield f"{space}- {lines.removeprefix('  ' * (depth + 1))}"


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return UNSAFE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)


def _body(facts: Described, manifest: Manifest) -> Iterator[str]:
    yield f"# {_text(facts.name)}\n"
    yield f"{_text(summary(facts, manifest))}\n"
    yield f"{PLANNED}\n"
    yield "## Languages\n"
    rows = [(_text(tag(one.name)), _text(name(one.name)), *_figures(one)) for one in facts.languages]
    yield _table(("language", "", "share", "tokens", "epochs"), rows, 2)
    yield "## Sources and licences\n"
    rows = [(_code(one.name), _stated(facts.licences[one.name]), *_figures(one)) for one in facts.sources]
    yield _table(("source", "licence", "share", "tokens", "epochs"), rows, 2)
    yield from _notes_on_licences(facts)
    yield "## Domains\n"
    yield _table(("domain", "share", "tokens", "epochs"), [(_code(one.name), *_figures(one)) for one in facts.domains])
    if len(facts.phases) > 1:
        yield "## Phases\n"
        yield _table(("phase", "share", "tokens"), [(_code(one.name), *_figures(one)[:2]) for one in facts.phases])
    yield from _quality(facts)
    yield "## How it was selected\n"
    yield "".join(f"- {_text(one)}\n" for one in decisions(manifest))
    if manifest.rules:
        yield "Rules of the recipe:\n"
        asked = ((_code(one.rule), "" if one.weight is None else " if it costs little") for one in manifest.rules)
        yield "".join(f"- {rule}{soft}\n" for rule, soft in dict.fromkeys(asked))
    yield from _data(manifest)
    yield from _provenance(facts, manifest)
    if manifest.assumptions or manifest.notes:
        yield "## What is assumed\n"
        yield "".join(f"- {_text(one)}\n" for one in (*manifest.assumptions, *manifest.notes))


def _figures(part: Part) -> tuple[str, str, str]:
    return words.share(part.share), words.tokens(part.tokens), words.epochs(part.epochs)


def _stated(stated: Licence | None) -> str:
    if stated is None:
        return "not stated"
    return f"[{stated.expression}]({stated.url})" if stated.url else _text(stated.text)


def _notes_on_licences(facts: Described) -> Iterator[str]:
    if facts.silent:
        yield f"The recipe states no licence for {', '.join(_code(one) for one in facts.silent)}.\n"
    own = [one for one in facts.stated if hub_licence(one) == OTHER]
    if own:
        yield "The hub has no name for " + ", ".join(_text(one.text) for one in own) + ".\n"
    yield "Licences are those that the recipe states; nobody has checked that they may be combined.\n"


def _quality(facts: Described) -> Iterator[str]:
    if not facts.buckets:
        return
    yield "## Quality\n"
    yield "Ranks within a language and domain, over all rated sources; the best are first.\n"
    rows = [(f"{words.percent(one.low)} to {words.percent(one.high)}", *_figures(one.part)) for one in facts.buckets]
    yield _table(("ranks", "share", "tokens", "epochs"), rows)


def _data(manifest: Manifest) -> Iterator[str]:
    yield "## Data\n"
    if not manifest.runnable:
        yield f"There are no files: {_text(manifest.reason or 'the manifest cannot be run')}.\n"
        return
    yield f"`{TEXTS}`, as `mixc run --materialize` writes them, in folders `phase/source/language/domain/bucket`.\n"
    yield "**A document is to be read as often as its `copies` says.** Every row once is another mixture.\n"
    yield _table(("column", ""), [(_code(column), about) for column, about in COLUMNS.items()], 2)


def _provenance(facts: Described, manifest: Manifest) -> Iterator[str]:
    yield "## Provenance\n"
    rows = [(_code(facts.file), "manifest, the bytes of the file", _code(facts.sha256))]
    if manifest.integrity:
        rows.append(("", "manifest, as it names itself", _code(manifest.integrity)))
    if manifest.selection.tables:
        tables = _code(f"{manifest.recipe.name}.tables.parquet")
        rows.append((tables, "tables, by their content", _code(manifest.selection.tables)))
    rows += [(_code(one.name), _text(one.kind), _code(one.sha256)) for one in manifest.inputs]
    yield _table(("file", "", "SHA-256"), rows, 3)
    if manifest.params:
        yield f"Parameters: {', '.join(_code(f'{key}={value}') for key, value in sorted(manifest.params.items()))}.\n"
    yield "The same recipe and inputs give the same manifest, and the same manifest and documents the same texts.\n"


def _licence_file(facts: Described) -> Iterator[str]:
    yield f"# Licences of {_text(facts.name)}\n"
    yield "As the recipe states them, by the sources that the dataset is made of:\n"
    for part in facts.used:
        yield f"- {_code(part.name)}: {_stated(facts.licences[part.name])}"


def _text(text: str) -> str:
    """A text on one line that means nothing to Markdown."""
    plain = escape(one_line(text))
    return re.sub(r"^(\d*)([#+=~|.)-])", r"\1\\\2", plain)


def _code(text: str) -> str:
    """A text between as many backquotes as it takes."""
    plain = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    return words.markdown_table(header, rows, left=range(left))
