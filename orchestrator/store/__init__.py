"""Bytes that must not go through Temporal: logs, outcomes, artifacts, shipped workspaces.

Client and workers both use this room. It alone imports obstore; it knows keys and bytes, not jobs or Docker.
"""
