"""The only way in for the command line and any API: connect, submit, look, act.

May import compile, contract, plan and store; prints nothing.
"""
