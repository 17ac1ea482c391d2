"""The processes that `orca run` and `orca up` start on this machine: a Temporal server and a worker.

Knows processes, files and ports; knows nothing of specs, plans or Docker. May import errors and contract's names.
"""
