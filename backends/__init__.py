"""From a manifest to something that runs."""
