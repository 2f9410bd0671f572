"""What `mixc compile` and `mixc explain` print: language, share, tokens, epochs, predicted loss, what binds."""

from __future__ import annotations

from collections.abc import Iterator

from mixc.compiler.problem import Decision
from mixc.compiler.review import words
from mixc.compiler.review.binding import PRICE, TARGET, brief, stated, taken, what_binds
from mixc.compiler.review.effect import names_of
from mixc.compiler.review.rebuild import decision_from_manifest
from mixc.compiler.review.schema import Manifest

TARGETED = "relative entropy from the target shares"
ASSUMED = "* by InfoLaw's own constants, for want of a law fitted to the language"
OWN = "no rule or limit of its own; at one price for all such, it shares what these leave"
MOST_RULES = 3
REASONS = {
    PRICE: "no rule or limit; one more token is worth the same everywhere",
    TARGET: "no rule or limit; as near to the strategy's own share as the rest allows",
}


def summary(manifest: Manifest) -> str:
    """A manifest for people: headline, table, rules, phases, proof, assumptions. No width, no colour, no clock."""
    decision = decision_from_manifest(manifest)
    parts = [_headline(manifest), language_table(decision)]
    parts += [quality_table(decision), _groups(decision), _rules(decision), proof(decision)]
    parts += [_evaluation(manifest), _remarks(manifest)]
    return "\n".join(f"{part.rstrip()}\n" for part in parts if part)


def language_table(decision: Decision) -> str:
    """One row per language, the largest share first."""
    losses = {outcome.code: outcome.loss for outcome in decision.languages}
    assumed = {language.code for language in decision.problem.languages if language.assumed}
    lines = []
    for code in names_of(decision.problem, "language"):
        take = taken(decision, "language", code)
        share = take.tokens / decision.problem.tokens
        loss = words.loss(losses.get(code)) + ("*" if code in assumed else " ")
        binds = what_binds(decision, "language", code)
        row = (code, words.share(share), words.tokens(take.tokens), words.epochs(take.epochs), loss, binds)
        lines.append((share, row))
    rows = [row for _, row in sorted(lines, key=lambda line: (-line[0], line[1]))]
    header = ("language", "share", "tokens", "epochs", "loss", "what binds it")
    star = f"{ASSUMED}\n" if assumed else ""
    used = "".join(f"{word}: {note}\n" for word, note in _reasons(decision) if any(row[-1] == word for row in rows))
    return words.table(header, rows, left=(0, 5)) + star + used


def _reasons(decision: Decision) -> Iterator[tuple[str, str]]:
    """What the words mean that stand where no rule and no limit does.

    Prices belong to rules, not to pairs of a rule and a language: all that one can say of a language that no rule names
    is which rules decide how much is left for it.
    """
    priced = sorted((o for o in decision.rules if o.active), key=lambda o: -o.tighten)
    rules = list(dict.fromkeys(brief(outcome.rule) for outcome in priced))
    yield PRICE, f"{OWN}: {words.listed(rules, MOST_RULES)}" if rules else REASONS[PRICE]
    yield TARGET, REASONS[TARGET]


def quality_table(decision: Decision) -> str:
    """One row per quality bucket of rated pools, best first, and one for unrated pools; none where no pool is rated."""
    supply: dict[tuple[float, float], int] = {}
    used: dict[tuple[float, float], int] = {}
    unrated = [0, 0]
    for pool, choices in zip(decision.problem.pools, decision.cells, strict=True):
        for bucket, cell in zip(pool.buckets, choices, strict=True):
            if not pool.rated:
                unrated = [unrated[0] + bucket.tokens, unrated[1] + sum(cell.tokens)]
                continue
            ranks = bucket.low, bucket.high
            supply[ranks] = supply.get(ranks, 0) + bucket.tokens
            used[ranks] = used.get(ranks, 0) + sum(cell.tokens)
    last = max((ranks for ranks, tokens in used.items() if tokens), default=None)
    lines = []
    for low, high in sorted(supply):
        name = f"best {words.percent(high)}" if low == 0 else f"to {words.percent(high)}"
        share = words.share(used[low, high] / decision.problem.tokens)
        epochs = words.epochs(used[low, high] / supply[low, high]) if supply[low, high] else ""
        if last is None or (low, high) > last:
            name, epochs = "the rest", "0.00"
        lines.append((name, share, words.tokens(used[low, high]), epochs))
    lines = list(dict.fromkeys(lines))
    if lines and unrated[1]:
        amounts = words.share(unrated[1] / decision.problem.tokens), words.tokens(unrated[1])
        lines.append(("unrated", *amounts, words.epochs(unrated[1] / unrated[0])))
    return words.table(("quality", "share", "tokens", "epochs"), lines) if lines else ""


def proof(decision: Decision) -> str:
    """The certificate in a sentence: what was bounded is the loss, or the distance, plus the price of shortfalls."""
    found, strategy = decision.certificate, decision.problem.strategy.name
    short = any(outcome.shortfall > 0 for outcome in decision.rules)
    if decision.distance is not None:
        priced = f", with the price of shortfalls {found.loss:.3g}" if short else ""
        return (
            f"loss {words.loss(decision.loss)}; strategy {strategy}: {TARGETED} {decision.distance:.3g}{priced}, "
            f"within {found.gap:.1e} of the least possible\n"
        )
    among = "with these language shares" if strategy == "two_step" else "under these rules"
    priced = f", with the price of shortfalls {words.loss(found.loss)}" if short else ""
    better = f"has a lower sum than {found.bound:.9g}" if short else f"is better than {found.bound:.9g}"
    return (
        f"loss {words.loss(decision.loss)}{priced}; no mixture {among} {better}: "
        f"gap {found.gap:.1e}, preference among equals costs {found.tie_break:.1e}\n"
    )


def _headline(manifest: Manifest) -> str:
    budget, runnable = manifest.budget, "" if manifest.runnable else f"; not runnable: {manifest.reason}"
    after = f" after {words.tokens(manifest.after.tokens)} ({manifest.after.manifest})" if manifest.after else ""
    sizes = (
        f"{words.tokens(budget.params)} params, {words.tokens(budget.tokens)} tokens{after}, {budget.flops:.3g} FLOPs"
    )
    description = f"{manifest.recipe.description}\n" if manifest.recipe.description else ""
    return f"{manifest.recipe.name}: {sizes}, strategy {manifest.strategy.name}{runnable}\n{description}"


def _groups(decision: Decision) -> str:
    """Sources, domains and phases, where there is more than one."""
    text = ""
    for axis in ("source", "domain", "phase"):
        names = names_of(decision.problem, axis)
        if len(names) < 2:
            continue
        lines = []
        for name in names:
            take = taken(decision, axis, name)
            epochs = "" if axis == "phase" else words.epochs(take.epochs)
            lines.append((name, words.share(take.tokens / decision.problem.tokens), words.tokens(take.tokens), epochs))
        header = (axis, "share", "tokens", "" if axis == "phase" else "epochs")
        text += words.table(header, lines) + "\n"
    return text


def _rules(decision: Decision) -> str:
    """Rules that bind or fall short; the others are counted."""
    shown = [o for o in decision.rules if o.active or o.shortfall > 0]
    idle = len(decision.rules) - len(shown)
    lines = [
        (stated(o.rule), f"{o.tighten:.3g}" if o.active else "", f"short by {o.shortfall:.3g}" * (o.shortfall > 0))
        for o in shown
    ]
    text = words.table(("rule that binds", "price", ""), lines, left=(0, 2)) if lines else ""
    return text + (f"{words.count(idle, 'rule')} without effect\n" if idle else "")


def _evaluation(manifest: Manifest) -> str:
    """One line for each way the trained model is judged, and one for languages that are not."""
    lines = []
    for row in manifest.evaluations:
        tasks = len({task.dataset for task in manifest.tasks if task.suite == row.suite})
        held = f"; {words.percent(row.holdout)} of documents held out" if row.holdout else ""
        lines.append(
            f"evaluation: {row.suite}, panel {row.panel}: {words.count(tasks, 'dataset')} in "
            f"{words.count(len({*row.covered, row.pivot}), 'language')}{held}\n"
        )
        if row.uncovered:
            lines.append(f"not evaluated, for want of tasks: {', '.join(row.uncovered)}\n")
    return "".join(lines)


def _remarks(manifest: Manifest) -> str:
    return "".join(f"assumed: {text}\n" for text in manifest.assumptions) + "".join(
        f"note: {text}\n" for text in manifest.notes
    )
