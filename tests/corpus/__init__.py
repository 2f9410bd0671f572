"""A pool of real documents for tests and for the walk through `recipes/docs.mix`: `make corpus`."""
