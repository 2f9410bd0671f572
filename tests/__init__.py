"""Tests, and the programs that share their parts: `python -m tests.fuzz`, `python -m tests.bench`."""
