"""Tokenises the texts of a run for a trainer: `python prepare.py [--tokenizer NAME]`, from the folder of the run.

Reads `places.json` beside it, writes every place by the trainer's own writer (`writer.py`), and `counts.json` with the
documents and tokens of each, which `mixc export --counts` takes. A document with several copies is written that often:
all of them once, then those with two copies and more, and so on, so that copies are as far apart as can be. What
`counts.json` lists is not written again. Needs pyarrow and tokenizers.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BATCH = 256


def files_of(folders: list[str]) -> list[Path]:
    """The files of texts, in the order they are read."""
    files = [file for folder in sorted(folders) for file in sorted(Path(folder).glob("*.parquet"))]
    if not files:
        sys.exit(f"no texts in {', '.join(folders)}: start from the folder where the run was written")
    return files


def texts(folders: list[str]) -> Iterator[list[str]]:
    """Batches of texts, in the order they are to be read; a text comes once per copy."""
    import pyarrow.parquet as pq

    files = files_of(folders)
    most, current = 1, 0
    while current < most:
        current += 1
        for file in files:
            source = pq.ParquetFile(file)
            columns = [name for name in ("text", "copies") if name in source.schema_arrow.names]
            for batch in source.iter_batches(batch_size=BATCH, columns=columns):
                found = batch.column("text").to_pylist()
                copies = batch.column("copies").to_pylist() if "copies" in columns else [1] * len(found)
                most = max(most, *copies, 1)
                chosen = [text or "" for text, times in zip(found, copies, strict=True) if times >= current]
                if chosen:
                    yield chosen


def opened(name: str) -> tuple[Any, int]:
    """A tokenizer and its token for the end of a text: a folder with `tokenizer.json`, or a name on the hub."""
    from tokenizers import Tokenizer

    if Path(name).is_dir():
        files = {file: Path(name) / file for file in ("tokenizer.json", "tokenizer_config.json")}
    else:
        from huggingface_hub import hf_hub_download

        files = {file: Path(hf_hub_download(name, file)) for file in ("tokenizer.json", "tokenizer_config.json")}
    tokenizer = Tokenizer.from_file(str(files["tokenizer.json"]))
    end = json.loads(files["tokenizer_config.json"].read_text()).get("eos_token")
    number = tokenizer.token_to_id(end["content"] if isinstance(end, dict) else end) if end else None
    if number is None:
        sys.exit(f"{name} has no token for the end of a text")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, number


def tokenised(folders: list[str], tokenizer: Any, end: int) -> Iterator[list[int]]:
    """The tokens of every document, with the end of a text after it."""
    for batch in texts(folders):
        for encoded in tokenizer.encode_batch(batch, add_special_tokens=False):
            yield [*encoded.ids, end]


def main() -> None:
    """Write all places that are not counted yet."""
    sys.path.insert(0, str(HERE))
    import writer  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    asked = json.loads((HERE / "places.json").read_text())
    options = argparse.ArgumentParser(description="Tokenises the texts of a run for a trainer.")
    options.add_argument("--tokenizer", default=asked["prepared"]["tokenizer"], help="a name on the hub, or a folder")
    options.add_argument("--counts", type=Path, default=Path("counts.json"), help="where documents and tokens are told")
    given = options.parse_args()
    tokenizer, end = opened(given.tokenizer)
    vocabulary = tokenizer.get_vocab_size()
    made = {**asked["prepared"], "tokenizer": given.tokenizer}
    counts = json.loads(given.counts.read_text()) if given.counts.exists() else {"places": {}, "prepared": made}
    if counts.get("prepared") != made:
        sys.exit(f"{given.counts} counts other tokens: {counts.get('prepared')}. Give another file: --counts FILE")
    waiting = [place for place in asked["places"] if place["path"] not in counts["places"]]
    for place in waiting:
        if Path(place["path"]).exists():  # another program's, or begun and not ended
            known = f"exists, and {given.counts} does not know it"
            sys.exit(f"{place['path']} {known}: remove it, or export with another --data")
        files_of(place["folders"])
    for place in waiting:
        path = Path(place["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        documents, tokens = writer.write(
            path, tokenised(place["folders"], tokenizer, end), vocabulary, asked["prepared"]["sequence"]
        )
        counts["places"][place["path"]] = {"documents": documents, "tokens": tokens}
        given.counts.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n")
        print(f"{place['path']}: {documents:,} documents, {tokens:,} tokens", flush=True)


if __name__ == "__main__":
    main()
