"""Recipes to start from: what `mixc new` asks, looks at and writes."""
