"""The container engine behind one interface: each method one call, no decisions, no retries, no jobs.

`interface` is what the rest of the worker sees; `docker_*` implement it and are alone in importing docker.
"""
