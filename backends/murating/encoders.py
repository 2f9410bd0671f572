"""Which encoder a name means, and loading it: one of a package, a folder, or a model of the hub."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mixc.backends.murating import packaged, transformer
from mixc.backends.murating.encoder import Encoder, EncoderSpec


def find_encoder(
    name: str, base: Path, *, chunk: int, tokens: int | None, prefix: str | None = None, device: str = "cpu"
) -> EncoderSpec:
    """The description of an encoder: one of a package, a folder seen from `base`, or a model of the hub.

    Reads all of its files. Raises `Unreadable`.
    """
    if name in packaged.ENGINES and not (base / name).exists():
        return packaged.describe(name, chunk=chunk, tokens=tokens)
    return transformer.describe(name, base, chunk=chunk, tokens=tokens, prefix=prefix, device=device)


@cache
def load_encoder(spec: EncoderSpec) -> Encoder:
    """The encoder, once in every process; one thread each on a CPU, since processes share the machine."""
    return packaged.load(spec) if spec.form == "package" else transformer.load(spec)
