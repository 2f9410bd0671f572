"""`mixc schema`: the JSON Schema of manifests."""

from __future__ import annotations

from mixc.compiler.cli.session import show


def schema() -> int:
    """Print the JSON Schema of manifests."""
    import json

    from mixc.compiler.review.schema import json_schema

    show(json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return 0
