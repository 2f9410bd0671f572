"""`mixc explain`: a manifest in words, one thing in it, the page of a diagnostic, or a word of the language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from mixc.compiler.cli.session import Diagnostics, Force, report, show

WORD = re.compile(r"^\w+$")

Target = Annotated[
    str,
    typer.Argument(
        metavar="MANIFEST|CODE|WORD",
        help="A manifest (also REVISION:PATH); or a diagnostic, `M301`; or a word of the language, `source`, or "
        "of what mixc prints, `price`; `reference` for all of them.",
    ),
]
Of = Annotated[
    str | None, typer.Option("--of", metavar="NAME", help="A language, source, domain, phase, or part of a rule.")
]


Nearest = Annotated[
    str | None, typer.Option("--target", metavar="TARGET", help="Which layers and neurons drive a target (NAG).")
]


Deactivate = Annotated[
    bool, typer.Option("--deactivate", help="Also run the target's model on its examples without these neurons.")
]


def explain(
    target: Target,
    of: Of = None,
    nearest: Nearest = None,
    deactivate: Deactivate = False,
    force: Force = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Say why shares are what they are, or what a word means.

    Plain text that depends on the manifest alone, so git can show it in diffs: `git config diff.mixc.textconv
    "mixc explain"` and `*.manifest.json diff=mixc` in `.gitattributes`.
    """
    if WORD.match(target) and not Path(target).is_file():
        return _topic(target, diagnostics)
    from mixc.compiler.review.reading import read_manifest

    manifest, found = read_manifest(target, force=force)
    if manifest is None:
        return report(found, diagnostics)
    text: str | None
    if nearest is not None:
        from mixc.compiler import registry
        from mixc.compiler.review.plan import plan_from_manifest

        backend = registry.load("score-nag")
        text, more = backend.explained(
            plan_from_manifest(manifest), Path(target).parent, nearest, deactivate=deactivate
        )
        found += more
    elif of is None:
        from mixc.compiler.review.summary import summary

        text = summary(manifest)
    else:
        from mixc.compiler.review.explain import explain as explain_name
        from mixc.compiler.solve.decide import decide

        text, more = explain_name(manifest, target, of, decide)
        found += more
    code = report(found, diagnostics)
    if text is not None:
        show(text)
    return code


def _topic(word: str, diagnostics: Diagnostics) -> int:
    """The page of a code, or what the reference says about a word."""
    from mixc.compiler.pages import all_pages, page_text
    from mixc.compiler.reference import topic, topics
    from mixc.compiler.review.errors import no_such_topic
    from mixc.dsl.suggest import suggest

    said = topic(word)
    if said is not None:
        show(said)
        return 0
    pages = all_pages()
    if word.upper() in pages:
        show(page_text(pages[word.upper()]))
        return 0
    return report([no_such_topic(word, suggest(word, (*topics(), *pages)))], diagnostics)
