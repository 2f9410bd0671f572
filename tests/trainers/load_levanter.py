"""Runs in Levanter's environment: builds its caches of a run, exports with their counts, and reads whole trainings.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import draccus
import jax
from haliax import Axis
from levanter.data import AsyncDataset
from levanter.data.mixture import MixtureDataset, rescale_mixture_schedule_for_batch_schedule
from levanter.data.text import LmDataConfig
from levanter.main.train_lm import TrainLmConfig
from levanter.schedule import BatchSchedule
from load_prepared import prepare


class Numbers(AsyncDataset[Any]):
    """A dataset whose samples say which they are: its name and their number."""

    def __init__(self, name: str, length: int) -> None:
        self.name, self.length = name, length

    async def async_len(self) -> int:
        return self.length

    def is_finite(self) -> bool:
        return True

    async def get_batch(self, indices: Sequence[int]) -> Sequence[Any]:
        assert all(0 <= one < self.length for one in indices)
        return [(self.name, int(one)) for one in indices]


def by_phase(mixture: Any, ends: Sequence[int]) -> list[dict[str, int]]:
    """What a mixture gives between the starts of phases, by place; and the most often that a sequence came in all."""
    often: Counter[Any] = Counter()
    phases, start = [], 0
    for end in ends:
        read = asyncio.run(mixture.get_batch(range(start, end)))
        often.update(read)
        phases.append(dict(Counter(name for name, _ in read)))
        start = end
    most: dict[str, int] = {}
    for (name, _), times in often.items():
        most[name] = max(most.get(name, 0), times)
    return [*phases, most]


def ends_of(weights: Sequence[Any], steps: int, batch: int) -> list[int]:
    """Sequences after which phases end."""
    return [*(start * batch for start, _ in weights[1:]), steps * batch]


def parsed(folder: str) -> Any:
    """An export as Levanter's training program reads it."""
    return draccus.parse(TrainLmConfig, config_path=f"{folder}/train.yaml", args=[])


def trained(config: Any) -> list[dict[str, int]]:
    """All of a training, with Levanter's shuffling, over sequences that say which they are."""
    schedule, axis = BatchSchedule(config.trainer.train_batch_size), Axis("position", config.train_seq_len)
    ends = ends_of(config.data.train_weights, config.trainer.num_train_steps, config.trainer.train_batch_size)
    built = LmDataConfig.build_token_datasets
    LmDataConfig.build_token_datasets = lambda *args, **kwargs: {
        name: Numbers(name, asyncio.run(one.async_len())) for name, one in built(*args, **kwargs).items()
    }
    train = config.data.train_set(axis, schedule, key=jax.random.PRNGKey(config.data_seed))
    return by_phase(train.dataset, ends)


def of_case(case: dict[str, Any]) -> list[dict[str, int]]:
    """A mixture of given weights over places of given lengths."""
    datasets = {name: Numbers(name, length) for name, length in case["lengths"].items()}
    weights = rescale_mixture_schedule_for_batch_schedule(case["weights"], BatchSchedule(case["batch"]))
    mixture = MixtureDataset(datasets, weights, case["size"], key=0)
    return by_phase(mixture, ends_of(case["weights"], case["steps"], case["batch"]))


def main() -> None:
    """The run, then data of one's own block by block, then mixtures of any sizes."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    prepare(Path(asked["real"]), asked["again"])
    real = parsed(asked["real"])
    axis, schedule = Axis("position", real.train_seq_len), BatchSchedule(real.trainer.train_batch_size)
    example = real.data.train_set(axis, schedule, key=jax.random.PRNGKey(0))
    tokens = example.as_sync_dataset()[0].tokens.array
    own = parsed(asked["own"])
    out = {
        "tokens": [len(tokens), int(tokens.min()), int(tokens.max())],
        "real": trained(real),
        "own": {
            "weights": own.data.train_weights,
            "stop": own.data.stop_strategy,
            "components": {name: one.cache_dir for name, one in own.data.components.items()},
            "steps": own.trainer.num_train_steps,
            "blocks": blocks(own),
        },
        "cases": [of_case(case) for case in asked["cases"]],
    }
    print(json.dumps(out))


def blocks(config: Any) -> list[dict[str, int]]:
    """What the first block of every phase gives, and the last of all."""
    weights, batch = config.data.train_weights, config.trainer.train_batch_size
    rescaled = rescale_mixture_schedule_for_batch_schedule(weights, BatchSchedule(batch))
    datasets = {name: Numbers(name, 2**31) for name in config.data.components}
    size = config.data.mixture_block_size
    mixture = MixtureDataset(datasets, rescaled, size, key=0)
    starts = [*(start for start, _ in rescaled), config.trainer.num_train_steps * batch - size]
    read = [asyncio.run(mixture.get_batch(range(start, start + size))) for start in starts]
    return [dict(Counter(name for name, _ in one)) for one in read]


if __name__ == "__main__":
    main()
