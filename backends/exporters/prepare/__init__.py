"""Scripts that exports carry along: they run where the trainer is installed, and import nothing of mixc."""
