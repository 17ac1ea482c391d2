"""The plan: what the compiler makes of a spec and the interpreter walks. Frozen, versioned, serialisable.

May import ids, errors and expressions; knows nothing of YAML, Temporal or Docker.
"""
