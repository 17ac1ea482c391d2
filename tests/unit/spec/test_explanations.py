"""Every code is explained, its wrong example has that finding and no other, and the mended one has none."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.client.validation import Explained, explained, verdicts
from orchestrator.compile import compile_text, specs_in_memory
from orchestrator.errors import SpecError, UsageError
from orchestrator.spec.explanations import EXPLANATIONS, Explanation

SPECS = [found for found in EXPLANATIONS.values() if found.language == "yaml"]
ROOT = Path(__file__).parents[3]


def codes_of(text: bytes, beside: Mapping[str, str]) -> set[str]:
    try:
        return {
            item.code for item in compile_text(text, "spec.yaml", read=specs_in_memory(beside)).diagnostics
        }
    except SpecError as error:
        return {item.code for item in error.diagnostics}


@pytest.mark.parametrize("found", SPECS, ids=lambda found: found.code)
def test_the_examples_are_what_they_say(found: Explanation) -> None:
    assert (codes_of(found.file, found.beside), codes_of(found.mended.encode(), found.beside)) == (
        {found.code},
        set(),
    )


@pytest.mark.parametrize("found", EXPLANATIONS.values(), ids=lambda found: found.code)
def test_the_words_are_there(found: Explanation) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found.slug)
    assert re.fullmatch(r"[A-Z`].{10,90}[^.]", found.title)
    assert re.search(r"[.)]$", found.text)
    assert found.wrong != found.mended
    assert found.shown.isascii() or found.wrong == found.shown
    assert (found.severity == "error") == found.code.startswith("E")


def test_slugs_and_titles_tell_codes_apart() -> None:
    assert len({found.slug for found in EXPLANATIONS.values()}) == len(EXPLANATIONS)
    assert len({found.title for found in EXPLANATIONS.values()}) == len(EXPLANATIONS)
    assert list(EXPLANATIONS) == sorted(EXPLANATIONS)


def test_every_code_that_the_source_can_give_is_explained() -> None:
    rooms = [
        *(ROOT / "orchestrator" / "spec").glob("*.py"),
        *(ROOT / "orchestrator" / "compile").rglob("*.py"),
    ]
    rooms.append(ROOT / "orchestrator" / "client" / "validation.py")
    given = {code for path in rooms for code in re.findall(r'"([EW]\d{3})"', path.read_text())}
    assert given == set(EXPLANATIONS)


def test_a_code_is_found_in_any_case_and_by_its_name() -> None:
    one = explained("e103")
    assert one == explained(" E103 ") == explained("unknown-job")
    assert [str(item) for item in one.findings] == [
        "spec.yaml:4:45: error[E103]: job 'deploy' requires 'biuld', which does not exist; did you mean 'build'?"
    ]


def test_the_example_of_an_unreadable_file_is_what_validate_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (verdict,) = verdicts([Path("no-such-file.yaml")], read_stdin=bytes)
    assert explained("E016") == Explained(EXPLANATIONS["E016"], verdict.diagnostics)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("E13", "there is no code 'E13'; did you mean 'E130'?"),
        ("w1o7", "there is no code 'w1o7'; did you mean 'W107'?"),
        ("unknown-jbo", "there is no code 'unknown-jbo'; did you mean 'E103'?"),
        ("?", "there is no code '?'; a finding shows its own, as in error[E103]"),
        ("", "there is no code ''; a finding shows its own, as in error[E103]"),
    ],
)
def test_an_unknown_code(word: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        explained(word)
    assert str(caught.value) == said
