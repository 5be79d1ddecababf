"""Modules that have moved: ``import fastmllp.metrics`` goes on to work.

Both names are the same module. It is loaded when one of them is first asked for. A type checker
does not run this, so beside it each old path has a stub.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["MOVED", "serve_old_paths"]

MOVED = {
    "fastmllp.conformant": "fastmllp.serving.conformant",
    "fastmllp.files": "fastmllp.hl7.files",
    "fastmllp.handler": "fastmllp.serving.handler",
    "fastmllp.metrics": "fastmllp.serving.metrics",
    "fastmllp.pytest_plugin": "fastmllp.testing.pytest_plugin",
}
"""Where each module is now, by its old path."""


class _OldPaths:
    """Finds and loads them, as `importlib.abc` describes finders and loaders."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, _OldPaths) if name in MOVED else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """An empty one, which `exec_module` replaces."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(MOVED[module.__name__])


def serve_old_paths() -> None:
    """Let imports find the old paths, after everything else was asked."""
    if _OldPaths not in sys.meta_path:
        sys.meta_path.append(_OldPaths)
