"""The dual function in closed form: a lower bound on the objective from any prices whatever.

With prices lambda of phases, nu of rules, g of changes, and two figures per language, p (value of a unit of what it
receives, rt = (I + T) J) and D (cost of a unit of (V r), its dilution), the Lagrangian falls apart:

    sum_i min over (rt, k) of  W_i (floor_i + scale_i rt^-beta_i e^(beta_i k)) + p_i rt - D_i k     W = weight + C' nu
    sum_c min over x_c of  cost_c.x_c - w_c U_c g(sum x_c / U_c) [+ relative entropy]               w = f (m + H' nu)

where cells that are tied have one minimum together. Each is exact, so a wrong price makes the bound low, never wrong
(solver.md 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixc.compiler.solve.demand import Demand
from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Cellwise

ROUNDING = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class Multipliers:
    """Prices: `received` p [L], `dilution` D [L], `phase` lambda [P], `rule` nu [R], `change` g [changes, L]."""

    received: Floats
    dilution: Floats
    phase: Floats
    rule: Floats
    change: Floats


def permitted(program: Program, prices: Multipliers) -> Multipliers:
    """The nearest prices that a dual may have: signs, weights of soft rules, what a `change` rule's price allows."""
    rules = program.rules
    rule = np.where(rules.equality, prices.rule, np.clip(prices.rule, 0.0, rules.weight))
    change = np.zeros((len(rules.changes), len(program.laws)))
    for j, rise in enumerate(rules.changes):
        most = 0.5 * rise.coefficient * max(rule[rise.rule], 0.0)
        change[j] = np.clip(prices.change[j], -most, most)
    weight = loss_weights(program, rule)
    used = weight > 0
    received = np.where(used, np.maximum(prices.received, 0.0), 0.0)
    dilution = np.where(used, np.maximum(prices.dilution, 0.0), 0.0)
    return Multipliers(received, dilution, prices.phase, rule, change)


def loss_weights(program: Program, rule: Floats) -> Floats:
    """W [L]: what each language's loss weighs in the objective and in the loss rules at their prices."""
    return np.maximum(program.laws.weight + program.rules.loss.T @ rule, 0.0)


def multipliers(program: Program, x: Floats, phase: Floats, rule: Floats, change: Floats) -> Multipliers:
    """Prices of phases, rules and changes, completed by the laws' derivatives at x: D = beta W loss, p = D / rt."""
    laws = program.laws
    info, share = program.signals(x)
    received = info + laws.transfer @ info
    weight = loss_weights(program, np.where(program.rules.equality, rule, np.clip(rule, 0.0, program.rules.weight)))
    known = (received > 0) & (weight > 0)
    safe = np.where(known, received, 1.0)
    effect = np.exp(-laws.exponent * (np.log(safe) - laws.cost @ share))
    pull = np.where(known, weight * laws.scale * laws.exponent * effect, 0.0)
    return Multipliers(pull / safe, pull, phase, rule, change)


def dual_value(program: Program, prices: Multipliers) -> float:
    """The dual function: at most the objective of every feasible point, whatever the prices (made permitted first)."""
    prices = permitted(program, prices)
    rules, laws = program.rules, program.laws
    n, phases = program.shape
    dilution = program.laws.cost.T @ prices.dilution + prices.change.sum(axis=0)
    cost = prices.phase + dilution[program.cells.language][:, None]
    cost = cost - (rules.affine.T @ prices.rule).reshape(n, phases)
    value = (laws.transfer.T @ prices.received + prices.received)[program.cells.language] + rules.info.T @ prices.rule
    known = -(prices.received @ laws.past + prices.received @ (laws.transfer @ laws.past))
    base = sum((prices.change[j] @ rise.base for j, rise in enumerate(rules.changes)), 0.0)
    terms = [
        _language_minima(program, prices),
        rules.bound * prices.rule,
        -prices.phase * program.phases,
        np.array([known, -base]),
        _cell_minima(program, program.cells.gain * value, cost),
    ]
    every = np.concatenate(terms)
    return float(every.sum()) - ROUNDING * float(np.abs(every).sum())


def _language_minima(program: Program, prices: Multipliers) -> Floats:
    """min over rt, k of W (floor + scale rt^-beta e^(beta k)) + p rt - D k, k >= 0 only where V says so [L]."""
    laws = program.laws
    weight = loss_weights(program, prices.rule)
    p, pull, beta = prices.received, prices.dilution, laws.exponent
    size = weight * laws.scale
    # Without V the dilution is zero, and D is ours to choose: the best one is p rt.
    alone = ~laws.cost.any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.exp((np.log(p) * beta + np.log(size * beta)) / (1 + beta))
        pull = np.where(alone, best, pull)
        least = pull / beta + pull - pull / beta * np.log(pull / (size * beta)) - pull * np.log(pull / p)
    return weight * laws.floor + np.where((pull > 0) & (size > 0) & (p > 0), least, 0.0)


def _cell_minima(program: Program, worth: Floats, cost: Floats) -> Floats:
    """min of cost.X - sum worth U g over every column's box [m]; `worth` [n] is of a unit of fill, `cost` [n, P]."""
    demand = Demand(program)
    if program.target is not None:
        return _entropic_minima(program, demand, worth, cost)
    weights, cost = demand.weigh(worth), demand.gather(cost)
    cap = np.minimum(demand.cap, program.phases)
    order = np.argsort(cost, axis=1, kind="stable")
    taken, total = np.zeros(len(cost)), np.zeros(len(cost))
    rows = np.arange(len(cost))
    for k in range(cost.shape[1]):
        price, room = cost[rows, order[:, k]], cap[rows, order[:, k]]
        want = demand.wanted(weights, price) * demand.supply
        more = np.clip(want - taken, 0.0, room)
        total += price * more
        taken += more
    return total - demand.value(worth, taken / demand.supply)


def _entropic_minima(program: Program, demand: Demand, worth: Floats, cost: Floats) -> Floats:
    """The same with the relative entropy added: exact for any marginal value y between the two parts, so y is free."""
    from scipy.special import kl_div

    target = program.target
    assert target is not None
    assert demand.aim is not None
    y = np.nan_to_num(Cellwise(program).answer(worth, cost).value[demand.member[:, 0]])[:, None]
    cap, cost = np.minimum(demand.cap, program.phases), demand.gather(cost)
    x = np.minimum(demand.aim * np.exp(np.minimum(y - cost, 700.0)), cap)
    tokens = kl_div(x, demand.aim) + (cost - y) * x
    most = np.minimum(demand.limit, cap.sum(axis=1) / demand.supply)
    want = np.minimum(demand.wanted(demand.weigh(worth), y[:, 0]), most)
    apart = np.bincount(demand.column, target.sum(axis=1), len(cost)) - demand.aim.sum(axis=1)
    least: Floats = tokens.sum(axis=1) + apart + demand.supply * y[:, 0] * want - demand.value(worth, want)
    return least
