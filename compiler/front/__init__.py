"""The front of the compiler: recipe files to one checked `Recipe`, or diagnostics."""

from __future__ import annotations

from mixc.compiler.front.passes import load_recipe

__all__ = ["load_recipe"]
