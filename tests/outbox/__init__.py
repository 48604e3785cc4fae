"""Events wait on disk."""
