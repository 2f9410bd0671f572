"""Recipe to decided manifest."""
