"""Where work may run: what this host offers, what its jobs ask for, who waits, and which other hosts have room.

Knows no Temporal and no Docker.
"""
