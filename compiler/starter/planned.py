"""A recipe without data: languages planned from published sizes."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.starter.size import Size, figure
from mixc.compiler.starter.sizes import Corpus, published, supply
from mixc.compiler.starter.write import EDIT, HEAD, budget_block, comment, languages_block, rules_block
from mixc.compiler.supply.languages import name

USUAL = ("en", "de", "fr")
LIMIT = 4
PRIORITY = "A higher priority lowers the loss of a language more."
ON_ONE_LINE = 4


def planned_text(title: str, codes: Sequence[str], size: Size) -> str:
    """The recipe `title` for languages with a published size, most wanted first."""
    said = comment(
        "A plan from published sizes, before anything is downloaded: `mixc compile` says what each language would get.",
        EDIT,
    )
    remark = f"The sources give about {figure(supply(codes))} tokens of these languages, each read once."
    corpora = [corpus for corpus in published() if any(code in corpus.sizes for code in codes)]
    sources = "".join(_source(corpus, [code for code in codes if code in corpus.sizes]) for corpus in corpora)
    names = ", ".join(f"{code} {name(code)}" for code in codes[:12]) + (", …" if len(codes) > 12 else "")
    return "\n".join((
        f"{comment(HEAD)}recipe {title}\n",
        said,
        budget_block(size, remark),
        sources,
        languages_block(codes, f"Who is in the mixture: {names}. {PRIORITY}"),
        rules_block(codes),
    ))  # fmt: skip


def _source(corpus: Corpus, codes: Sequence[str]) -> str:
    sizes = [f"{code}: {_size(corpus.sizes[code])} {corpus.unit}" for code in codes]
    joint = ",\n" if len(sizes) > ON_ONE_LINE else ", "
    table = f"{{\n{joint.join(sizes)}\n}}" if len(sizes) > ON_ONE_LINE else f"{{ {joint.join(sizes)} }}"
    licence = f'license = "{corpus.license}"\n' if corpus.license else ""
    return (
        f"{comment(corpus.about)}source {corpus.name} {{\nsupply = {table}\ndomain = {corpus.domain}\n"
        f"assume = rated  # as if its quality were known\nepochs <= {LIMIT}  # how often any of it may be read\n"
        f"{licence}}}\n"
    )


def _size(value: int) -> str:
    """Four digits of a size: `1.655T`."""
    for scale, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        if value >= scale:
            return f"{value / scale:.4g}{letter}"
    return str(value)
