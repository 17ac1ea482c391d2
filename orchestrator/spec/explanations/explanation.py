"""What an explanation of a code is. No words of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.spec.diagnostics import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One code, for a person who meets it for the first time."""

    code: str
    slug: str
    """Two or three words with hyphens, as stable as the code: `unknown-job`."""
    title: str
    """Half a sentence, without a full stop."""
    text: str
    """A paragraph: what is wrong, why it is refused or worth a word, and what to do."""
    wrong: str | bytes
    """A spec, or a command, that has this finding and no other."""
    mended: str
    """The same without any finding."""
    language: Literal["yaml", "sh"] = "yaml"
    """What the two examples are."""
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further specs beside both examples, by their paths."""
    whole: str = ""
    """The real example where it is too large to be shown; `wrong` then is what it looks like."""

    @property
    def severity(self) -> Severity:
        """An error stops the spec, a warning does not."""
        return "error" if self.code.startswith("E") else "warning"

    @property
    def file(self) -> bytes:
        """The content of the wrong file, whole."""
        content = self.whole or self.wrong
        return content if isinstance(content, bytes) else content.encode()

    @property
    def shown(self) -> str:
        """The wrong example for people: what is not text or would drive a terminal is escaped."""
        text = self.wrong if isinstance(self.wrong, str) else self.wrong.decode("utf-8", "backslashreplace")
        return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)
