"""What can be wrong with a model and with what it is asked for: M606 to M610."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.wording import listed, plain


@page("M606")
def own_code(name: str, kind: str) -> Diagnostic:
    """a model needs code of its own

    The architecture is not one that transformers knows; the model brings Python files to be run. mixc never runs code
    that comes with data.

    What to do: use a model of a known architecture, or a version of transformers that knows this one.
    """
    return Diagnostic(
        "M606",
        f"the model `{plain(name, 200)}` of type `{plain(kind)}` needs code of its own, which is never run",
        subject=name,
        helps=("use a model that transformers knows by itself",),
    )


@page("M607")
def no_projection(name: str, projection: str, kind: str, found: Sequence[str]) -> Diagnostic:
    """a model has no such projection

    Neurons are the outputs of one linear projection that every layer has: `up_proj`, `gate_proj` and `down_proj` of a
    gated MLP (the families Llama, Qwen, Mistral, Gemma, SmolLM), `q_proj`, `k_proj`, `v_proj`, `o_proj` of attention.
    Models that fuse these, that divide the MLP among experts, or whose MLP has no gate, have no such projection.

    What to do: choose another model, or another projection.
    """
    return Diagnostic(
        "M607",
        f"the layers of `{plain(name, 200)}`, a model of type `{plain(kind)}`, have no projection `{projection}`",
        notes=(f"a layer has: {listed(found, 12)}",) if found else (),
        helps=("choose another model, or another projection",),
        subject=name,
    )


@page("M608")
def bad_widths(name: str, projection: str, widths: Sequence[int], most: int) -> Diagnostic:
    """the layers of a model are too wide, or not all of one width

    A neuron is stored as a number of 16 bits, the same for all layers: they have one width, of at most 65,535 neurons.

    What to do: choose another model, or another projection.
    """
    return Diagnostic(
        "M608",
        f"`{projection}` of `{plain(name, 200)}` has layers of {listed([f'{width:,}' for width in widths])} neurons",
        notes=(f"all layers must have one width, of at most {most:,}",),
        helps=("choose another model, or another projection",),
        subject=name,
    )


@page("M609")
def bad_parameter(name: str, key: str, value: int, least: int, most: int) -> Diagnostic:
    """a number of neurons or tokens is not possible

    `top_k` is at least 1 and at most the width of a layer; usual is 0.3 % of it. `tokens` is how many first tokens of a
    text are read: at least 1, at most as many as the model can see at once; usual is 120.
    """
    return Diagnostic(
        "M609",
        f"`{key} = {value:,}` is not possible for `{plain(name, 200)}`",
        helps=(f"write {least:,} to {most:,}",),
        subject=name,
    )


@page("M610")
def not_finite(name: str, id: str) -> Diagnostic:
    """a model gives numbers that are not finite

    An activation was infinite or no number. The weights are damaged, or the precision is too low for this model.

    What to do: use `float32`; check the file of weights.
    """
    return Diagnostic(
        "M610",
        f"`{plain(name, 200)}` has an activation that is not finite, for document `{plain(id)}`",
        helps=("use `float32`, and check the weights",),
        subject=name,
    )
