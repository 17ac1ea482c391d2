"""From `package.module:function` to the function: what is allowed, what is there."""

import difflib
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from workers.calling.faults import CallFault, described
from workers.settings import Calls

Function = Callable[..., Any]

_IMPORTING: Final = threading.Lock()
"""Held while `sys.path` is changed: calls run in threads."""


def load(function: str, calls: Calls) -> Function:
    """The function of that name.

    Args:
        function: `package.module:name`.
        calls: what the worker allows, and where it looks.

    Raises:
        CallFault: it is not allowed, does not import, is not there, or cannot be called. The message says what to do.
    """
    module_name, _, name = function.partition(":")
    _check_allowed(module_name, calls, f"'{function}' is not called: module '{module_name}'")
    if not name.isidentifier() or name.startswith("_"):
        raise CallFault(
            f"'{name}' in '{function}' cannot be a function's name here; write `call: package.module:function` with "
            "one that does not begin with '_'"
        )
    module: ModuleType = _imported(module_name, calls)
    members: dict[str, Any] = vars(module)
    if name not in members:
        known = [item for item in members if inspect.isroutine(members[item]) and not item.startswith("_")]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise CallFault(f"there is no '{name}' in module '{module_name}' ({_file_of(module)}){hint}")
    found: Any = members[name]
    if not callable(found):
        raise CallFault(f"'{function}' is no function but of type {type(found).__name__}")
    home = str(getattr(found, "__module__", None) or module_name)
    # A module's imports are not its offers: `import os` in an allowed module must not allow `module:system`.
    if home != module_name and name not in getattr(module, "__all__", ()):
        _check_allowed(home, calls, f"'{function}' is not called: it comes from module '{home}', which")
    return found


def _check_allowed(module: str, calls: Calls, what: str) -> None:
    if any(covers(pattern, module) for pattern in calls.modules):
        return
    allows = f"it allows {', '.join(calls.modules)}" if calls.modules else "it allows none"
    raise CallFault(
        f"{what} is not allowed on this worker ({allows}); add '{module}' to its ORCA_CALL_MODULES, or start it with "
        f"--allow-calls {','.join((*calls.modules, module))}"
    )


def covers(pattern: str, module: str) -> bool:
    """`a.b` is that module alone, `a.*` is `a` and all below it, `*` is everything."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return module == pattern[:-2] or module.startswith(pattern[:-1])
    return module == pattern


def _imported(name: str, calls: Calls) -> ModuleType:
    with _IMPORTING:
        # Behind all else, so that no module of a user's stands in for one of the worker's own.
        sys.path.extend(str(folder) for folder in calls.path if str(folder) not in sys.path)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (error.name == name or name.startswith(f"{error.name}.")):
            raise CallFault(_nowhere(name, calls.path)) from error
        raise CallFault(f"module '{name}' cannot be imported: {described(error)}") from error
    except Exception as error:
        # Whatever a module does when it is imported is its author's.
        raise CallFault(f"module '{name}' cannot be imported: {described(error)}") from error
    except SystemExit as error:
        raise CallFault(
            f"module '{name}' ends the process when it is imported: {described(error)}"
        ) from error


def _nowhere(name: str, path: Sequence[Path]) -> str:
    where = ", ".join(f"'{folder}'" for folder in path) or "it has no folders of its own"
    return (
        f"the worker finds no module '{name}' (ORCA_CALL_PATH: {where}); install it where the worker runs, or add the "
        "folder that holds it to the worker's ORCA_CALL_PATH"
    )


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "built in"
