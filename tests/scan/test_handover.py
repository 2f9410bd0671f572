"""What pass 1 hands to pass 2: the same counts as from the documents, or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from memory_pool import random_case

from mixc.compiler.documents.data import DataFile, Part
from mixc.compiler.documents.reading import parts
from mixc.compiler.scan import handover as handing
from mixc.compiler.scan.counts import FULL_BITS, Counts, count
from mixc.compiler.scan.handover import Handover, blocks, new_handover
from mixc.compiler.scan.normalise import Tables, fit
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.profile import profile
from tests.selection.pool import plain_pool, scanned

ROWS = 150_000  # several batches


@pytest.fixture
def handover(tmp_path: Path) -> Handover:
    return new_handover(tmp_path)


def case(folder: Path, tokens: int = 900) -> tuple[Plan, Part]:
    """A file of many documents: some without a score, some of a language that comes late; one rater has no column."""
    plan = random_case(11, 2).plan
    random = np.random.default_rng(5)
    scores = random.normal(size=ROWS).astype(np.float32)
    scores[random.integers(0, ROWS, 900)] = np.nan
    scores[random.integers(0, ROWS, 20)] = np.inf
    table = {
        "lang": np.where(np.arange(ROWS) > ROWS - 500, "fr", random.choice(["en", "de"], ROWS)),
        "domain": random.choice(["news", "forums", "books"], ROWS),
        "n": random.integers(1, tokens, ROWS),
        "r0": pa.array(scores, mask=random.random(ROWS) < 0.01),
    }
    path = folder / "data.parquet"
    pq.write_table(pa.table(table), path)
    (source,) = plan.sources
    wanted = replace(source.wanted, scores=(("r0", "r0"),))
    raters = (replace(plan.raters[0], missing="renormalise"), replace(plan.raters[1], missing="worst"))
    plan = replace(plan, sources=(replace(source, wanted=wanted),), raters=raters)
    (part,) = parts(DataFile("web", path.name, str(path), "parquet", path.stat().st_size, ""))
    return plan, part


def counted(plan: Plan, part: Part, handover: Handover | None, tables: Tables) -> Counts:
    return count(plan, tables, FULL_BITS, part, handover)


def alike(one: Counts, other: Counts) -> None:
    assert one.excluded == other.excluded
    assert one.groups.keys() == other.groups.keys()
    for key, group in one.groups.items():
        for name in ("levels", "documents", "tokens", "largest"):
            assert (getattr(group, name) == getattr(other.groups[key], name)).all()


def test_counts_are_the_same_with_what_was_handed_over(tmp_path: Path, handover: Handover) -> None:
    plan, part = case(tmp_path)
    tables = fit(plan, profile(plan, part, handover))
    handed = blocks(handover, part, len(plan.raters))
    assert handed is not None
    assert sum(len(block.group) for block in handed) == ROWS
    plain = counted(plan, part, None, tables)
    Path(part.file.path).unlink()  # the documents are not read again
    alike(counted(plan, part, handover, tables), plain)
    handover.remove()
    assert list(tmp_path.iterdir()) == []


def test_tokens_that_do_not_fit_are_read_again(tmp_path: Path, handover: Handover) -> None:
    plan, part = case(tmp_path, 1 << 33)
    tables = fit(plan, profile(plan, part, handover))
    assert blocks(handover, part, len(plan.raters)) is None
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]
    found = counted(plan, part, handover, tables)
    tokens = pq.read_table(part.file.path)["n"].to_numpy()
    assert sum(int(group.tokens.sum()) for group in found.groups.values()) == int(tokens.sum())
    assert max(int(group.largest.max()) for group in found.groups.values()) == int(tokens.max())


def test_nothing_is_handed_over_where_there_is_no_room_or_no_folder(
    tmp_path: Path, handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, part = case(tmp_path)
    elsewhere = replace(handover, folder=str(tmp_path / "gone"))
    profile(plan, part, elsewhere)
    assert blocks(elsewhere, part, 2) is None
    monkeypatch.setattr(handing, "ROOM", 1 << 62)
    profile(plan, part, handover)
    assert blocks(handover, part, 2) is None


def test_a_reader_that_fails_leaves_nothing(tmp_path: Path, handover: Handover) -> None:
    plan, part = case(tmp_path)
    path = Path(part.file.path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = b"\0" * 4000
    path.write_bytes(data)
    with pytest.raises(Exception, match=r"row group|damaged|broken|cannot"):
        profile(plan, part, handover)
    assert [found.name for found in tmp_path.iterdir()] == ["data.parquet"]


def test_a_scan_leaves_none_behind(tmp_path: Path) -> None:
    recipe = plain_pool(tmp_path)
    for workers in (1, 2):
        scanned(recipe, workers=workers)
        assert list((tmp_path / ".mixc" / handing.FOLDER).iterdir()) == []
