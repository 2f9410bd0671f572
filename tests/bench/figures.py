"""The figures: what a user waits for, and what the optimum is worth against the ways it replaces."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from mixc.compiler.problem import Decision, Problem
from mixc.compiler.solve.certify import certified, certify
from mixc.compiler.solve.decide import decide
from mixc.compiler.solve.strategies import optimise
from mixc.dsl.parser import parse
from mixc.dsl.text import SourceText
from tests.bench.instances import RECIPES, by_domain, long_recipe, problem_of
from tests.bench.measure import Figure, in_turn, process
from tests.bench.reference import best_random_recipe, information
from tests.bench.selecting import WAYS, cost, prepare

DRAWS = 100_000
POOL = 3.2e11


def commands() -> Iterator[Figure]:
    """Whole processes, against Python alone or Python importing the libraries that any answer needs."""
    libraries = "import numpy, scipy.optimize, scipy.sparse, pydantic, lark"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "recipes"
        shutil.copytree(RECIPES, folder)
        for title, target, runs, floor, arguments in (
            ("mixc --help", 0.25, 7, "pass", ("--help",)),
            ("mixc check polyglot61.mix", 0.5, 7, "pass", ("check", "polyglot61.mix")),
            ("mixc compile polyglot17.mix, second run", 2.5, 3, libraries, ("compile", "polyglot17.mix")),
            ("mixc compile polyglot61.mix, second run", 4.0, 3, libraries, ("compile", "polyglot61.mix")),
        ):
            ours, plain = process(folder, "-m", "mixc", *arguments), process(folder, "-c", floor)
            ours()
            plain()
            seconds, reference = in_turn(runs, ours, plain)
            yield Figure(title, seconds, target, reference, f"python {'-c pass' if floor == 'pass' else '+ libraries'}")


def parsing() -> Iterator[Figure]:
    """A long recipe, from text to tree."""
    text = long_recipe()
    tree, mistakes = parse(SourceText("long.mix", text))
    assert tree is not None, mistakes
    (seconds,) = in_turn(5, lambda: parse(SourceText("long.mix", text)))
    yield Figure(
        f"parse a recipe of {len(text.splitlines()):,} lines", seconds, 0.15, remark=f"{len(text):,} characters"
    )


def quality() -> Iterator[Figure]:
    """InfoLaw's six buckets: the exact optimum against the paper's way, drawing recipes."""
    for tokens, order in ((3e11, "free"), (1e12, "shares")):
        problem = problem_of("english-quality", total=f"{tokens:g} tokens", ranking=order)
        decision = decided(problem)
        drawn, value = best_random_recipe(DRAWS, problem.params, tokens, POOL)
        ours = np.array([[sum(cell.tokens) / problem.tokens for cell in decision.cells[0]]])
        gain = float(information(ours, problem.params, tokens, POOL)[0]) / value - 1
        seconds, reference = in_turn(
            5,
            lambda problem=problem: optimise(problem),
            lambda problem=problem, tokens=tokens: best_random_recipe(DRAWS, problem.params, tokens, POOL),
        )
        name = f"InfoLaw, 6 buckets, {tokens / 1e9:,.0f}B tokens, order {order}"
        shares = " ".join(f"{share:.3f}" for share in ours[0][:3])
        remark = f"{gain:+.2%} information; exact {shares} …, drawn {' '.join(f'{share:.3f}' for share in drawn[:3])} …"
        yield Figure(name, seconds, None, reference, f"{DRAWS:,} draws", remark)


def allocation() -> Iterator[Figure]:
    """Languages, domains and buckets together, to a certificate; and a program of that kind by cvxpy and Clarabel."""
    small = problem_of("polyglot61")
    for name, target, problem in (("polyglot61", None, small), ("61 x 26 x 6", 8.0, by_domain(small))):
        (seconds,) = in_turn(3, lambda problem=problem: decide(problem))
        cells = sum(len(pool.buckets) for pool in problem.pools)
        remark = f"{cells:,} cells; certificate {decided(problem).certificate.gap:.1e} (wanted <= 1e-7)"
        yield Figure(f"decide {name}, to the certificate", seconds, target, remark=remark)
    yield against_cone_solver("polyglot61", small)


def against_cone_solver(name: str, problem: Problem) -> Figure:
    """The optimum before rounding, by Newton on prices and by a cone solver: seconds and objective.

    Only where a cone solver answers: it gives up on the largest program, and the one that does not takes minutes.
    """
    from mixc.compiler.solve.conic import solve_conic

    solution = optimise(problem).solution
    program = solution.program
    cone = solve_conic(program)
    seconds, reference = in_turn(3, lambda: optimise(problem), lambda: solve_conic(program))
    if cone.x is None:
        return Figure(f"optimum of {name}", seconds, remark=f"the cone solvers gave no point ({cone.status})")
    own = certified(program, solution.point.x)
    bound = certify(program, solution.point.x).value
    remark = f"proved gap: ours {(own - bound) / own:.0e}, its {(cone.objective - bound) / own:.0e}"
    return Figure(f"optimum of {name}", seconds, None, reference, f"cvxpy + {cone.solver.title()}", remark)


def selection() -> Iterator[Figure]:
    """Scan and run of metadata alone: CPU seconds against a plain reference, DuckDB, and decoding the same files."""
    documents = int(os.environ.get("DOCUMENTS", 1_000_000))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, documents)
        rounds = [{way: cost(way, folder) for way in WAYS} for _ in range(3 if documents <= 1_000_000 else 1)]
    seconds = {way: median(costs[way].seconds for costs in rounds) for way in WAYS}
    peak = {way: max(costs[way].peak for costs in rounds) for way in WAYS}
    hashing = median(costs["numpy"].hashing for costs in rounds)
    start = median(costs["scan"].start + costs["run"].start for costs in rounds)
    ours = seconds["scan"] + seconds["run"]
    title = f"scan + run, {documents:,} documents, CPU"
    plain = seconds["numpy"] - hashing
    remark = f"{ours / seconds['numpy']:.3g} x with a hash of every id; start-up {start:.2f} s not counted"
    yield Figure(title, ours, None, plain, "plain numpy", f"{remark}; peak {peak['numpy']:,.0f} MB")
    most = max(peak["scan"], peak["run"])
    remark = f"peak {peak['duckdb']:,.0f} MB, ours {most:,.0f} MB"
    yield Figure(title, ours, None, seconds["duckdb"], "DuckDB windows", remark)
    for way, title in (("scan", "  scan"), ("unique", "  scan, ids compared"), ("run", "  run")):
        yield Figure(title, seconds[way], None, seconds["decode"], "decoding once", f"peak {peak[way]:,.0f} MB")


def decided(problem: Problem) -> Decision:
    """The decision of a problem that has one."""
    decision, found = decide(problem)
    if decision is None:
        raise ValueError([diagnostic.message for diagnostic in found])
    return decision
