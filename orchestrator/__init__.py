"""orca: durable container workflows on Temporal.

The folder list is the way of the data; ARCHITECTURE.md has the table of rooms and what each may import.
"""

__version__ = "0.1.0"
