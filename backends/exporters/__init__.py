"""What manifests are written as for other programs, one module per program."""
