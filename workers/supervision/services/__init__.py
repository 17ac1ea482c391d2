"""Services: containers that run beside a job, in a network of their own, from before its start to after its end.

`services` is the way in. What counts as healthy is decided in `health`, which is pure; probes ask, and do not judge.
"""
