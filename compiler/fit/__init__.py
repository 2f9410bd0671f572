"""Laws from training runs: what `mixc fit` reads, fits and refuses."""
