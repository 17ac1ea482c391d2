"""A workflow in a Python file, as the YAML that it stands for."""

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from orchestrator.builder import Workflow
from orchestrator.errors import OrcaError, UsageError

SUFFIX = ".py"
NAME = "workflow"
"""What the workflow is called in its file, where there are several."""


def yaml_of(path: Path) -> bytes:
    """Run the file and return its workflow's YAML.

    Raises:
        UsageError: it cannot be read or run, or it is not clear which workflow is meant.
    """
    try:
        module = _run(path)
        return _only_workflow(module, path).to_yaml().encode()
    except OrcaError:
        raise
    except ValueError as error:
        raise UsageError(f"the workflow in '{path}' cannot be written as YAML: {error}") from error


def _run(path: Path) -> ModuleType:
    """The file as a module of its own name, which finds those that lie beside it, as a script does."""
    made = importlib.util.spec_from_file_location(path.stem, path)
    if made is None or made.loader is None:
        raise UsageError(f"'{path}' is no Python file")
    module = importlib.util.module_from_spec(made)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    earlier = sys.modules.get(path.stem)
    sys.modules[path.stem] = module
    try:
        made.loader.exec_module(module)
    except OrcaError:
        raise
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror or error}") from error
    except (Exception, SystemExit) as error:  # Whatever a person's file may do.
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise UsageError(
            f"'{path}' fails when it is run: {type(error).__name__}: {error} ({last.filename}:{last.lineno})"
        ) from error
    finally:
        sys.path.remove(folder)
        if earlier is None:
            del sys.modules[path.stem]
        else:
            sys.modules[path.stem] = earlier
    return module


def _only_workflow(module: ModuleType, path: Path) -> Workflow:
    found = {name: value for name, value in vars(module).items() if isinstance(value, Workflow)}
    if NAME in found:
        return found[NAME]
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise UsageError(
            f"'{path}' has no workflow: it should say 'workflow = Workflow(...)' (from orchestrator.builder)"
        )
    names = ", ".join(f"'{name}'" for name in found)
    raise UsageError(f"'{path}' has the workflows {names}; call the one that is meant '{NAME}'")
