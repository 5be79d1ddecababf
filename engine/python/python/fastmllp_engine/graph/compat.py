"""``[compat]``: what a load asks of the room that knows another engine's feeds.

That room knows the graph and the connectors, so it is found by its name.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastmllp_engine.graph.environment import OF_COMPAT, Environment
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.loading import Loading

ROOM = "fastmllp_engine.compat"
PACKAGE = "messagefoundry"
SETTING = "[compat] messagefoundry = true"
FILE = "engine.toml"


def begin_compat(loading: Loading) -> None:
    """Have the modules of a load import names of MessageFoundry."""
    loading.compat = importlib.import_module(ROOM)
    values = loading.values
    if isinstance(values, Environment):
        loading.values = replace(values, prefixes=(*values.prefixes, OF_COMPAT))


def tell_compat(loading: Loading) -> None:
    """Note what the load has used that is alike."""
    if loading.compat and loading.alike:
        names = ", ".join(sorted(loading.alike))
        loading.note(Place(FILE), f"{PACKAGE}: alike: {names}")


def settled(tree: ast.Module, path: str, loading: Loading) -> bool:
    """Turn the imports of MessageFoundry in a module into imports of the room.

    Returns:
        Whether the module can run: otherwise what it imports was refused, and written down.
    """
    before = len(loading.findings)
    found = list(_imports(tree))
    for node, alias in found:
        place = Place(path, node.lineno)
        if loading.compat is None:
            loading.error(place, f"{PACKAGE} is imported: say {SETTING} in {FILE}")
        elif _module(node, alias) != PACKAGE:
            text = f"{PACKAGE}: only names of the package itself can be imported"
            loading.error(place, text)
        elif isinstance(node, ast.ImportFrom):
            _name(alias.name, Place(path, alias.lineno), loading)
    if found and loading.compat:
        for node, _ in found:
            if isinstance(node, ast.ImportFrom):
                node.module = loading.compat.MODULE
        _attributes(tree, path, loading)
    return not any(it.level == "error" for it in loading.findings[before:])


def private_import(alias: ast.alias, compat: Any) -> ast.stmt:
    """``import messagefoundry`` as an import of the room."""
    room, _, module = compat.MODULE.rpartition(".")
    return ast.ImportFrom(room, [ast.alias(module, alias.asname or PACKAGE)], 0)


def _imports(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, ast.alias]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            for alias in list(node.names):
                if _module(node, alias).partition(".")[0] == PACKAGE:
                    yield node, alias


def _module(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    return alias.name if isinstance(node, ast.Import) else node.module or ""


def _name(name: str, place: Place, loading: Loading) -> None:
    assert loading.compat
    row = loading.compat.what_of_name(name)
    if name == "*":
        return
    if row is None:
        near = did_you_mean(name, loading.compat.section("names"))
        loading.error(place, f'{PACKAGE} has no "{name}" that is known here{near}')
    elif row.refused:
        loading.error(place, f'{PACKAGE}: "{name}": {row.refused}')
    elif row.differs:
        loading.note(place, f'{PACKAGE}: "{name}" differs: {row.differs}')
    else:
        loading.alike.add(name)


def _attributes(tree: ast.Module, path: str, loading: Loading) -> None:
    """Write down what functions ask of their messages, their first parameters, that is refused."""
    assert loading.compat
    known = loading.compat.section("Message")
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not function.args.args:
            continue
        message = function.args.args[0].arg
        for node in ast.walk(function):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            row = known.get(node.attr) if node.value.id == message else None
            if row and row.refused:
                place = Place(path, node.lineno)
                loading.error(place, f'{PACKAGE}: "{message}.{node.attr}": {row.refused}')
            elif row:
                loading.alike.add(f"Message.{node.attr}")
