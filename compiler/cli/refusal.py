"""What is said where the system lacks something that every command needs."""

from __future__ import annotations

from mixc.dsl.diagnostics import Diagnostic, page


@page("M469")
def system_refuses(why: str, place: str) -> Diagnostic:
    """the system refuses to go on

    There is no room on a disk, it became read-only or fails, too many files are open, or this user may not read or
    write there. This is neither a fault of the recipe nor of mixc. Every file that has its final name is whole, and
    what is half done is not used.

    What to do: find out what the system lacks at the place that is named, then run the command again. It goes on where
    it was, and removes what this one may have left.
    """
    helps = ("run the command again once the system allows it: what was finished is kept",)
    return Diagnostic("M469", f"the system refuses to go on: {why}", subject=place or None, helps=helps)
