"""QuaDMix (arXiv 2504.16511): the float64 reference of its selection, and the distribution of its parameters."""
