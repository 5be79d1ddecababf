"""The files of the user's project: those below the current directory that were imported."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

_LIBRARIES = frozenset({"site-packages", "dist-packages"})

_State: TypeAlias = tuple[int, int] | None
"""Time and size of a file; None for one that is not there."""


def is_of_project(file: str) -> bool:
    """Whether a file is below the current directory, and not that of an installed library."""
    path, folder = Path(os.path.abspath(file)), Path(os.getcwd())
    return path.is_relative_to(folder) and not _LIBRARIES & set(path.parts)


class Project:
    """The files whose change asks for a restart: those of the project that this process imported.

    Made before anything is imported: a file that is saved while another is still being imported
    has changed too.
    """

    def __init__(self, module: str) -> None:
        """Look at nothing yet.

        Args:
            module: The one that has the handler. Its file counts wherever it is.
        """
        self._module = module
        self._made = time.time_ns()
        self._was_changed = False
        self._others: set[str] = set()
        self._seen: dict[str, _State] = {}

    def watch(self, files: Iterable[str]) -> None:
        """Watch these files as well, though no module was made of them."""
        self._others.update(files)

    def begin(self) -> None:
        """Look for the first time. `wait_for_change` tells of what has changed by now."""
        self._was_changed = self.has_changed()

    def has_changed(self) -> bool:
        """Whether a file has changed, appeared or gone since the last look."""
        changed = False
        for file in self._imported() | self._others | self._seen.keys():
            state = _state(file)
            if file in self._seen:
                changed |= state != self._seen[file]
            elif state is not None:
                # A time to come is that of another clock, and would always be after the import.
                changed |= self._made < state[0] <= time.time_ns()
            self._seen[file] = state
        return changed

    def wait_for_change(self, pause: Callable[[], object]) -> None:
        """Look again and again, until files have changed and are the same for two looks.

        Args:
            pause: Called between two looks.
        """
        while not (self._was_changed or self.has_changed()):
            pause()
        pause()
        while self.has_changed():  # The editor is not done.
            pause()

    def _imported(self) -> set[str]:
        # A copy: other threads import as well.
        modules = list(sys.modules.items())
        files = ((name, getattr(module, "__file__", None)) for name, module in modules)
        return {
            file for name, file in files if file and (name == self._module or is_of_project(file))
        }


def _state(file: str) -> _State:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
