"""Specs that more than one test runs."""

_SERVICES_FIRST = """
name: {name}
jobs:
  # Keeps the other worker's only place until the first one has the services.
  hold: {{image: "alpine:latest", commands: [sleep 12]}}
  begin: {{image: "alpine:latest", commands: ["true"]}}
  test:
    image: alpine:latest
    requires: [begin]
    services:
      db:
        image: alpine:latest
        command: sh -c 'sleep 3; echo ready; exec sleep 600'
        health_check: {{ready: {{log: ready}}}}
    commands: ["{command}"]
"""


def services_first(name: str, command: str) -> str:
    """A job whose service takes 3 s to get ready on one worker, while another job fills the only place of the other."""
    return _SERVICES_FIRST.format(name=name, command=command)
