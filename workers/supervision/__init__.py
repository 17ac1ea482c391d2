"""Room supervision."""
