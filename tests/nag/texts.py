"""Sixty short texts written for these tests: five kinds, twelve of each."""

from __future__ import annotations

import json
from pathlib import Path

KINDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("texts.json").read_text(encoding="utf-8"))
