"""Text to syntax and back: grammar, parser with recovery, syntax tree, formatter, diagnostics."""
