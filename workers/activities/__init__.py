"""Room activities."""
