"""Temporal's side of the worker: heartbeats, cancellation, outcomes as activity results. Knows no Docker."""
