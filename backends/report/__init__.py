"""The report on a manifest: one page that opens offline, a comment for a pull request, or a single plot."""
