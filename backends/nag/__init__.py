"""NAG: documents ranked by the neurons that a target activates (arXiv 2604.15706)."""
