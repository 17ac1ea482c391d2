"""Verdicts on test cases as JUnit's XML, which CI systems show."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from orchestrator.client.cases import Verdict

_CONTROL: Final = {code: None for code in range(0x20) if code not in (0x09, 0x0A)}


def junit_xml(verdicts: Sequence[Verdict]) -> str:
    """A `testsuites` document with a suite for each file of cases; ends in a newline."""
    root = ET.Element("testsuites", _counts(verdicts) | {"name": "orca test"})
    for file, group in groupby(verdicts, key=lambda verdict: str(verdict.case.file)):
        found = list(group)
        suite = ET.SubElement(root, "testsuite", _counts(found) | {"name": _plain(file)})
        for verdict in found:
            case = ET.SubElement(
                suite,
                "testcase",
                {
                    "name": _plain(verdict.case.name),
                    "classname": _plain(verdict.case.checked.compiled.plan.spec),
                    "file": _plain(file),
                    "time": f"{verdict.seconds:.3f}",
                },
            )
            if not verdict.passed:
                told = ET.SubElement(case, "failure", {"message": _plain(verdict.differences[0])})
                told.text = _plain("\n".join(verdict.differences))
            if verdict.run_id:
                ET.SubElement(case, "system-out").text = f"run {verdict.run_id}"
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    return {
        "tests": str(len(verdicts)),
        "failures": str(sum(not verdict.passed for verdict in verdicts)),
        "errors": "0",
        "time": f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    }


def _plain(text: str) -> str:
    """`text` without what XML cannot hold."""
    return (
        text.translate(_CONTROL)
        .encode("utf-8", "replace")
        .decode()
        .replace("\ufffe", "")
        .replace("\uffff", "")
    )
