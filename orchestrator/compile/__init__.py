"""Room compile."""
