"""Rules of a problem as rows of a program: which cells a rule speaks of, and with what coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.recipe import Rule, Selector, Term
from mixc.compiler.solve.program import Cells, Floats

Mask = NDArray[np.bool_]
BaselineValue = Callable[[Term], float]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What selectors are resolved against: the cells, their names, and the constants that turn units into shares.

    `names` [n] holds (language, source, domain); `rank_high` [n] the worst rank of the cell's bucket (1 when unrated),
    `quality` [n] its mean quality. `info_unit` turns information into tokens of the best bucket read once.
    """

    cells: Cells
    tokens: float
    phases: tuple[str, ...]
    phase_shares: Floats
    languages: tuple[str, ...]
    weights: Floats
    quality: Floats
    rank_high: Floats
    rated: Mask
    info_unit: float
    baselines: dict[str, dict[str, float]]

    def cells_of(self, of: Selector) -> Mask:
        """The cells that a selector names [n]."""
        keys = self.cells.keys
        mask = np.ones(len(keys), dtype=bool)
        for position, chosen in ((0, of.languages), (1, of.sources), (2, of.domains)):
            if chosen is not None:
                mask &= np.array([key[position] in chosen for key in keys], dtype=bool)
        if of.best is not None:
            mask &= self.rank_high <= of.best + 1e-9
        return mask

    def phases_of(self, of: Selector, inside: str | None) -> Mask:
        """The phases that a selector names [P], cut to the phase in whose block the rule stands."""
        chosen = [of.phases is None or p in of.phases for p in self.phases]
        return np.array([c and (inside is None or p == inside) for c, p in zip(chosen, self.phases, strict=True)])


@dataclass(slots=True, eq=False)
class Row:
    """One rule being gathered as `sum >= bound` (or == bound)."""

    affine: Floats  # [n, P]
    info: Floats  # [n]
    loss: Floats  # [L]
    bound: float
    multiplied: bool = False  # `quality` against a constant: the bound stands on cells, not alone
    change: tuple[float, Floats] | None = None


def is_passes(rule: Rule) -> bool:
    """Whether a rule limits cells one by one, and so is no row."""
    return any(term.function == "passes" and term.baseline is None for term in rule.terms)


def resolved_bound(rule: Rule, baseline: BaselineValue) -> float:
    """The bound of a rule in its own unit, with what baselines reach taken to its side."""
    return rule.bound - sum(t.coefficient * baseline(t) for t in rule.terms if t.baseline is not None)


def row_of(rule: Rule, frame: Frame, baseline: BaselineValue) -> Row:
    """The row of a rule, turned so that larger is better; equalities keep their sense."""
    n, phases = len(frame.cells), len(frame.phases)
    row = Row(np.zeros((n, phases)), np.zeros(n), np.zeros(len(frame.languages)), 0.0)
    sign = -1.0 if rule.sense == "<=" else 1.0
    bound = resolved_bound(rule, baseline)
    terms = [t for t in rule.terms if t.baseline is None]
    averages = [t for t in terms if t.function == "quality"]
    if len(averages) == 1 and not _whole_phases(averages[0].of):
        row.multiplied = True
        _add_quality_against_constant(row, averages[0], bound, sign, rule.phase, frame)
        return row
    row.bound = sign * bound
    for term in terms:
        _add(row, term, sign * term.coefficient, rule.phase, frame)
    return row


def _whole_phases(of: Selector) -> bool:
    """Whether a selector's tokens are a fixed number: whole phases, or everything."""
    return of.sources is None and of.languages is None and of.domains is None and of.best is None


def _add(row: Row, term: Term, coefficient: float, inside: str | None, frame: Frame) -> None:
    cells, phases = frame.cells_of(term.of), frame.phases_of(term.of, inside)
    block = np.outer(cells, phases)
    if term.function == "share":
        row.affine += coefficient * block / _denominator(inside, frame)
    elif term.function == "tokens":
        row.affine += coefficient * frame.tokens * block
    elif term.function == "epochs":
        row.affine += coefficient * block / max(float(frame.cells.supply[cells].sum()), 1e-300)
    elif term.function == "quality":
        row.affine += coefficient * frame.quality[:, None] * block / float(frame.phase_shares[phases].sum())
    elif term.function == "info":
        row.info += coefficient * frame.info_unit * cells
    elif term.function == "loss":
        row.loss += -coefficient * _loss_weights(term.of, frame)
    elif term.function == "change":
        _add_change(row, term, -coefficient, frame)
    else:
        raise AssertionError(f"{term.function} is no row")


def _denominator(inside: str | None, frame: Frame) -> float:
    return 1.0 if inside is None else float(frame.phase_shares[frame.phases.index(inside)])


def _add_quality_against_constant(
    row: Row, term: Term, bound: float, sign: float, inside: str | None, frame: Frame
) -> None:
    """quality(x) >= q  as  sum (quality_c - q) x_c >= 0: affine, and true of an empty x."""
    cells, phases = frame.cells_of(term.of), frame.phases_of(term.of, inside)
    margin = sign * (term.coefficient * frame.quality - bound)
    row.affine += margin[:, None] * np.outer(cells, phases)


def _loss_weights(of: Selector, frame: Frame) -> Floats:
    if of.languages is None:
        return frame.weights.copy()
    return np.array([1.0 if code in of.languages else 0.0 for code in frame.languages])


def _add_change(row: Row, term: Term, coefficient: float, frame: Frame) -> None:
    """`<=` on half the L1 distance of language shares; languages that are gone count with all they had."""
    shares = frame.baselines[term.manifest or ""]
    base = np.array([shares.get(code, 0.0) for code in frame.languages])
    gone = sum(share for code, share in shares.items() if code not in frame.languages)
    row.change = (coefficient, base)
    row.bound += coefficient * 0.5 * gone


def value_of(rule: Rule, frame: Frame, x: Floats, info: Floats, losses: Floats) -> float:
    """Left-hand side of a rule at x [n, P], in the bound's units; baseline terms are left to the bound."""
    total = 0.0
    for term in rule.terms:
        if term.baseline is None:
            total += term.coefficient * term_value(term, rule.phase, frame, x, info, losses)
    return total


def term_value(term: Term, inside: str | None, frame: Frame, x: Floats, info: Floats, losses: Floats) -> float:
    """Value of one function without its coefficient, in its own unit; NaN for the quality of nothing."""
    cells, phases = frame.cells_of(term.of), frame.phases_of(term.of, inside)
    taken = x[cells][:, phases]
    tokens = float(taken.sum())
    if term.function == "share":
        return tokens / _denominator(inside, frame)
    if term.function == "tokens":
        return tokens * frame.tokens
    if term.function == "epochs":
        return tokens / max(float(frame.cells.supply[cells].sum()), 1e-300)
    if term.function == "passes":
        return float((taken.sum(axis=1) / frame.cells.supply[cells]).max(initial=0.0))
    if term.function == "quality":
        return float((frame.quality[cells] @ taken).sum()) / tokens if tokens > 0 else float("nan")
    if term.function == "info":
        return float(info[cells].sum()) * frame.info_unit
    if term.function == "loss":
        return float(_loss_weights(term.of, frame) @ losses)
    shares = frame.baselines[term.manifest or ""]
    now = np.bincount(frame.cells.language, weights=x.sum(axis=1), minlength=len(frame.languages))
    base = np.array([shares.get(code, 0.0) for code in frame.languages])
    gone = sum(share for code, share in shares.items() if code not in frame.languages)
    return 0.5 * (float(np.abs(now - base).sum()) + gone)
