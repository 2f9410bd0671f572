"""What can be wrong with the files of a model: M603 to M605."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.wording import listed, plain


@page("M603")
def no_model_packages(module: str) -> Diagnostic:
    """models need packages that are not installed

    Running a model needs PyTorch and Hugging Face transformers, which come with an extra of mixc. Reading features that
    were extracted before, and ranking by them, needs neither.
    """
    return Diagnostic("M603", f"running a model needs the package `{module}`, which is not installed", helps=(
        "pip install 'mixc[models]'",
    ))  # fmt: skip


@page("M604")
def no_model(name: str, why: str) -> Diagnostic:
    """a model cannot be loaded

    A model is a folder with weights, configuration and tokenizer, a GGUF file, or the name of a model on the Hugging
    Face hub, which has to be reachable then, or to have been downloaded before.

    What to do: check the name, or download the model and give its path.
    """
    return Diagnostic(
        "M604",
        f"the model `{plain(name, 200)}` cannot be loaded: {plain(why, 300)}",
        helps=("check the name, or download the model and give its path",),
        subject=name,
    )


@page("M605")
def unsafe_weights(name: str, files: Sequence[str]) -> Diagnostic:
    """the weights of a model are pickles

    Loading a pickle runs whatever code is in it. mixc reads weights as safetensors or GGUF only, which hold numbers and
    nothing else.

    What to do: use a model that offers `.safetensors` or `.gguf`, or convert this one where you trust it.
    """
    return Diagnostic(
        "M605",
        f"the weights of `{plain(name, 200)}` are neither safetensors nor GGUF",
        notes=(f"found: {listed(files)}" if files else "no file of weights was found",),
        helps=("use a model that offers `.safetensors` or `.gguf`",),
        subject=name,
    )
