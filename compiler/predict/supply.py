"""What more supply is worth, and what repetition buys."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixc.compiler.predict.assumptions import grown
from mixc.compiler.problem import Decision, Problem
from mixc.compiler.recipe import Limit
from mixc.compiler.review.compare import reads_of
from mixc.compiler.review.effect import Decide, names_of

LARGER = 0.1
PASSES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
BILLION = 1e9


@dataclass(frozen=True, slots=True)
class Crawl:
    """A language with `supply` unique tokens, `more` of them in proportion, and how far the loss falls for it."""

    language: str
    supply: int
    more: int
    gain: float

    @property
    def per_billion(self) -> float:
        """The fall of the loss for each billion more unique tokens."""
        return self.gain * BILLION / self.more if self.more else 0.0


@dataclass(frozen=True, slots=True)
class Repetition:
    """The best mixture where nothing is read more than `passes` times; None: as the recipe has it."""

    passes: float | None
    decision: Decision | None


def crawls(decision: Decision, decide: Decide, larger: float = LARGER) -> tuple[Crawl, ...]:
    """A larger crawl of each language in turn, decided anew; what helps most per token comes first."""
    problem = decision.problem
    found = []
    for code in names_of(problem, "language"):
        supply = sum(pool.tokens for pool in problem.pools if pool.language == code)
        pools = tuple(grown(pool, 1 + larger) if pool.language == code else pool for pool in problem.pools)
        more = sum(pool.tokens for pool in pools if pool.language == code) - supply
        after, _ = decide(replace(problem, pools=pools))
        if after is not None:
            found.append(Crawl(code, supply, more, max(0.0, decision.loss - after.loss)))
    return tuple(sorted(found, key=lambda one: (-one.gain, -one.per_billion, one.language)))


def repetition(decision: Decision, decide: Decide) -> tuple[Repetition, ...]:
    """Loss against repetition: the best mixture under ever looser limits on all sources, and the recipe's own."""
    _, most = reads_of(decision)
    tighter = [passes for passes in PASSES if passes < most]
    found = [Repetition(passes, decide(_limited(decision.problem, passes))[0]) for passes in tighter]
    return (*found, Repetition(None, decision))


def _limited(problem: Problem, passes: float) -> Problem:
    sources = []
    for source in problem.sources:
        own = source.limit
        tighter = Limit(passes) if own is None or own.passes > passes else own
        sources.append(replace(source, limit=tighter))
    return replace(problem, sources=tuple(sources))
