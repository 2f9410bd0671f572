"""How much of a language should be parallel text: C4 of the method.

    rho_l = clip(rho0 + gamma g_l (1 - t_l), 0, min(rho_max, P_l / (w'_l B)))

A gap with little agreement means that knowledge does not cross to the language: parallel or translated text carries
it. A gap with agreement means shared knowledge behind weak surface: monolingual text. P_l is the parallel text there
is, in tokens; None where nobody counted it, and then it bounds nothing.
"""

from __future__ import annotations

from typing import Final

BASE: Final = 0.01
SLOPE: Final = 0.1
MOST: Final = 0.05


def parallel_share(gap: float, transfer: float, tokens: float, available: int | None = None) -> float:
    """The share of a language's tokens; `tokens` is w'_l B, what it is proposed to get."""
    wanted = BASE + SLOPE * gap * (1 - transfer)
    bound = MOST if available is None or tokens <= 0 else min(MOST, available / tokens)
    return min(max(wanted, 0.0), bound)
