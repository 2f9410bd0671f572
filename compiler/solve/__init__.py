"""Deciding the mixture: program, optimum, certificate, rounding, prices, conflicts."""
