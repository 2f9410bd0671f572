"""What is said of GPUs that are not there."""

from __future__ import annotations

from mixc.dsl.diagnostics import Diagnostic, page


@page("M536")
def no_gpu(reason: str) -> Diagnostic:
    """PyTorch finds no GPU that it can use.

    `--device cuda` runs models on GPUs of NVIDIA, which needs their driver and a build of PyTorch for CUDA; some of
    PyTorch's packages are built for processors only. `CUDA_VISIBLE_DEVICES`, where it is set, names the GPUs that
    may be used. With `--engine ray` every machine of the cluster that has a GPU needs such a build.
    """
    return Diagnostic(
        "M536",
        "there is no GPU here that PyTorch can use",
        (),
        (reason,),
        (
            "`--device cpu` runs models on processors, in float32",
            "`python -c 'import torch; torch.cuda.init()'` says more",
        ),
    )


@page("M537")
def too_few_gpus(each: float, there: str) -> Diagnostic:
    """No machine has as many GPUs as one worker is to have.

    `--gpus` says how many GPUs each worker gets: one if nothing is said, and a share such as 0.5 where several workers
    use one GPU together. All GPUs of a worker are in one machine. A worker of a Ray cluster needs a processor beside
    them; the cluster counts what it was started with (`ray start --num-gpus`). Without this message the work would wait
    for a machine that never comes.
    """
    return Diagnostic(
        "M537",
        f"each worker is to have {each:g} GPU{'' if each <= 1 else 's'}, and no machine has so many",
        (),
        (f"GPUs: {there}",),
        ("`--gpus 1` gives each worker one GPU, `--gpus 0.5` half of one", "`--device cpu` runs models on processors"),
    )
