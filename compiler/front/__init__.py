"""From syntax to a checked recipe: files, names, units, rules, budget."""
