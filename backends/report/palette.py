"""Colours of page and plots, by role: in the light theme, and in the dark one.

A plot is drawn once, in the light colours; on the page each of them is a variable, which the dark theme sets anew.
"""

from __future__ import annotations

PAPER, INK, SOFT, LINE = "#fdfdfc", "#1c2128", "#59636e", "#dfe3e8"
FIRST, SECOND, THIRD = "#2563a8", "#b4530a", "#7a3fb5"
RAMP = ("#eef1f4", "#cfe0f1", "#9cc3e6", "#6aa1d4", "#3b78b8", "#1d4f8b")

DARK = {
    PAPER: "#14181d",
    INK: "#e6e9ed",
    SOFT: "#a0a9b4",
    LINE: "#333b45",
    FIRST: "#6cabee",
    SECOND: "#f0a050",
    THIRD: "#c597f5",
    RAMP[0]: "#1d232a",
    RAMP[1]: "#16324d",
    RAMP[2]: "#1d4a76",
    RAMP[3]: "#2f6499",
    RAMP[4]: "#79b0e6",
    RAMP[5]: "#b5d6f7",
}
NAMES = {colour: f"--c{number}" for number, colour in enumerate(DARK)}


def variables(*, dark: bool) -> str:
    """The colours as declarations of CSS."""
    return " ".join(f"{NAMES[colour]}: {DARK[colour] if dark else colour};" for colour in DARK)
