"""The command line: Typer commands that call the client and print. Nothing else prints.

Modules of other rooms are imported inside the commands, so that `orca --help` does not load Temporal's SDK.
"""
