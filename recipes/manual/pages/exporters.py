"""What every program can be told of a mixture, as its exporter declares it."""

from __future__ import annotations

from mixc.compiler.export import Capability, capabilities
from pages.markdown import table

FIELDS = (
    ("reads", "reads"),
    ("needs", "needs"),
    ("number", "unit"),
    ("how near", "exact"),
    ("phases", "phases"),
    ("limits to repetition", "caps"),
    ("checked", "verified"),
)


ABOUT = """\
What `mixc export M --to PROGRAM` writes. *Number* is what the program's weight means, *how near* is how close the
program comes to what was decided, *checked* is how and with which version that was seen. [Export into a
trainer](howto/export.md) walks through one. `mixc export --list` prints the same table."""


def exporters() -> str:
    """The whole page: one table, `mixc export --list` in full."""
    rows = [(f"`{name}`", *_cells(one)) for name, one in capabilities().items()]
    whole = table(("program", *(title for title, _ in FIELDS)), rows)
    return f"# Exporters\n\n{ABOUT}\n\n:::{{container}} wide\n{whole}\n:::\n"


def _cells(one: Capability) -> tuple[str, ...]:
    return tuple(str(getattr(one, field)) for _, field in FIELDS)
