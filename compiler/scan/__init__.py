"""From documents to a catalog: what they hold, counted in integers that add up in any order."""
