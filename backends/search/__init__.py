"""Sampling parameters from proxy runs: which experiments to run, and what to learn from them."""
