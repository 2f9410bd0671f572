"""Engines that run the compiler's work: processes of this machine, or a Ray cluster."""
