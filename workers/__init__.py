"""The worker: takes activity requests from Temporal and runs containers on this host's Docker engine."""
