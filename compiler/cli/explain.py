"""`mixc explain`: a manifest in words, one thing in it, or the page of a diagnostic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from mixc.compiler.cli.session import Diagnostics, Force, report, show

CODE = re.compile(r"^[Mm]\d+$")

Target = Annotated[str, typer.Argument(metavar="MANIFEST|CODE", help="A manifest (also REVISION:PATH), or M301.")]
Of = Annotated[
    str | None, typer.Option("--of", metavar="NAME", help="A language, source, domain, phase, or part of a rule.")
]


def explain(target: Target, of: Of = None, force: Force = False, diagnostics: Diagnostics = "full") -> int:
    """Say why each share is what it is, or what a diagnostic means.

    Plain text that depends on the manifest alone, so git can show it in diffs: `git config diff.mixc.textconv
    "mixc explain"` and `*.manifest.json diff=mixc` in `.gitattributes`.
    """
    if CODE.match(target) and not Path(target).exists():
        return _page(target.upper(), diagnostics)
    from mixc.compiler.review.reading import read_manifest

    manifest, found = read_manifest(target, force=force)
    if manifest is None:
        return report(found, diagnostics)
    if of is None:
        from mixc.compiler.review.summary import summary

        text: str | None = summary(manifest)
    else:
        from mixc.compiler.review.explain import explain as explain_name
        from mixc.compiler.solve.decide import decide

        text, more = explain_name(manifest, target, of, decide)
        found += more
    code = report(found, diagnostics)
    if text is not None:
        show(text)
    return code


def _page(code: str, diagnostics: Diagnostics) -> int:
    from mixc.compiler.pages import all_pages
    from mixc.compiler.review.errors import no_such_code

    pages = all_pages()
    if code not in pages:
        near = sorted(known for known in pages if known[:2] == code[:2])
        return report([no_such_code(code, near or sorted(pages))], diagnostics)
    page = pages[code]
    show(f"{page.code}: {page.title}\n\n{_dedented(page.text)}\n")
    return 0


def _dedented(text: str) -> str:
    """A docstring's text without the indentation of its lines after the first."""
    import inspect

    return inspect.cleandoc(text)
