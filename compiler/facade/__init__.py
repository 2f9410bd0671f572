"""mixc: a compiler from declarative recipes to pretraining data mixtures."""

__version__ = "0.1.0"
