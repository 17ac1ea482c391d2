"""A spec with every key, and what each becomes: short forms long, durations seconds, sizes bytes."""

from orchestrator.spec.model import RetryShape
from orchestrator.spec.parse import parse

FIELD = {
    "type": "string", "label": "", "description": "", "required": False, "default": None, "pattern": None,
    "options": None,
}  # fmt: skip


def test_every_key_of_the_language_is_read() -> None:
    spec, found = parse(
        """
name: all
description: d
version: 1.10
labels: {tier: 1, on: true}
params:
  p: {type: integer, required: true, default: 3, enum: [3, 4], description: x}
  q:
env: {PI: 3.10, YES: yes, NONE: null, HEX: 0x1F}
workspace: .
defaults: {image: base, timeout: 1m, retry: 2, env: {D: 1}, shell: bash, working_dir: /d, user: 1000, pull: never,
  resources: {cpus: "1.5"}, on_error: continue, idempotent: false, stop_grace: 0}
timeout: 1h30m
max_parallel: 4
max_variants: 300
cleanup_policy: keep
services:
  db:
    image: postgres:15
    env: {A: 1.10}
    command: postgres -c 'a b' ${{ params.p || 'x y' }}
    entrypoint: [/bin/tini, ""]
    health_check: {test: pg_isready, disable: false, interval: 1m30s, timeout: 5, retries: 2, start_period: 0,
      start_interval: 500ms}
    start_timeout: 2m
    ports: [5432, "15432:5432", "0.0.0.0:1:2", "[::1]:3:4/tcp", 53/udp]
    resources: {memory: 64m}
    tmpfs: ["/a", "/b:64m", "/c:mode=1777,noexec"]
    required: false
    artifact: true
    pull: if_not_present
jobs:
  a:
    image: i
    name: A
    matrix:
      os: [linux, 3.0, true, [x], {y: null}]
      arch: |
        ${{ fromJSON(params.p) }}
      include: [{os: linux, extra: 1}]
      exclude: ${{ fromJSON(params.p) }}
      max_parallel: 2
      fail_fast: false
    include: [{os: mac}, "${{ fromJSON(params.q) }}"]
    exclude: [{os: linux}]
    for_each: {a: 1}
    batch_size: 3
    max_parallel: 5
    fail_fast: true
    commands: make
    requires: [b, {job: c, condition: failure}]
    after: d
    parallel_with: [e]
    if: true
    unless: params.p == 3
    on_complete: always
    on_error: stop
    idempotent: true
    env: {A: 007}
    timeout: 90
    retry: {max_attempts: 3, delay: 500ms, backoff: linear, multiplier: 3, max_delay: 1m, on: [exit, oom],
      exit_codes: [1, 2]}
    outputs: {n: 3, ok: true, e: "${{ 1 }}"}
    artifacts: [/x, "*.txt"]
    artifacts_from: [b]
    working_dir: /w
    shell: sh
    user: 0:0
    entrypoint: [/bin/env]
    services: redis:7
    network: internal
    pull: if_not_present
    stop_grace: 3s
    resources: {cpus: 2, memory: 64MiB, pids: 10}
    call: travel.tools:book
    with: {city: Oslo, nights: [1, {a: null}]}
    gate:
      prompt: Sure?
      fields: {a: , b: number, c: {type: multi-select, options: [x, 1], label: L, description: D, required: true,
        default: [x]}, d: {pattern: "^a", options: "${{ params.p }}"}}
      approvers: [ann, "group:release"]
      min_approvals: 2
      self_approval: false
      timeout: 1h
      on_timeout: reject
      reminder: {every: 4h, job: b}
    wait: 5m
    choice: [{when: true, then: b}, {default: [c, d]}]
    workflow: ./x.yaml
    on_success: b
    on_failure: [c]
    publish: {v: 1, w: "${{ vars.v }}"}
vars: {v: null, w: {a: [1]}}
error_handlers: {a: b, b: [c, d]}
outputs: {x: "${{ jobs.a.outputs.n }}"}
""",
        "all.yaml",
    )
    assert found == ()
    assert spec is not None
    assert spec.model_dump(by_alias=True) == {
        "name": "all",
        "description": "d",
        "version": "1.10",
        "labels": {"tier": "1", "on": "true"},
        "params": {
            "p": {
                "type": "integer", "required": True, "default": 3, "enum": (3, 4), "pattern": None, "description": "x",
            },
            "q": {"type": "string", "required": False, "default": None, "enum": (), "pattern": None, "description": ""},
        },
        "env": {"PI": "3.10", "YES": "yes", "NONE": "", "HEX": "0x1F"},
        "workspace": ".",
        "defaults": {
            "image": "base", "timeout": 60.0, "retry": RetryShape(max_attempts=2).model_dump(), "env": {"D": "1"},
            "shell": "bash", "working_dir": "/d", "user": "1000", "pull": "never",
            "resources": {"cpus": 1.5, "memory": None, "pids": None}, "on_error": "continue", "idempotent": False,
            "stop_grace": 0.0,
        },
        "timeout": 5400.0,
        "max_parallel": 4,
        "max_variants": 300,
        "cleanup_policy": "keep",
        "services": {
            "db": {
                "image": "postgres:15",
                "env": {"A": "1.10"},
                "command": ("postgres", "-c", "a b", "${{ params.p || 'x y' }}"),
                "entrypoint": ("/bin/tini", ""),
                "health_check": {
                    "test": ("CMD-SHELL", "pg_isready"), "ready": None, "disable": False, "interval": 90.0,
                    "timeout": 5.0, "retries": 2, "start_period": 0.0, "start_interval": 0.5,
                },
                "start_timeout": 120.0,
                "ports": tuple(
                    {"container": container, "host": host, "address": address, "protocol": protocol}
                    for container, host, address, protocol in (
                        (5432, None, "127.0.0.1", "tcp"), (5432, 15432, "127.0.0.1", "tcp"), (2, 1, "0.0.0.0", "tcp"),
                        (4, 3, "::1", "tcp"), (53, None, "127.0.0.1", "udp"),
                    )
                ),
                "resources": {"cpus": None, "memory": 64 * 2**20, "pids": None},
                "tmpfs": {"/a": "", "/b": "size=67108864", "/c": "mode=1777,noexec"},
                "required": False,
                "artifact": True,
                "pull": "missing",
            }
        },
        "jobs": {
            "a": {
                "image": "i",
                "name": "A",
                "commands": ("make",),
                "matrix": {
                    "include": ({"os": "linux", "extra": 1},),
                    "exclude": "${{ fromJSON(params.p) }}",
                    "max_parallel": 2,
                    "fail_fast": False,
                    "os": ["linux", 3.0, True, ["x"], {"y": None}],
                    "arch": "${{ fromJSON(params.p) }}",
                },
                "include": ({"os": "mac"}, "${{ fromJSON(params.q) }}"),
                "exclude": ({"os": "linux"},),
                "for_each": {"a": 1},
                "batch_size": 3,
                "max_parallel": 5,
                "fail_fast": True,
                "requires": ({"job": "b", "condition": None}, {"job": "c", "condition": "failure"}),
                "after": ("d",),
                "parallel_with": ("e",),
                "if": "${{ true }}",
                "unless": "params.p == 3",
                "on_complete": "always",
                "on_error": "stop",
                "idempotent": True,
                "env": {"A": "007"},
                "timeout": 90.0,
                "retry": {
                    "max_attempts": 3, "delay": 0.5, "backoff": "linear", "multiplier": 3.0, "max_delay": 60.0,
                    "on": ("exit", "oom"), "exit_codes": (1, 2),
                },
                "outputs": {"n": "${{ 3 }}", "ok": "${{ true }}", "e": "${{ 1 }}"},
                "artifacts": ("/x", "*.txt"),
                "artifacts_from": ("b",),
                "working_dir": "/w",
                "shell": "sh",
                "user": "0:0",
                "entrypoint": ("/bin/env",),
                "services": ("redis:7",),
                "network": "internal",
                "pull": "missing",
                "stop_grace": 3.0,
                "resources": {"cpus": 2.0, "memory": 64 * 2**20, "pids": 10},
                "call": "travel.tools:book",
                "with": {"city": "Oslo", "nights": [1, {"a": None}]},
                "gate": {
                    "prompt": "Sure?",
                    "fields": {
                        "a": FIELD,
                        "b": {**FIELD, "type": "number"},
                        "c": {
                            "type": "multi_select", "options": ("x", 1), "label": "L", "description": "D",
                            "required": True, "default": ["x"], "pattern": None,
                        },
                        "d": {**FIELD, "pattern": "^a", "options": "${{ params.p }}"},
                    },
                    "approvers": ("ann", "group:release"),
                    "min_approvals": 2,
                    "self_approval": False,
                    "timeout": 3600.0,
                    "on_timeout": "reject",
                    "reminder": {"every": 14400.0, "job": "b"},
                },
                "wait": {"for": 300.0, "until": None},
                "choice": (
                    {"when": "${{ true }}", "then": ("b",), "default": None},
                    {"when": None, "then": None, "default": ("c", "d")},
                ),
                "workflow": "./x.yaml",
                "on_success": ("b",),
                "on_failure": ("c",),
                "publish": {"v": "${{ 1 }}", "w": "${{ vars.v }}"},
            }
        },
        "vars": {"v": None, "w": {"a": [1]}},
        "error_handlers": {"a": ("b",), "b": ("c", "d")},
        "outputs": {"x": "${{ jobs.a.outputs.n }}"},
    }  # fmt: skip
