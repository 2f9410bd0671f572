"""Running a manifest: which documents are selected how often, the same on any number of machines, and its proof."""
