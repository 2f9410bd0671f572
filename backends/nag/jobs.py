"""What is to be scored by which model: targets of a recipe, settled, with the names under which results are kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from mixc.backends.models.weights import find_model
from mixc.backends.nag.features import Projection
from mixc.backends.nag.model import Precision
from mixc.compiler.documents.data import DataFile, Format, Part, Unreadable, Wanted
from mixc.compiler.documents.reading import columns_of, parts, read
from mixc.compiler.documents.storage import told
from mixc.compiler.recipe import Target
from mixc.compiler.scan.plan import ScorePlan
from mixc.compiler.scan.score_messages import no_target_texts
from mixc.compiler.scan.store import Store, key_of
from mixc.dsl.diagnostics import Diagnostic, Label

BACKEND = "nag"
MODEL = "HuggingFaceTB/SmolLM2-135M"
TOP_K, TOKENS = 20, 120
FEATURES = "features"
PART = 8 << 20  # bytes, before compression, after which what was done is kept
WHOLE = 1 << 40
DEVICES: dict[str, Precision] = {"cpu": "float32", "cuda": "bfloat16"}


def features_key(content: str, projection: str, top_k: int, tokens: int, precision: str) -> str:
    """The name under which the features are kept that a model of this content reads."""
    return key_of(BACKEND, content, projection, top_k, tokens, precision)


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads neurons: a model where it lies, the hash of its content, and how much of a text it reads."""

    model: str
    place: str
    content: str
    projection: Projection
    top_k: int
    tokens: int
    device: str

    @property
    def key(self) -> str:
        """The name under which features are kept."""
        return features_key(self.content, self.projection, self.top_k, self.tokens, DEVICES[self.device])


@dataclass(frozen=True, slots=True)
class Job:
    """One target: how it scores, what reads for it, and its file of examples."""

    target: Target
    plan: ScorePlan
    reader: Reader
    examples: DataFile
    texts: str

    @property
    def gates(self) -> bool:
        """Whether the target is part of a gate."""
        return self.target.fraction is not None

    @property
    def raw(self) -> str:
        """The key of its scores as they are, which a gate ranks by."""
        return key_of("raw", self.plan.key)


def at_target(found: Diagnostic, target: Target) -> Diagnostic:
    """What is wrong with a target's model or parameters, with the place of the target."""
    return found if found.labels or target.span is None else replace(found, labels=(Label(target.span),))


def place_of(folder: Path, model: str) -> str:
    """Where a model lies: beside the recipe, else what the name says to the hub."""
    beside = folder / model
    return str(beside.absolute()) if beside.exists() else model


def format_of(path: Path) -> Format:
    """How the examples of a target are written: Parquet, else lines of JSON."""
    return "parquet" if path.suffix == ".parquet" else "jsonl"


def prepare(target: Target, folder: Path, device: str = "cpu") -> Job:
    """How a target scores documents; reads all of its model's files. Raises `Unreadable`."""
    try:
        return _prepared(target, folder, device)
    except Unreadable as error:
        raise Unreadable(at_target(error.diagnostic, target)) from error


def _prepared(target: Target, folder: Path, device: str) -> Job:
    stated = target.model or MODEL
    place = place_of(folder, stated)
    name = Path(stated).name if Path(stated).is_absolute() else stated
    path = folder / target.path
    with told(target.path, remote=False, span=target.span):
        texts = hashlib.sha256(path.read_bytes()).hexdigest()
    content = find_model(place).content()
    top_k, tokens = target.top_k or TOP_K, target.tokens or TOKENS
    reader = Reader(name, place, content, target.projection, top_k, tokens, device)
    layers = tuple(target.layers) if target.layers is not None else ()
    parameters: dict[str, str | int | tuple[int, ...]] = {
        "model": name,
        "content": content,
        "precision": DEVICES[device],
        "projection": reader.projection,
        "top_k": reader.top_k,
        "tokens": reader.tokens,
        "examples": target.path,
        "texts": texts,
    }
    if layers:
        parameters["layers"] = layers
    plan = ScorePlan(target.name, BACKEND, key_of(reader.key, texts, layers), tuple(sorted(parameters.items())))
    size = path.stat().st_size
    examples = DataFile(target.name, target.path, str(path.absolute()), format_of(path), size, texts)
    there = columns_of(examples)
    if not there and examples.size:
        next(read(parts(examples)[0], Wanted(text="text")), None)  # says what is wrong with the first line
    if "text" not in there:
        raise Unreadable(no_target_texts(target.name, target.path, there, target.span))
    return Job(target, plan, reader, examples, texts)


def features_of(reader: Reader, store: Store, identity: str, part: Part) -> Path:
    """Where the features of a part of a file that is known by this name are kept."""
    return (store.folder / FEATURES / reader.key / f"{identity}.{part.start}-{part.stop}.arrow").absolute()


def features_of_examples(job: Job, store: Store) -> tuple[Part, Path]:
    """All examples of a target as one part, and where their features are kept."""
    part = parts(job.examples, WHOLE)[0]
    return part, features_of(job.reader, store, job.texts, part)
