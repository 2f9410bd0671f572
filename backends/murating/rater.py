"""A rater as a folder: `rater.json`, `head.safetensors`, `README.md`, and `encoder/` where it was fine-tuned.

`rater.json` says everything that its scores depend on, what it was trained on, and how it did. Nothing in the folder
depends on the clock, the machine or where the folder lies, but for the encoder's relative path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mixc.backends.murating.encoder import EncoderSpec
from mixc.backends.murating.encoders import find_encoder
from mixc.backends.murating.head import Head, read_tensors
from mixc.backends.murating.train_messages import no_rater, other_encoder
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.plain_json import loads
from mixc.compiler.review.canonical import Json, canonical
from mixc.dsl.reading import file_bytes
from mixc.dsl.text import Span

FORMAT = 1
ABOUT, HEAD, CARD, ENCODER = "rater.json", "head.safetensors", "README.md", "encoder"
Offsets = Literal["identified", "free"]


@dataclass(frozen=True, slots=True, eq=False)
class StoredRater:
    """A rater read back: what `rater.json` says, where it lies, and its head."""

    about: Mapping[str, Any]
    folder: Path
    head: Head

    @property
    def content(self) -> str:
        """The hash of all that its scores depend on."""
        return str(self.about["content"])


def encoder_about(spec: EncoderSpec, folder: Path, fine_tuned: bool) -> dict[str, Json]:
    """What `rater.json` says of an encoder; a folder's place is told as seen from the rater's."""
    place = Path(spec.place)
    local = spec.form == "transformers" and place.is_absolute()
    seen = (
        ENCODER if fine_tuned else Path(os.path.relpath(place, folder.absolute())).as_posix() if local else spec.place
    )
    return {
        "name": spec.name,
        "place": seen,
        "form": spec.form,
        "content": spec.content,
        "fine_tuned": fine_tuned,
        "pooling": spec.pooling,
        "prefix": spec.prefix,
        "normalise": spec.normalise,
        "width": spec.width,
        "chunk": spec.chunk,
        "tokens": spec.tokens,
    }


def content_of(encoder: Mapping[str, Json], head: bytes) -> str:
    """The hash of an encoder's description, apart from name and place, and of a head's file."""
    told = {key: value for key, value in encoder.items() if key not in ("name", "place")}
    return hashlib.sha256(canonical(told).encode() + hashlib.sha256(head).digest()).hexdigest()


def may_be_replaced(folder: Path) -> bool:
    """Whether a rater may be written to a folder: there is none, an empty one, or a rater."""
    return not folder.exists() or (folder.is_dir() and ((folder / ABOUT).exists() or not any(folder.iterdir())))


def read_about(folder: Path, shown: str, span: Span | None = None) -> dict[str, Any]:
    """What `rater.json` says. Raises `Unreadable`."""
    try:
        found = loads(file_bytes(folder / ABOUT))
        if found["format"] != FORMAT:
            raise Unreadable(no_rater(shown, f"it is of format {found['format']}, not {FORMAT}", span))
        for key in ("content", "encoder", "head", "offsets"):
            found[key]
    except FileNotFoundError:
        raise Unreadable(no_rater(shown, f"there is no `{ABOUT}` in it", span)) from None
    except OSError as error:
        raise Unreadable(no_rater(shown, error.strerror or str(error), span)) from None
    except (ValueError, KeyError, TypeError):
        raise Unreadable(no_rater(shown, f"its `{ABOUT}` is damaged", span)) from None
    return dict(found)


def read_rater(folder: Path, shown: str, span: Span | None = None) -> StoredRater:
    """A rater with its head, checked against its hash. Raises `Unreadable`."""
    about = read_about(folder, shown, span)
    try:
        data = (folder / HEAD).read_bytes()
    except OSError:
        raise Unreadable(no_rater(shown, f"there is no `{HEAD}` in it", span)) from None
    if content_of(about["encoder"], data) != about["content"]:
        raise Unreadable(no_rater(shown, f"`{HEAD}` or `{ABOUT}` was changed after it was trained", span))
    return StoredRater(about, folder, Head(about["head"]["shape"], read_tensors(folder / HEAD)))


def encoder_of(rater: StoredRater, device: str = "cpu", span: Span | None = None) -> EncoderSpec:
    """The encoder of a rater, found here and the one that it was trained on. Raises `Unreadable`."""
    told = rater.about["encoder"]
    spec = find_encoder(
        str(told["place"]),
        rater.folder,
        chunk=int(told["chunk"]),
        tokens=told["tokens"],
        prefix=str(told["prefix"]),
        device=device,
    )
    if spec.content != told["content"]:
        raise Unreadable(other_encoder(str(told["name"]), spec.content, str(told["content"]), span))
    made = {"pooling": spec.pooling, "normalise": spec.normalise, "chunk": spec.chunk, "width": spec.width}
    if any(told[key] != value for key, value in made.items()):
        raise Unreadable(other_encoder(str(told["name"]), str(made), str({key: told[key] for key in made}), span))
    return spec
