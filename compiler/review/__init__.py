"""What people review: manifest, lock, diff, explain."""
