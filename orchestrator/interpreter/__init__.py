"""The replayed code: one generic workflow that walks any plan.

Everything here runs inside a Temporal workflow task and again on every replay. It does no I/O, reads no clock but
`workflow.now()`, iterates over no set and starts no `asyncio.TaskGroup`. It sees only the plan in its input. Import
rules and `ruff.toml` in this folder hold that; recorded histories in `tests/replay/` prove it.
"""
