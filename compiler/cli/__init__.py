"""The command line."""


def main() -> None:
    """Run `mixc`."""
    raise SystemExit(70)
