"""The same bytes on every machine: `make determinism`."""
