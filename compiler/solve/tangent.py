"""Rules near a point: what a small move of tokens does to every rule, and how far a rule may be off after rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mixc.compiler.solve.program import Change, Floats, Program

GRID = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """s(x') = value + share.(x' - x) + info.(I(x') - I(x)) - changes(x'): exact but for the curvature of `loss`.

    `share` [R, n*P] and `info` [R, n] are derivatives in tokens and in cells' information; `value` [R] is without the
    part of `change` rules, which has kinks that a derivative would hide.
    """

    x: Floats
    information: Floats
    value: Floats
    share: sparse.csr_array
    info: sparse.csr_array

    def predict(self, program: Program, x: Floats) -> Floats:
        """s [R] at another x by this model."""
        value: Floats = self.value + self.share @ (x - self.x).ravel()
        value += self.info @ (program.information(x) - self.information)
        language = program.membership @ x.sum(axis=1)
        for change in program.rules.changes:
            value[change.rule] -= moved(change, language)
        return value


def tangent(program: Program, x: Floats) -> Tangent:
    """The rules at x [n, P]; a loss of which nothing is learnt has no derivative and counts as flat."""
    laws, rules = program.laws, program.rules
    value = program.slacks(x)
    info, language = program.signals(x)
    for change in rules.changes:
        value[change.rule] += moved(change, language)
    share, weight = rules.affine, rules.info
    if rules.loss.any():
        received = info + laws.transfer @ info
        safe = np.where(received > 0, received, 1.0)
        effective = np.where(received > 0, program.effective(x), np.inf)
        fall = laws.exponent * laws.scale * effective**-laws.exponent
        by_info = (rules.loss * (fall / safe)) @ (np.eye(len(laws)) + laws.transfer)
        by_share = -(rules.loss * fall) @ laws.cost
        weight = weight + sparse.csr_array(by_info) @ program.membership
        share = share + _by_entry(sparse.csr_array(by_share) @ program.membership, len(program.phases))
    return Tangent(x, program.information(x), value, sparse.csr_array(share), sparse.csr_array(weight))


def moved(change: Change, share: Floats) -> float:
    """What a `change` takes off its rule at these language shares [L]."""
    return change.coefficient * 0.5 * float(np.abs(share - change.base).sum())


def tolerances(program: Program, near: Tangent, tokens: int) -> Floats:
    """How far every rule [R] may be off: the more of one grid unit of every phase's budget, or one token a cell.

    Each in the rule's own measure: its steepest derivative in the phase, for `change` its coefficient.
    """
    phases, rules = len(program.phases), program.rules
    first = program.cells.gain * (-np.expm1(-program.curvature) if program.curvature else 1.0)
    used = (program.cells.phase_limit > 0).ravel().astype(np.float64)
    slope = near.share + _by_entry(near.info @ sparse.diags_array(first), phases)
    slope = sparse.csc_array(abs(slope) @ sparse.diags_array(used))
    unit = np.zeros(len(rules))
    for phase, budget in enumerate(program.phases):
        unit += budget * slope[:, phase::phases].max(axis=1).toarray().ravel()
    whole = np.asarray(slope.sum(axis=1)).ravel()
    for change in rules.changes:
        unit[change.rule] += change.coefficient
        whole[change.rule] += 0.5 * change.coefficient * used.sum()
    return np.maximum(GRID * unit, whole / tokens)


def _by_entry(rows: sparse.csr_array, phases: int) -> sparse.csr_array:
    """[R, n] to [R, n*P]: the figure of a cell for each of its phases."""
    return sparse.csr_array(sparse.kron(rows, np.ones((1, phases)), format="csr"))
