"""Findings as SARIF 2.1.0, which code review tools read. Pure: data in, data for `json.dumps` out.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.explanations import EXPLANATIONS, Explanation

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE: Final = "%SRCROOT%"
_BREAKS: Final = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")
"""Where YAML ends a line; lines are counted so."""
_FINGERPRINT: Final = "orcaFinding/v1"
_RULE_INDEX: Final = {code: number for number, code in enumerate(EXPLANATIONS)}


def sarif_log(
    findings: Iterable[Diagnostic], *, uris: Mapping[str, str], base: str, version: str
) -> dict[str, Any]:
    """A SARIF log of one run of `orca validate`.

    Args:
        findings: Of all files.
        uris: For each file, as the findings name it, its URI: relative to `base`, or absolute. Every file that was
            looked at is in it, also those without findings.
        base: The URI of the folder that relative ones start from, with a slash at its end.
        version: orca's own.
    """
    # What tells two findings apart when lines move: rule, file, the line's text, and which one of several in it.
    seen: Counter[str] = Counter()
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "orca",
                        "semanticVersion": version,
                        "rules": [_rule(explanation) for explanation in EXPLANATIONS.values()],
                    }
                },
                "invocations": [{"executionSuccessful": True}],
                "originalUriBaseIds": {_BASE: {"uri": base}},
                "columnKind": "unicodeCodePoints",
                "newlineSequences": list(_BREAKS),
                "artifacts": [{"location": _location(uri)} for uri in dict.fromkeys(uris.values())],
                "results": [_result(finding, uris[finding.file], seen) for finding in findings],
            }
        ],
    }


def _rule(explanation: Explanation) -> dict[str, Any]:
    return {
        "id": explanation.code,
        "name": "".join(word.capitalize() for word in explanation.slug.split("-")),
        "shortDescription": {"text": explanation.title},
        "fullDescription": {"text": explanation.text},
        "help": {
            "text": f"{explanation.text}\n\nWrong:\n\n{explanation.shown}\nMended:\n\n{explanation.mended}",
            "markdown": "\n".join(
                [
                    explanation.text,
                    "",
                    "Wrong:",
                    "",
                    f"```{explanation.language}",
                    f"{explanation.shown}```",
                    "",
                    "Mended:",
                    "",
                    f"```{explanation.language}",
                    f"{explanation.mended}```",
                    "",
                ]
            ),
        },
        "defaultConfiguration": {"level": explanation.severity},
    }


def _result(finding: Diagnostic, uri: str, seen: Counter[str]) -> dict[str, Any]:
    identity = "\0".join((finding.code, uri, finding.source_line.strip()))
    seen[identity] += 1
    fingerprint = hashlib.sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "replace")).hexdigest()[:32]
    hint = f"; did you mean '{finding.suggestion}'?" if finding.suggestion else ""
    place = {"artifactLocation": _location(uri), "region": _region(finding)}
    return {
        "ruleId": finding.code,
        "ruleIndex": _RULE_INDEX[finding.code],
        "level": finding.severity,
        "message": {"text": finding.message + hint},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }


def _region(finding: Diagnostic) -> dict[str, int]:
    """The place; one whose end is not known is one character wide, and nothing at the end of a line."""
    end = finding.end or finding.column + 1
    if finding.source_line:
        end = max(finding.column, min(end, len(finding.source_line) + 1))
    return {"startLine": finding.line, "startColumn": finding.column, "endColumn": end}


def _location(uri: str) -> dict[str, str]:
    return {"uri": uri} if urlsplit(uri).scheme else {"uri": uri, "uriBaseId": _BASE}
