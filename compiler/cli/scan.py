"""`mixc scan`: from documents to the catalog that `mixc compile` decides from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    Engine,
    Params,
    Recipe,
    Workers,
    checked,
    report,
    show,
)

if TYPE_CHECKING:
    from mixc.compiler.scan.catalog import Catalog

Refit = Annotated[bool, typer.Option("--refit", help="Fit the tables of scores anew, from all documents there are.")]


def scan_recipe(
    recipe: Recipe,
    refit: Refit = False,
    engine: Engine = "local",
    workers: Workers = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    diagnostics: Diagnostics = "full",
) -> int:
    """Read the documents of a recipe; what was read before is not read again."""
    from mixc.compiler.cli.progress import watched
    from mixc.compiler.executor import run_on
    from mixc.compiler.scan.scan import scan

    read, found = checked(recipe, params, allow_outside)
    if read is None:
        return report(found, diagnostics)
    if not any(source.paths for source in read.sources):
        show(f"{recipe.name} reads no documents: nothing to scan\n")
        return report(found, diagnostics)
    catalog, problems = run_on(engine, workers, lambda executor: scan(read, executor, refit=refit, progress=watched()))
    code = report([*found, *problems], diagnostics)
    if catalog is not None:
        show(summary(catalog))
    return code


def summary(catalog: Catalog) -> str:
    """What was found: languages and domains by source, what is left out, how fine quality is."""
    from mixc.compiler.review.words import count, table, tokens

    rows = []
    for (source, language, domain), counts in sorted(
        catalog.groups.items(), key=lambda one: (one[0][0], -int(one[1].tokens.sum()), one[0])
    ):
        documents, amount = int(counts.documents.sum()), int(counts.tokens.sum())
        rows.append([source, language, domain, f"{documents:,}", tokens(amount)])
    lines = [table(("source", "language", "domain", "documents", "tokens"), rows, left=(0, 1, 2))]
    files = len(catalog.files)
    documents = sum(file.documents for file in catalog.files)
    amount = sum(file.tokens for file in catalog.files)
    held = f"{count(files, 'file')}, {count(documents, 'document')}, {tokens(amount)} tokens"
    lines.append(f"{held}; quality in 2^{catalog.bits} levels")
    for source, number in sorted(catalog.empty.items()):
        if number:
            lines.append(f"{count(number, 'document')} of {source} without text left out")
    for source, number in sorted(catalog.skipped.items()):
        if number:
            lines.append(f"{count(number, 'line')} of {source} that are no documents skipped")
    if catalog.plan.holdout is not None:
        share = f"{100 * catalog.plan.holdout.share:.6g}%"
        for source, number in sorted(catalog.withheld.items()):
            lines.append(f"{count(number, 'document')} of {source} held out, for {share}")
    for source, number in sorted(catalog.gated.items()):
        if number:
            lines.append(f"{count(number, 'document')} of {source} are not near enough to the targets")
    for (source, language, domain), number in sorted(catalog.excluded.items()):
        lines.append(f"{count(number, 'document')} of {source}, {language}, {domain} without a score left out")
    for (rater, language), odd in sorted(catalog.odd.items()):
        told = [
            f"{number:,} {what}"
            for what, number in (
                ("missing", odd.missing),
                ("NaN", odd.nan),
                ("infinite", odd.infinite),
                ("out of range", odd.outside),
            )
            if number
        ]
        lines.append(f"scores of {rater} in {language}: {', '.join(told)}")
    return "\n".join(lines) + "\n"
