"""The folder where this machine's orca keeps its state: `$ORCA_HOME`, else `~/.orca`.

temporal.db      the embedded Temporal server's database
server.json      where the running embedded server is
store/           logs, artifacts and workspaces (the workers' default store)
log/             what the embedded server and its workers print
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UsageError


@dataclass(frozen=True)
class Home:
    """Paths inside the state folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The embedded server's SQLite file."""
        return self.root / "temporal.db"

    @property
    def server_file(self) -> Path:
        """JSON of `ServerInfo`."""
        return self.root / "server.json"

    @property
    def store(self) -> Path:
        """The default store."""
        return self.root / "store"

    def log(self, name: str) -> Path:
        """A log file; its folder is made."""
        folder = self.root / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


def find_home(environ: Mapping[str, str] | None = None) -> Home:
    """The state folder, made where it is missing. Raises UsageError where it cannot be written."""
    known = os.environ if environ is None else environ
    root = Path(known["ORCA_HOME"]) if known.get("ORCA_HOME") else Path("~/.orca").expanduser()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise UsageError(
            f"orca cannot write its state folder '{root}': {error.strerror or error}; "
            "set ORCA_HOME to a folder that you may write"
        ) from error
    return Home(root)
