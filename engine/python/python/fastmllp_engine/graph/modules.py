"""The Python modules of a configuration, run under a private package name for each load.

Two loads share no module, so a changed helper is read again, and functions of an earlier load go on
with the modules that they were loaded with. A module imports its siblings by their names, as if the
folder were on the path of Python; the import statements are compiled to the private names.
"""

import ast
import importlib
import itertools
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePosixPath
from types import ModuleType, TracebackType

from fastmllp_engine.graph.compat import PACKAGE, private_import, settled
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.folder import Folder, name_of, path_of
from fastmllp_engine.graph.loading import LOADING, Loading
from fastmllp_engine.graph.refused import NAMES

OWN = __name__.partition(".")[0]

_numbers = itertools.count(1)


class Modules(MetaPathFinder, Loader):
    """The modules of one load."""

    def __init__(self, folder: Folder, loading: Loading) -> None:
        self._folder = folder
        self._loading = loading
        self._package = f"_{OWN}_configuration_{next(_numbers)}"
        self._paths = {_name(path): path for path in folder.files if path.endswith(".py")}
        self._packages = {""}
        for name in self._paths:
            parts = name.split(".")
            self._packages.update(".".join(parts[:end]) for end in range(1, len(parts)))
        self.trees: dict[str, ast.Module] = {}
        """The code of each module that could be read, by the path that Python shows."""
        self.failed: list[str] = []
        """The paths below the folder of modules that did not run to their end."""
        self._refused = False
        """Whether a name was imported that there is not, and this was written down."""

    def run(self) -> None:
        """Run all modules but the helpers, in the order of their paths. What fails is a finding."""
        sys.meta_path.insert(0, self)
        for name in sorted(self._paths, key=lambda name: self._paths[name]):
            if not any(part.startswith("_") for part in name.split(".")):
                self._import(name)

    def _import(self, name: str) -> None:
        try:
            importlib.import_module(f"{self._package}.{name}")
        except (Exception, SystemExit) as error:
            self.failed.append(self._paths[name])
            if not (isinstance(error, ImportError) and error.name == OWN and self._refused):
                place, text = self._place(name, error)
                self._loading.error(place, text)

    def _place(self, name: str, error: BaseException) -> tuple[Place, str]:
        """The last line of the configuration that an error came through, and what it says."""
        if isinstance(error, SyntaxError) and error.filename in self._shown():
            return self._loading.place(error.filename, error.lineno or 0), f"syntax: {error.msg}"
        place = Place(self._paths[name])
        traceback: TracebackType | None = error.__traceback__
        while traceback:
            if LOADING in traceback.tb_frame.f_globals:
                file = traceback.tb_frame.f_code.co_filename
                place = self._loading.place(file, traceback.tb_lineno)
            traceback = traceback.tb_next
        text = str(error).replace(f"{self._package}.", "")
        return place, f"{type(error).__name__}: {text}" if text else type(error).__name__

    def _shown(self) -> set[str]:
        return {str(self._folder.path / path) for path in self._paths.values()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Part of the import system: where a module of this load is."""
        package, _, inside = name.partition(".")
        if package != self._package:
            return None
        file = self._paths.get(inside) or self._paths.get(f"{inside}.__init__".lstrip("."))
        if inside not in self._packages and file is None:
            return None
        is_package = inside in self._packages
        spec = ModuleSpec(name, self, is_package=is_package)
        if file:
            spec.origin = str(path_of(self._folder.path, file))
            spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Part of the import system: run a module."""
        origin = module.__spec__.origin if module.__spec__ else None
        setattr(module, LOADING, self._loading)
        if not origin:
            return
        path = name_of(Path(origin).relative_to(self._folder.path))
        tree = ast.parse(self._folder.files[path], origin)
        self._refuse_names(tree, path)
        if not settled(tree, path, self._loading):
            self._refused = True
            raise ImportError(path, name=OWN)
        private = _Private(self._package, self._siblings(), self._loading)
        self.trees[origin] = ast.fix_missing_locations(private.visit(tree))
        exec(compile(tree, origin, "exec", dont_inherit=True), module.__dict__)

    def _siblings(self) -> frozenset[str]:
        """The names that a module imports from its folder: those of Python come first."""
        names = {name.partition(".")[0] for name in self._paths}
        taken = {name for name in sys.stdlib_module_names if not name.startswith("_")}
        return frozenset(names - taken - {OWN})

    def _refuse_names(self, tree: ast.Module, path: str) -> None:
        """Write down each name that is imported from this package and that it does not have."""
        package = sys.modules[OWN]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == OWN and not node.level:
                for alias in node.names:
                    if alias.name != "*" and not hasattr(package, alias.name):
                        self._refused = True
                        place = Place(path, alias.lineno)
                        self._loading.error(place, _missing(alias.name, vars(package)))


def _missing(name: str, known: Mapping[str, object]) -> str:
    if name in NAMES:
        return f'"{name}" is not supported by this version: {NAMES[name]}'
    public = [one for one in known if not one.startswith("_")]
    return f'{OWN} has no "{name}"{did_you_mean(name, public)}'


def _name(path: str) -> str:
    """The name of a module below the package. A dot in the name of a file would split it."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(part.replace(".", "_") for part in parts)


class _Private(ast.NodeTransformer):
    """Turns imports of siblings into imports of the private package."""

    def __init__(self, package: str, siblings: frozenset[str], loading: Loading) -> None:
        self._package = package
        self._siblings = siblings
        self._loading = loading

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """``from _common import x``"""
        if not node.level and node.module and node.module.partition(".")[0] in self._siblings:
            node.module = f"{self._package}.{node.module}"
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.stmt]:
        """``import _common``, ``import _common as c`` and ``import shared.tables``"""
        made: list[ast.stmt] = []
        for alias in node.names:
            first, _, rest = alias.name.partition(".")
            if self._loading.compat and alias.name == PACKAGE:
                made.append(private_import(alias, self._loading.compat))
            elif first not in self._siblings:
                made.append(ast.Import([alias]))
            elif alias.asname and rest:
                parent, _, last = alias.name.rpartition(".")
                made.append(self._from(parent, last, alias.asname))
            else:
                if rest:
                    made.append(_load(f"{self._package}.{alias.name}"))
                made.append(self._from("", first, alias.asname or first))
        return [ast.copy_location(one, node) for one in made]

    def _from(self, parent: str, name: str, bound: str) -> ast.stmt:
        module = f"{self._package}.{parent}" if parent else self._package
        return ast.ImportFrom(module, [ast.alias(name, bound)], 0)


def _load(module: str) -> ast.stmt:
    """Loads a module and binds no name."""
    return ast.Expr(ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant(module)], []))
