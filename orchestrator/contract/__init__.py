"""The seam between the interpreter and the workers: names, messages, failure kinds. No behaviour.

May import plan, ids and errors.
"""
