"""Answers before spending: the optimum along a sweep, and what it rests on."""
