"""A plain selection in numpy, written from QuaDMix's equations and sharing no code with mixc; and metadata for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

DOMAINS, LANGUAGES, RATERS = 26, 17, 3
CHUNK = 1 << 20  # documents of one file
# How much of each rater is what all of them see, and how much its own.
COMMON, OWN = np.array([0.8, 0.6, 0.4]), np.array([0.6, 0.8, 0.9])


def select(
    domain: Codes, language: Codes, scores: NDArray[np.float32], tokens: Codes, weights: Floats, beta: Floats, u: Floats
) -> Codes:
    """Copies [n] of documents with scores [n, N], higher = better: weights [M, N], beta [M, 4], uniform u [n].

    (1) rank of each score within its language; (2) q = sum_n alpha[m, n] rank_n; (3) r = the tokens of a language and
    domain from its best document up to this one, by all of them; (4) S = (2 / (1 + exp(-lam (omega - r))))^eta + eps
    where r <= omega, else eps; (5) floor(S) copies, one more where u < S - floor(S). Ties are split.
    """
    merged = merge(domain, language, scores, weights)
    s = sampling_value(token_percentile(domain, language, merged, tokens), beta[domain])
    return np.floor(s).astype(np.int64) + (u < s - np.floor(s))


def merge(domain: Codes, language: Codes, scores: NDArray[np.float32], weights: Floats) -> Floats:
    """Steps 1 and 2."""
    merged = np.zeros(len(domain))
    for rows in groups(language):
        part = domain[rows]
        for n in range(scores.shape[1]):
            rank = np.empty(len(rows))
            rank[np.argsort(scores[rows, n])] = np.arange(len(rows)) / len(rows)
            merged[rows] += weights[part, n] * rank
    return merged


def token_percentile(domain: Codes, language: Codes, merged: Floats, tokens: Codes) -> Floats:
    """Step 3."""
    percentile = np.empty(len(domain))
    for rows in groups(domain * (language.max() + 1) + language):
        rows = rows[np.argsort(-merged[rows])]
        up_to = np.cumsum(tokens[rows])
        percentile[rows] = up_to / up_to[-1]
    return percentile


def sampling_value(r: Floats, beta: Floats) -> Floats:
    """Step 4, beta [n, 4]: lambda, omega, eta, epsilon of each document's domain."""
    lam, omega, eta, epsilon = beta.T
    bracket = (2 / (1 + np.exp(-lam * np.maximum(omega - r, 0)))) ** eta
    value: Floats = np.where(r <= omega, bracket, 0) + epsilon
    return value


def groups(code: Codes) -> list[Codes]:
    """The rows of each code that occurs."""
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def metadata(rows: int, seed: int, chunk: int = CHUNK) -> Iterator[pa.Table]:
    """Documents in tables of `chunk` rows."""
    for number, first in enumerate(range(0, rows, chunk)):
        yield piece(number, first, min(chunk, rows - first), seed)


def piece(number: int, first: int, n: int, seed: int) -> pa.Table:
    """A table of documents [n]: id (from `first`), domain, language, score0 to score2, tokens.

    Sizes of domains and languages fall like 1 / k, domains in another order in each language. The scores share a part:
    one is lognormal, one normal and one between 0 and 1. Each table depends on its number and the seed only.
    """
    order = np.array([np.random.default_rng([seed, i]).permutation(DOMAINS) for i in range(LANGUAGES)])
    names = [pa.array([f"{kind}{i:02}" for i in range(n)]) for kind, n in (("domain", DOMAINS), ("lang", LANGUAGES))]
    random = np.random.default_rng([seed, LANGUAGES + number])
    language = zipf(random, n, LANGUAGES)
    domain = order[language, zipf(random, n, DOMAINS)]
    quality = COMMON * random.standard_normal((n, 1)) + OWN * random.standard_normal((n, RATERS))
    scores = [np.exp(quality[:, 0]), quality[:, 1], 1 / (1 + np.exp(-quality[:, 2]))]
    columns = {
        "id": pa.array(np.arange(first, first + n)).cast(pa.string()),
        "domain": pa.DictionaryArray.from_arrays(domain.astype(np.int8), names[0]),
        "language": pa.DictionaryArray.from_arrays(language.astype(np.int8), names[1]),
        **{f"score{i}": score.astype(np.float32) for i, score in enumerate(scores)},
        "tokens": np.maximum(1, random.lognormal(6.0, 1.0, n)).astype(np.int32),
    }
    return pa.table(columns)


def zipf(random: np.random.Generator, n: int, kinds: int) -> Codes:
    """n codes below `kinds`, code k with probability proportional to 1 / (k + 1)."""
    edges = np.cumsum(1 / np.arange(1, kinds + 1))
    return np.minimum(np.searchsorted(edges / edges[-1], random.random(n), side="right"), kinds - 1)


def write_metadata(folder: Path, rows: int, seed: int, chunk: int = CHUNK) -> list[Path]:
    """`metadata` in Parquet files of a table each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, table in enumerate(metadata(rows, seed, chunk)):
        paths.append(folder / f"part-{number:05}.parquet")
        pq.write_table(table, paths[-1], compression="zstd")
    return paths
