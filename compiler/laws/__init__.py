"""The laws as pure functions, and their calibrations."""
