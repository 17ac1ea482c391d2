"""Functions: which may be called, how they are run beside everything else, and what their end means.

Each call has a thread of its own, so that one that never ends, or that blocks its own loop, holds up nobody else. Knows
no Docker and no Temporal.
"""
