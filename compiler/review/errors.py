"""Diagnostics of manifests: reading them, naming things in them."""

from __future__ import annotations

from mixc.dsl.diagnostics import Diagnostic, Severity, page


@page("M450")
def file_unreadable(name: str, reason: str) -> Diagnostic:
    """a manifest or lock cannot be read

    The file named on the command line does not exist, is a folder, or may not be read by you.

    Example: `mixc diff old.manifest.json new.manifest.json` where `old.manifest.json` was never committed.

    What to do: check the path; `mixc compile RECIPE` writes the manifest beside the recipe.
    """
    return Diagnostic("M450", f"cannot read `{name}`: {reason}", subject=name, helps=(
        "check the path; `mixc compile RECIPE` writes `NAME.manifest.json` beside the recipe",
    ))  # fmt: skip


@page("M451")
def not_json(name: str, found: str, place: str | None = None) -> Diagnostic:
    """a manifest is not JSON, or is cut off

    A manifest is one JSON object, written by `mixc compile` in one step. A file that ends in the middle was copied or
    downloaded incompletely; a file with other text was never a manifest.

    What to do: compile the recipe again, or take the file from git again.
    """
    recipe = name.endswith(".mix")
    help = (
        f"give its manifest: `{name[:-4]}.manifest.json`"
        if recipe
        else "run `mixc compile` again, or restore the file from git"
    )
    return Diagnostic("M451", f"`{name}` is not a manifest: {'it is a recipe' if recipe else found}", helps=(help,),
                      subject=place or name)  # fmt: skip


@page("M452")
def conflict_markers(name: str, line: int) -> Diagnostic:
    """git left conflict markers in the file

    A merge stopped here and both sides are in the file. A manifest or lock is never merged by hand: it follows from the
    recipe.

    What to do: resolve the recipe, then run `mixc compile`; it writes manifest and lock anew.
    """
    return Diagnostic("M452", f"`{name}` holds git's conflict markers", subject=f"{name}:{line}", helps=(
        "resolve the conflict in the recipe, then run `mixc compile`",
    ))  # fmt: skip


@page("M453")
def other_schema(name: str, found: str, expected: str) -> Diagnostic:
    """a JSON file is not a mixc manifest

    Every manifest begins by naming its schema, `mixc.manifest`. This file names another one or none.

    What to do: give the path of a `NAME.manifest.json` that `mixc compile` wrote.
    """
    return Diagnostic("M453", f"`{name}` follows the schema {found}, not `{expected}`", subject=name, helps=(
        "give the path of a file that `mixc compile` wrote",
    ))  # fmt: skip


@page("M454")
def newer_schema(name: str, found: int, known: int) -> Diagnostic:
    """a manifest or lock was written by a newer mixc

    The schema's version is larger than this mixc knows; it may hold facts that this version would misread.

    What to do: update mixc, or compile the recipe again with this version.
    """
    return Diagnostic(
        "M454",
        f"`{name}` follows version {found} of its schema, this mixc knows versions up to {known}",
        subject=name,
        helps=("update mixc, or compile the recipe again with this version",),
    )


@page("M455")
def off_schema(name: str, where: str, found: str) -> Diagnostic:
    """a manifest or lock does not follow its schema

    A key is missing, unknown, given twice, or holds something else than the schema asks for. mixc writes these files;
    this happens when one was edited by hand or by another tool. `mixc schema` prints the JSON Schema.

    What to do: compile the recipe again.
    """
    return Diagnostic("M455", f"`{name}` does not follow its schema: {found}", subject=f"{name}: {where}", helps=(
        "run `mixc compile` again; `mixc schema` prints the schema",
    ))  # fmt: skip


@page("M456")
def edited(name: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    """a manifest was edited after it was compiled

    Each manifest carries a hash of its own content. This one does not match, so figures in it are not those that were
    certified. Reformatting the JSON does not matter, changing a value does.

    What to do: change the recipe instead and run `mixc compile`. `explain` and `diff` read the file as it is with
    `--force`; `run` and `verify` never do.
    """
    return Diagnostic(
        "M456",
        f"`{name}` was changed after it was compiled: its content does not match its `integrity` hash",
        severity=severity,
        subject=name,
        helps=("change the recipe and run `mixc compile` (`explain` and `diff` read it as it is with `--force`)",),
    )


@page("M457")
def too_large(name: str, size: int, limit: int) -> Diagnostic:
    """a file is larger than any manifest

    Reading stops at a fixed size, so that a wrong path cannot fill the memory.

    What to do: check the path.
    """
    return Diagnostic(
        "M457",
        f"`{name}` has {size:,} bytes, a manifest has at most {limit:,}",
        subject=name,
        helps=("check the path",),
    )


@page("M465")
def no_such_name(name: str, file: str, nearest: str | None, known: str) -> Diagnostic:
    """nothing of that name is in the manifest

    `mixc explain M --of NAME` speaks of one language, source, domain, phase or rule of the manifest.

    Example: `mixc explain polyglot17.manifest.json --of norwegian`, where the code is `no`.

    What to do: use a name that the message lists. A rule is named by its text or a part of it.
    """
    helps = (f"did you mean `{nearest}`?",) if nearest else ()
    return Diagnostic("M465", f"`{file}` knows no `{name}`", subject=file, notes=(known,), helps=helps)


@page("M466")
def no_such_topic(word: str, nearest: str | None) -> Diagnostic:
    """there is nothing to explain under that name

    `mixc explain` takes a manifest, the code of a diagnostic such as `M301`, a word of the language (a kind such as
    `source`, a key, a function, a strategy), or a word of what mixc prints, such as `price`; `mixc explain reference`
    prints all of them.

    What to do: check the spelling; a file without an ending is given with its folder, `./name`.
    """
    pages = "kinds are listed by `mixc explain kinds`, functions by `mixc explain functions`, "
    pages += "words of what mixc prints by `mixc explain results`"
    return Diagnostic(
        "M466",
        f"`{word}` is no file, no diagnostic and no word of the language",
        notes=() if nearest else (pages,),
        helps=(f"did you mean `{nearest}`?" if nearest else "`mixc explain reference` prints the whole language",),
    )


@page("M467")
def git_failed(revision: str, reason: str) -> Diagnostic:
    """git has no such file at that revision

    `REVISION:PATH` reads a manifest out of git. The revision is unknown, the file did not exist in it, this folder is
    not in a repository, or git is not installed.

    Example: `mixc diff HEAD~1:recipes/polyglot17.manifest.json recipes/polyglot17.manifest.json`

    What to do: check both parts with `git show --stat REVISION -- PATH`. PATH counts from the top of the repository;
    begin it with `./` to count from here.
    """
    return Diagnostic("M467", f"git cannot show `{revision}`: {reason}", subject=revision, helps=(
        "write `REVISION:PATH`, with PATH from the top of the repository or beginning with `./`",
    ))  # fmt: skip
