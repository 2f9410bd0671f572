"""What is to be scored by which model: targets of a recipe, settled, with the names under which results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mixc.backends.models.weights import find_model
from mixc.backends.nag.features import Projection
from mixc.backends.nag.imported import FEATURES as FEATURES
from mixc.backends.nag.imported import IMPORTED, Asked, Imported, imported_for, imported_key
from mixc.backends.nag.model import Precision
from mixc.compiler.documents.data import DataFile, Format, Part, Unreadable, Wanted
from mixc.compiler.documents.reading import columns_of, parts, read
from mixc.compiler.documents.storage import told
from mixc.compiler.recipe import Target
from mixc.compiler.scan.plan import ScorePlan
from mixc.compiler.scan.score_messages import no_target_texts
from mixc.compiler.scan.store import Store, key_of
from mixc.dsl.diagnostics import Diagnostic, Label
from mixc.dsl.reading import file_bytes

BACKEND = "nag"
MODEL = "HuggingFaceTB/SmolLM2-135M"
TOP_K, TOKENS = 20, 120
PART = 8 << 20  # bytes, before compression, after which what was done is kept
WHOLE = 1 << 40
DEVICES: dict[str, Precision] = {"cpu": "float32", "cuda": "bfloat16"}


def features_key(content: str, projection: str, top_k: int, tokens: int, precision: str) -> str:
    """The name under which the features are kept that a model of this content reads."""
    return key_of(BACKEND, content, projection, top_k, tokens, precision)


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads neurons: a model where it lies, the hash of its content, and how much of a text it reads.

    `imported` is the name of features that stand for what it would read, which it then does not.
    """

    model: str
    place: str
    content: str
    projection: Projection
    top_k: int
    tokens: int
    device: str
    imported: str = ""

    @property
    def key(self) -> str:
        """The name under which features are kept."""
        return self.imported or features_key(
            self.content, self.projection, self.top_k, self.tokens, DEVICES[self.device]
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One target: how it scores, what reads for it, and its file of examples.

    `given` are imported features of the documents; `own` then reads the examples, unless theirs were imported too.
    """

    target: Target
    plan: ScorePlan
    reader: Reader
    examples: DataFile
    texts: str
    given: Imported | None = None
    own: Reader | None = None

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


def asked(target: Target) -> Asked:
    """What a target asks to be read."""
    return Asked(target.model or MODEL, target.projection, target.top_k or TOP_K, target.tokens or TOKENS)


def imported_state(target: Target, folder: Path) -> str:
    """The content of what was imported for a target; nothing where its model is to read."""
    given = imported_for(folder, asked(target))
    return "" if given is None else given.content


def examples_of(target: Target, folder: Path) -> DataFile:
    """The file of a target's examples, its hash as the stamp. Raises `Unreadable` for one without texts."""
    path = folder / target.path
    with told(target.path, remote=False, span=target.span):
        texts = hashlib.sha256(file_bytes(path)).hexdigest()
    size = path.stat().st_size
    examples = DataFile(target.name, target.path, str(path.absolute()), format_of(path), size, texts)
    there = columns_of(examples)
    if not there and examples.size:
        next(read(parts(examples)[0], Wanted(text="text")), None)  # says what is wrong with the first line
    if "text" not in there:
        raise Unreadable(no_target_texts(target.name, target.path, there, target.span))
    return examples


def shown_name(model: str) -> str:
    """A model as plans name it: not where it lies here."""
    return Path(model).name if Path(model).is_absolute() else model


def _prepared(target: Target, folder: Path, device: str) -> Job:
    wanted = asked(target)
    place, name = place_of(folder, wanted.model), shown_name(wanted.model)
    given = imported_for(folder, wanted)
    whole = replace(wanted, model=name)
    examples = examples_of(target, folder)
    texts = examples.stamp
    own: Reader | None = None
    if given is None or texts not in given.examples:
        own = _reader(whole, place, find_model(place).content(), device)
    reader = own
    if given is not None:
        reader = replace(_reader(whole, place, given.content, device), imported=given.key)
    assert reader is not None
    layers = tuple(target.layers) if target.layers is not None else ()
    parameters: dict[str, str | int | tuple[int, ...]] = {
        "model": name,
        "content": reader.content,
        "precision": DEVICES[device] if given is None else given.precision,
        "projection": reader.projection,
        "top_k": reader.top_k,
        "tokens": reader.tokens,
        "examples": target.path,
        "texts": texts,
    }
    mixed: list[str] = []
    if given is not None:
        parameters["origin"] = IMPORTED
        if own is not None:
            parameters |= {"examples_content": own.content, "examples_precision": DEVICES[device]}
            mixed = [own.key]
    if layers:
        parameters["layers"] = layers
    key = key_of(reader.key, texts, layers, *mixed)
    plan = ScorePlan(target.name, BACKEND, key, tuple(sorted(parameters.items())))
    return Job(target, plan, reader, examples, texts, given, None if given is None else own)


def _reader(wanted: Asked, place: str, content: str, device: str) -> Reader:
    return Reader(wanted.model, place, content, wanted.projection, wanted.top_k, wanted.tokens, device)


def kept_under(parameters: Mapping[str, Any], *, examples: bool = False) -> str:
    """The name under which the features are kept that a target's plan speaks of, of documents or of examples."""
    mixed = examples and "examples_content" in parameters
    if parameters.get("origin") == IMPORTED and not mixed:
        return imported_key(parameters["content"])
    content, precision = (parameters[f"examples_{key}" if mixed else key] for key in ("content", "precision"))
    return features_key(content, parameters["projection"], parameters["top_k"], parameters["tokens"], precision)


def features_of(reader: Reader, store: Store, identity: str, part: Part) -> Path:
    """Where the features of a part of a file that is known by this name are kept."""
    return (store.folder / FEATURES / reader.key / f"{identity}.{part.start}-{part.stop}.arrow").absolute()


def features_of_examples(job: Job, store: Store) -> tuple[Part, Path]:
    """All examples of a target as one part, and where their features are kept."""
    part = parts(job.examples, WHOLE)[0]
    return part, features_of(job.own or job.reader, store, job.texts, part)
