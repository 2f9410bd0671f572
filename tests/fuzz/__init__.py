"""Mutated recipes through the whole compiler: a diagnostic or a manifest that holds, and never anything else.

`python -m tests.fuzz N SEED` runs N of them; half are mutations of bytes and words, half of syntax trees.
`python -m tests.fuzz.guided SECONDS` follows coverage instead, in every reader of what others wrote (`targets.py`).
"""
