"""No input holds validation up: what is written to cost much costs no more than a second and 200 MB.

Each runs in a process of its own, which measures itself: processor time, and memory beyond what it had before. The
second is that of a usual machine; one that takes longer for a known piece of work gets as much more.
"""

import json
import subprocess
import sys
from typing import Final

import pytest

SECONDS: Final = 1.0
KNOWN_WORK: Final = 0.1
"""Seconds that a usual machine takes for `known_work`."""
MEGABYTES: Final = 200
HEAD: Final = "name: n\njobs:\n"


def job(**keys: str) -> str:
    return f"{HEAD}  a: {{image: x, {', '.join(f'{key}: {value}' for key, value in keys.items())}}}\n"


def wide(number: int) -> str:
    return HEAD + "".join(
        f"  j{n}: {{image: x, requires: [{', '.join(f'j{k}' for k in range(n))}]}}\n" for n in range(number)
    )


CONSTANTS: Final = ", ".join(f"X{n}: '${{{{ join(range({n},9999)) }}}}'" for n in range(300))
PARAM: Final = "params: {p: {}}\nmax_variants: 10000\n"
SCRIPT: Final = "echo ${{ matrix.a }} ${{ params.p }};"

INPUTS: Final = {
    "open brackets": "[" * 9_000_000,
    "one long text": job(commands=f"['{'y' * 9_000_000}']"),
    "a comment": "#" * 9_000_000,
    "empty lines": "\n" * 9_000_000,
    "open expressions": job(commands=f"['{'${{' * 3_000_000}']"),
    "many expressions": job(commands=f"['{'${{ params.x }} ' * 500_000}']"),
    "as many as one text may have": job(commands=f"['{'${{ params.x }} ' * 60_000}']"),
    "no expression ends": job(commands='["' + "${{ ' }} " * 100_000 + '"]'),
    "the same key": "a: 1\n" * 1_800_000,
    "NULs": "a: " + '"\\0" ' * 100_000,
    "a wide character": "a: " + "\U0001f600" * 2_000_000,
    "aliases": "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9 if n else 'x'}]\n" for n in range(60)),
    "merges": "x: &a {" + ", ".join(f"k{n}: v" for n in range(1000)) + "}\n" + HEAD
    + "".join(f"  j{n}: {{<<: *a}}\n" for n in range(800)),
    "needless edges": wide(200),
    "a cycle": HEAD + "".join(f"  j{n}: {{image: x, requires: [j{(n + 1) % 2000}]}}\n" for n in range(2000)),
    "all wait for all": HEAD
    + "".join(f"  j{n}: {{image: x, requires: [{', '.join(f'j{k}' for k in range(200))}]}}\n" for n in range(200)),
    "parallel with all": HEAD + "".join(f"  f{n}: {{image: x}}\n" for n in range(1000))
    + f"  m: {{image: x, requires: [{', '.join(f'f{n}' for n in range(1000))}]}}\n"
    + "".join(f"  j{n}: {{image: x, parallel_with: [m]}}\n" for n in range(900)),
    "unknown jobs": HEAD + "".join(f"  j{n}: {{image: x, requires: [k{n}]}}\n" for n in range(3000)),
    "wrong names": HEAD + "".join(f"  '{n} x': {{image: x}}\n" for n in range(6000)),
    "nots": job(**{"if": f'"{"!" * 20_000}true"'}),
    "parentheses": job(**{"if": f'"{"(" * 10_000}1{")" * 10_000}"'}),
    "comparisons": "params: {p: {type: boolean}}\n" + job(**{"if": f'"{" || ".join(["params.p == 0"] * 1000)}"'}),
    "constants": job(env=f"{{{CONSTANTS}}}"),
    "constants in commands": job(commands=f"['{'${{ join(range(0,9999)) }} ' * 5000}']"),
    "constants in a matrix": job(matrix="{a: [" + ", ".join(["'${{ join(range(0,9999)) }}'"] * 200) + "]}"),
    "a constant in each variant": PARAM
    + job(for_each="'${{ range(0,9999) }}'", commands="['${{ join(range(item,9999)) }} ${{ params.p }}']"),
    "a huge matrix": PARAM + job(matrix="{" + ", ".join(f"a{n}: [1,2,3,4,5,6,7,8,9,0]" for n in range(400)) + "}"),
    "many includes": PARAM + job(
        matrix="{a: [" + ",".join(map(str, range(3000))) + "], include: ["
        + ",".join(f"{{a: {n}, b: 1}}" for n in range(3000)) + "]}"
    ),
    "a script for each variant": PARAM + job(matrix="{a: '${{ range(0,9000) }}'}", commands=f"['{SCRIPT * 300}']"),
    "as much as variants may have": PARAM
    + job(matrix="{a: '${{ range(0,250) }}'}", commands=f"['{SCRIPT * 50}']"),
    "here-documents": PARAM + job(
        commands='["' + "".join(f"cat <<E{n}\\n${{{{ params.p }}}}\\nE{n}\\n" for n in range(1500)) + '"]'
    ),
    "open quotes": PARAM + job(commands="['" + 'echo "$(' * 3000 + "${{ params.p }}']"),
    "a pattern that backtracks": "params: {p: {pattern: '(a+)+$', default: " + "a" * 5000 + "!}}\n" + job(),
    "patterns that grow": "params: {"
    + ", ".join(f"p{n}: {{pattern: '(\\w{{{n + 2}}}){{90}}'}}" for n in range(300)) + "}\n" + job(),
    "nested patterns": f"params: {{p: {{pattern: '{'(' * 400}a{')*' * 400}'}}}}\n" + job(),
}  # fmt: skip

MEASURE: Final = """
import json, resource, sys, time
from pathlib import Path
from orchestrator.client.validation import as_sarif, verdicts

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def known_work():
    table = {}
    for number in range(300_000):
        table[str(number)] = [number]
    return len(table)

def timed(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun

data = sys.stdin.buffer.read()
list(verdicts([Path("-")], read_stdin=lambda: b"name: n\\njobs: {a: {image: x}}"))
slow = min(timed(known_work) for _ in range(3))
before, begun = peak(), time.process_time()
found = list(verdicts([Path("-")], read_stdin=lambda: data))
shown = [finding.pretty(colour=True) for finding in found[0].diagnostics]
json.dumps([[finding.to_json() for finding in found[0].diagnostics], as_sarif(found, base=Path("/"))])
spent = time.process_time() - begun
print(json.dumps(
    {"seconds": spent, "slow": slow, "megabytes": peak() - before, "valid": found[0].valid, "shown": len(shown)}
))
"""


@pytest.mark.parametrize("name", INPUTS)
def test_what_is_written_to_cost_much_costs_little(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], input=INPUTS[name].encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    told = json.loads(done.stdout)
    assert told["seconds"] < SECONDS * max(1.0, told["slow"] / KNOWN_WORK)
    assert told["megabytes"] < MEGABYTES
    assert told["valid"] or told["shown"]
