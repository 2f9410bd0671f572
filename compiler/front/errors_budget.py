"""Diagnostics about budget, phases and supply, and the warnings of a recipe that is complete (M220 to M232)."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span


@page("M220")
def budget_open(span: Span, given: str, helps: tuple[str, ...]) -> Diagnostic:
    """A budget that leaves its size open

    Training costs `compute = 6 * model * tokens`, so two of the three fix the third. Compute alone is enough when a
    bound says what the search over model sizes may choose from.

        budget { model = 1.2B params }

    State a second one, or with `compute` alone a bound such as `ratio >= 20 tokens/param`.
    """
    return Diagnostic(
        "M220",
        f"the budget states {given}, which does not fix the size of the run",
        (Label(span),),
        ("two of `model`, `tokens` and `compute` fix the third: compute = 6 * model * tokens",),
        helps,
    )


@page("M221")
def budget_disagrees(labels: Sequence[Label], computed: str, stated: str, off: str, factor: str) -> Diagnostic:
    """A budget whose three sizes contradict each other

    When model, tokens and compute are all stated, they must agree within 0.5 %: compute = 6 * model * tokens, or the
    factor given as `flops_per_param_token`.

        budget { model = 1B params, tokens = 10B tokens, compute = 1e21 FLOPs }

    Remove one of the three, and mixc computes it. An extending recipe removes an inherited one with
    `override budget { compute = none }`.
    """
    return Diagnostic(
        "M221",
        f"model and tokens cost {computed}, but `compute` says {stated}",
        tuple(labels),
        (f"compute = {factor} * model * tokens; they differ by {off}, more than 0.5%",),
        ("remove one of the three; in an extending recipe write `compute = none`",),
    )


@page("M222")
def budget_bound(span: Span, bound: str, computed: str, labels: Sequence[Label]) -> Diagnostic:
    """A bound of the budget that does not hold

    When two of model, tokens and compute are given, the third and the ratio follow, and every bound is checked.

        budget { model = 7B params, tokens = 100B tokens, ratio >= 20 tokens/param }

    Change the sizes or the bound.
    """
    return Diagnostic("M222", f"`{bound}` does not hold", (Label(span, "this bound"), *labels), (computed,))


@page("M223")
def budget_unknown(span: Span, name: str, note: str) -> Diagnostic:
    """A part of the budget that is not known where it is used

    `budget.model`, `budget.tokens` and `budget.compute` are values only when the budget fixes them. While the size is
    searched for, `budget.tokens` may stand in the budgets of phases, as in `10% * budget.tokens`, and nowhere else.

        require tokens(de) >= 5% * budget.tokens

    Use a share instead, or state the missing part of the budget.
    """
    return Diagnostic("M223", f"`{name}` is not known here", (Label(span),), (note,))


@page("M224")
def phases_do_not_sum(labels: Sequence[Label], total: str, off: str, helps: tuple[str, ...]) -> Diagnostic:
    """Phases that do not add up to the budget

    The budgets of all phases together are `budget.tokens`, so that a share of the recipe and a share of a phase speak
    of the same tokens.

        phase pretrain { budget = 80% * budget.tokens }
        phase anneal   { after = pretrain, budget = 10% * budget.tokens }

    Change one of them so that the sum is 100%.
    """
    return Diagnostic(
        "M224", f"the phases sum to {total} of the budget, {off}", tuple(labels), ("phase budgets sum to 100%",), helps
    )


@page("M225")
def phases_no_chain(labels: Sequence[Label], what: str, helps: tuple[str, ...]) -> Diagnostic:
    """Phases that are not one sequence

    Training runs through its phases one after the other: one phase has no `after`, and every other follows a phase
    that none else follows.

        phase anneal  { after = pretrain, budget = 10% * budget.tokens }
        phase longctx { after = pretrain, budget = 5% * budget.tokens }

    Let each phase follow the one before: `after = anneal` in the second.
    """
    return Diagnostic("M225", what, tuple(labels), ("`after` puts all phases into one sequence",), helps)


@page("M226")
def in_phase_only_epochs(span: Span, key: str, phase: str) -> Diagnostic:
    """A change of a source that a phase cannot make

    A source is the same in every phase. A phase may add a limit of its own, `override source x { epochs <= 1 }`,
    which binds beside the source's own limit.

        phase anneal { budget = 40B tokens, override source web { domain = news } }

    Change the source where it is declared.
    """
    return Diagnostic(
        "M226",
        f"phase `{phase}` can limit the epochs of a source, but not change its `{key}`",
        (Label(span, "the same in every phase"),),
        helps=("write `epochs <= n` here, and everything else where the source is declared",),
    )


@page("M227")
def bad_overlap(span: Span, message: str, label: str, help_: str) -> Diagnostic:
    """An overlap that leaves nothing, or is with itself

    `overlap = { other: 60% }` says that 60% of this source's tokens are in the other one too; they count once, there.
    All overlaps of a source together stay below 100%, and two sources cannot each lie in the other.

        source a { supply = "a.csv", overlap = { b: 60%, c: 60% } }

    Correct the percentages.
    """
    return Diagnostic("M227", message, (Label(span, label),), helps=(help_,))


@page("M228")
def bad_buckets(span: Span, message: str, help_: str) -> Diagnostic:
    """Buckets that do not divide the ranks

    `buckets` lists the upper ranks of the buckets, best first: each larger than the one before, the last 100%. A
    whole number makes that many buckets of equal size.

        quality { buckets = [20%, 5%, 100%] }

    Write them in rising order, ending with 100%.
    """
    return Diagnostic("M228", message, (Label(span),), helps=(help_,))


@page("M229")
def no_limit(span: Span, name: str) -> Diagnostic:
    """A source without a limit on its repetition (warning)

    Nothing stops the mixture from reading a small, good source dozens of times, and the law of repetition was
    measured for a few passes only.

        source wikipedia { supply = "wikipedia.csv" }

    State how often its tokens may be read: `epochs <= 4`.
    """
    return Diagnostic(
        "M229",
        f"source `{name}` may be repeated without limit",
        (Label(span, "no `epochs <= n` here"),),
        helps=("add a limit such as `epochs <= 4`",),
        severity=Severity.WARNING,
    )


@page("M230")
def large_transfer(span: Span, code: str, total: str) -> Diagnostic:
    """A language that learns more from others than from itself (warning)

    The percentages of `transfer` say how much a unit of another language's information counts for this one. A sum
    above 100% means that text in other languages helps more than text in the language itself.

        language no { transfer = { da: 60%, sv: 60% } }

    Check the numbers; published transfer matrices stay far below.
    """
    return Diagnostic(
        "M230",
        f"the transfers into `{code}` sum to {total}",
        (Label(span, "more than its own text counts"),),
        severity=Severity.WARNING,
    )


@page("M231")
def same_origin(span: Span, first: Span, name: str, other: str, origin: str) -> Diagnostic:
    """Two sources that may hold the same documents (warning)

    Published corpora made from one origin, such as Common Crawl, share many documents. Counted twice, their supply
    looks larger than it is and repetition is hidden.

        source fineweb2 { supply = "fineweb2.csv", origin = common-crawl, epochs <= 4 }
        source culturax { supply = "culturax.csv", origin = common-crawl, epochs <= 4 }

    Say how much they share, `overlap = { fineweb2: 60% }` in one of them, or drop one.
    """
    return Diagnostic(
        "M231",
        f"sources `{other}` and `{name}` come from one origin, `{origin}`, and may hold the same documents",
        (Label(span, "counted as if it were all new"), Label(first, "made from the same origin")),
        helps=(f"say how much they share, e.g. `overlap = {{ {other}: 60% }}` in `{name}`",),
        severity=Severity.WARNING,
    )


@page("M232")
def phase_of_open_budget(span: Span, name: str) -> Diagnostic:
    """A phase that is set to the tokens of an unknown budget

    While the size of the run is searched for, a phase's budget must be a part of it: `10% * budget.tokens`. A number
    of tokens has no share in something unknown.

        budget { compute = 3e21 FLOPs, ratio >= 20 tokens/param }
        phase anneal { after = pretrain, budget = 40B tokens }

    Write the phase's budget as a percentage of `budget.tokens`.
    """
    return Diagnostic(
        "M232",
        f"phase `{name}` needs a part of `budget.tokens`, because the size of the run is searched for",
        (Label(span, "a fixed number of tokens"),),
        helps=("write it as a part: `10% * budget.tokens`",),
    )
