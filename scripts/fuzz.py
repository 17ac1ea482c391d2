"""Coverage-guided fuzzing of what reads untrusted text: `python scripts/fuzz.py validate|evaluate [libFuzzer options]`.

Needs `atheris` in the environment, which is no dependency of the project: `pip install atheris`. Any input has to
give findings or a plan, a value or an `ExpressionError`, each within a second; the rest is a crash that libFuzzer
writes to a file. What it finds becomes an `@example` in tests/unit/compile/test_fuzz.py or
tests/unit/expressions/test_total.py.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

try:
    import atheris  # pyright: ignore[reportMissingImports, reportMissingModuleSource]
except ImportError:
    sys.exit("fuzz: atheris is not installed; `pip install atheris` into an environment that has orca")

fuzzer: Any = atheris
with fuzzer.instrument_imports(include=["orchestrator"]):
    from orchestrator.client.validation import as_sarif, verdicts
    from orchestrator.errors import ExpressionError
    from orchestrator.expressions import Status, check, condition, evaluate, explain, render

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 1.0
"""Seconds of processor time for one input. Instrumented code is several times slower than it is for people."""
CONTEXTS: Final = ("params", "env", "matrix", "jobs")
STATUS: Final = Status(success=True, failure=False, cancelled=False)
WORDS: Final = (
    "name: ", "jobs:\n", "image: ", "requires: [", "after: ", "parallel_with: ", "if: ", "unless: ", "matrix: ",
    "for_each: ", "include: ", "exclude: ", "on_complete: always", "params:\n", "outputs: ", "commands: ", "env: {",
    "${{ ", " }}", "jobs.a.outputs.b", "params.", "matrix.", "item", "success()", "always()", "fromJSON(", "toJSON(",
    "format('{0}', ", "contains(", "join(", "range(0, 9)", "split(", "hashFiles(", "case(", "&&", "||", "==", "!=",
    "[*]", ".*", "'", "''", "&a ", "*a", "<<: ", "- ", "? ", "|\n", ">\n", "!!str ", "---\n", "1e999", "0x", ".nan",
)  # fmt: skip


def validate_one(data: bytes) -> None:
    """The whole way of `orca validate`, in each of its forms."""
    found = list(verdicts([Path("-")], read_stdin=lambda: data))
    for verdict in found:
        for finding in verdict.diagnostics:
            finding.pretty(colour=True)
            finding.to_json()
    json.dumps([finding.to_json() for finding in found[0].diagnostics])
    json.dumps(as_sarif(found, base=ROOT))


def evaluate_one(data: bytes) -> None:
    """An expression over contexts: the first line is the one, the rest is JSON with the other."""
    head, _, tail = data.partition(b"\n")
    source = head.decode("utf-8", "replace")
    try:
        value = json.loads(tail)
    except (ValueError, RecursionError):
        value = None
    contexts: dict[str, Any] = dict.fromkeys(CONTEXTS, value)
    for use in (evaluate, render, condition):
        try:
            use(source, contexts, status=STATUS)
        except ExpressionError as error:
            if error.offset is not None and not 0 <= error.offset <= len(source):
                raise IndexError(f"offset {error.offset} in a text of {len(source)}") from error
    check(source)
    explain(source, contexts)


def _timed(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        before = time.process_time()
        target(data)
        spent = time.process_time() - before
        if spent > LIMIT:
            raise TimeoutError(f"{spent:.1f} s for {len(data)} bytes")

    return run


def _seeds(target: str) -> list[bytes]:
    if target == "validate":
        paths = [*(ROOT / "specs").glob("*.yaml"), *(ROOT / "tests" / "golden").glob("*/spec.yaml")]
        return [path.read_bytes() for path in paths]
    values = b'\n{"a": [1, "x", null, {"b": true}], "b": "text"}'
    return [
        word.encode() + values for word in (*WORDS, "params.a[0] == 1 && format('{0}', matrix.*.b) || !env")
    ]


def main() -> None:
    """Runs libFuzzer until something breaks or it is stopped."""
    targets = {"validate": validate_one, "evaluate": evaluate_one}
    if len(sys.argv) < 2 or sys.argv[1] not in targets:
        sys.exit(__doc__)
    name, options = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="orca-fuzz-") as folder:
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(_seeds(name)):
            (corpus / str(number)).write_bytes(seed)
        escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS)
        words.write_text("".join(f'"{word}"\n' for word in escaped))
        arguments = [sys.argv[0], f"-dict={words}", "-max_len=16384", "-rss_limit_mb=2048", *options]
        fuzzer.Setup([*arguments, str(corpus)], _timed(targets[name]))
        fuzzer.Fuzz()


if __name__ == "__main__":
    main()
