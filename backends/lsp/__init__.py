"""The language server: what an editor asks of a recipe, answered by the passes that compile it."""
