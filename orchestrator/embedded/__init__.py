"""Room embedded."""
