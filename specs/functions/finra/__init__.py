"""Stand-ins for an example; see the README beside this package."""
