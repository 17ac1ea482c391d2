"""One try of a container job, in four steps: look, decide, act, wait. Crash-proof: starting again finds what was.

Knows the engine's interface and the store; knows neither Docker nor Temporal. `supervisor` is the way in.
"""
