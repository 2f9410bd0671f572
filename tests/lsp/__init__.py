"""The language server, driven by a real client over stdin and stdout, and its parts."""
