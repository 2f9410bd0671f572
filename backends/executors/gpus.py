"""The GPUs of this machine, as PyTorch sees them, and how workers share them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mixc.backends.executors.messages import no_gpu, too_few_gpus
from mixc.compiler.executor import Unavailable

VISIBLE = "CUDA_VISIBLE_DEVICES"


def why_no_gpu() -> str | None:
    """What PyTorch says where it has no GPU to use; None where it has one."""
    try:
        import torch
    except ImportError as error:
        return f"{error.name or 'torch'} is not installed"
    if torch.cuda.is_available():
        return None
    try:
        torch.cuda.init()
        reason = "no GPU was found"
    except (AssertionError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return f"PyTorch {torch.__version__}: {reason}"


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by number or by the names that `CUDA_VISIBLE_DEVICES` has for them.

    Raises `Unavailable` where there is none.
    """
    if (reason := why_no_gpu()) is not None:
        raise Unavailable(no_gpu(reason))
    import torch

    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return (named or [str(number) for number in range(count)])[:count]


def workers_on(gpus: int, each: float) -> int:
    """How many workers so many GPUs of one machine serve; of a share of a GPU, none is cut in two."""
    return gpus * int(1 / each + 1e-9) if each < 1 else gpus // int(each)


def shares_of(devices: Sequence[str], each: float) -> list[str]:
    """For every worker that there may be, the GPUs it sees: one after the other, then again where they are shared.

    Raises `Unavailable` where there are fewer than one worker is to have.
    """
    count = workers_on(len(devices), each)
    if count == 0:
        raise Unavailable(too_few_gpus(each, f"{len(devices)} here"))
    size = max(1, int(each))
    groups = [",".join(devices[start : start + size]) for start in range(0, len(devices) - size + 1, size)]
    return [groups[worker % len(groups)] for worker in range(count)]
