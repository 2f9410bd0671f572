"""The files of a model: found here or on the hub, without pickles or code, and identified by their content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.backends.models.messages import no_model, no_model_packages, unsafe_weights
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.plain_json import loads
from mixc.dsl.reading import file_bytes

TEXTS = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)
POOLING = "1_Pooling/config.json"  # of encoders; who reads it says what it read
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack", ".npz")
CHUNK = 8 << 20


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder, and the names in it that make the model; `gguf` is one of them where it is a GGUF file."""

    name: str
    folder: Path
    names: tuple[str, ...]
    gguf: str | None = None

    def content(self) -> str:
        """XXH3-128 of the names, sizes and bytes of all files, in hexadecimal; a GGUF file may have any name."""
        import xxhash

        state = xxhash.xxh3_128()
        for name in sorted(self.names):
            path = self.folder / name
            state.update(f"{'' if self.gguf else name}:{path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                while piece := file.read(CHUNK):
                    state.update(piece)
        return state.hexdigest()

    def config(self) -> dict[str, Any]:
        """What `config.json` says; nothing where a GGUF file says it."""
        if self.gguf:
            return {}
        try:
            found = loads(file_bytes(self.folder / "config.json"))
        except FileNotFoundError:
            raise Unreadable(no_model(self.name, "it has no `config.json`")) from None
        except ValueError:
            raise Unreadable(no_model(self.name, "its `config.json` is no JSON")) from None
        return found if isinstance(found, dict) else {}


def find_model(name: str, revision: str | None = None) -> ModelFiles:
    """The files of a model: a folder, a GGUF file, or a name on the hub. Raises `Unreadable`."""
    path = Path(name).expanduser()
    if path.is_file():
        if path.suffix != ".gguf":
            raise Unreadable(unsafe_weights(name, [path.name]))
        return ModelFiles(name, path.parent, (path.name,), path.name)
    return _of_folder(name, path if path.is_dir() else _downloaded(name, revision))


def _of_folder(name: str, folder: Path) -> ModelFiles:
    present = sorted(path.name for path in folder.iterdir() if path.is_file())
    weights = [file for file in present if file.endswith((".safetensors", ".safetensors.index.json"))]
    texts = [file for file in present if file in TEXTS]
    if weights:
        return ModelFiles(name, folder, (*texts, *weights))
    ggufs = [file for file in present if file.endswith(".gguf")]
    if len(ggufs) == 1:
        return ModelFiles(name, folder, (ggufs[0],), ggufs[0])
    if len(ggufs) > 1:
        raise Unreadable(no_model(name, f"it holds {len(ggufs)} GGUF files: name one of them"))
    raise Unreadable(unsafe_weights(name, [file for file in present if file.endswith(PICKLES)]))


def _downloaded(name: str, revision: str | None) -> Path:
    """The folder of a model of the hub; only files that can hold neither pickles nor code are fetched."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise Unreadable(no_model_packages(error.name or "huggingface_hub")) from None
    wanted = [*TEXTS, POOLING, "*.safetensors", "*.safetensors.index.json"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except Exception as error:  # what the hub's client raises differs by version and by what is wrong
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unreadable(no_model(name, f"there is no such path, and the hub says: {why}")) from error
