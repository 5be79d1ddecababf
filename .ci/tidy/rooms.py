"""The rooms of the repository and of the Python package are those that ARCHITECTURE.md names.

Its table of the package says for each room which others it may import, all of them above it in
the table: so the arrows point one way, and there is no cycle. What a room imports and what the
table says is the same.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from source import ROOT, paths

MAX_ROOMS = 18
MAX_ARROWS = 55

# What the servers and everything else rest on knows none of those that use it.
BELOW = ("_native", "logging", "tls", "config", "serving")
ABOVE = frozenset({"server", "aio", "client", "link", "testing", "cli"})

Graph = dict[str, set[str]]

_PACKAGE = "bindings-python/python/fastmllp"


def package_graph(root: Path = ROOT) -> Graph:
    """Each room of the package, a module or a package in it, and the rooms that it imports."""
    package = root / _PACKAGE
    graph: Graph = {"_native": set()}
    for path in package.rglob("*.py"):
        place = path.relative_to(package)
        room = place.parts[0].removesuffix(".py")
        imported = set(_imported(ast.parse(path.read_text()), place.parts[:-1]))
        graph.setdefault(room, set()).update(imported - {room})
    return graph


def _imported(tree: ast.Module, folder: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = ["fastmllp", *folder][: len(folder) + 2 - node.level]
                module = ".".join([*above, *([module] if module else [])])
            names = [module]
            if module == "fastmllp":
                names = [f"fastmllp.{alias.name}" for alias in node.names]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "fastmllp" and rest:
                yield rest.partition(".")[0]


def table(text: str, title: str) -> list[list[str]]:
    """The cells of the table below a title, without its head."""
    section = re.split(rf"^#+ {re.escape(title)}$", text, maxsplit=1, flags=re.MULTILINE)[-1]
    rows = re.search(r"^\|.*\n\|[-| ]+\n((?:\|.*\n)+)", section, re.MULTILINE)
    lines = rows[1].splitlines() if rows else []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def show(graph: Graph) -> str:
    """The graph for a person."""
    arrows = sum(map(len, graph.values()))
    lines = [f"fastmllp: {len(graph)} rooms, {arrows} arrows"]
    lines += [f"  {room} -> {' '.join(sorted(graph[room]))}" for room in sorted(graph)]
    return "\n".join(lines)


def findings(root: Path = ROOT) -> Iterator[str]:
    """What is different from the tables, or too much."""
    text = (root / "ARCHITECTURE.md").read_text()
    yield from _of_the_package(package_graph(root), table(text, "The rooms of the Python package"))
    yield from _of_the_house(root, table(text, "The house"))


def _of_the_package(graph: Graph, rows: list[list[str]]) -> Iterator[str]:
    arrows = sum(map(len, graph.values()))
    if len(graph) > MAX_ROOMS:
        yield f"fastmllp: {len(graph)} rooms, at most {MAX_ROOMS}"
    if arrows > MAX_ARROWS:
        yield f"fastmllp: {arrows} arrows between rooms, at most {MAX_ARROWS}"
    for room in BELOW:
        for wrong in sorted(graph.get(room, set()) & ABOVE):
            yield f"fastmllp: {room} imports {wrong}, which is above it"
    written = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    for room in sorted(graph.keys() ^ written.keys()):
        where = "in no row of ARCHITECTURE.md" if room in graph else "in ARCHITECTURE.md only"
        yield f"fastmllp: the room {room} is {where}"
    above: set[str] = set()
    for room, allowed in written.items():
        for wrong in sorted(allowed - above):
            yield f"ARCHITECTURE.md: {room} imports {wrong}, which is not above it in the table"
        for wrong in sorted(graph.get(room, set()) ^ allowed):
            how = "imports" if wrong in graph.get(room, set()) else "no longer imports"
            yield f"fastmllp: {room} {how} {wrong}, and ARCHITECTURE.md says otherwise"
        above.add(room)


def _of_the_house(root: Path, rows: list[list[str]]) -> Iterator[str]:
    written = {row[0].strip("`/") for row in rows}
    folders = {path.parts[0] for path in paths(root) if len(path.parts) > 1}
    there = {name for name in folders if not name.startswith(".")}
    for name in sorted(written ^ there):
        where = "in no row of ARCHITECTURE.md" if name in there else "in ARCHITECTURE.md only"
        yield f"the folder {name}/ is {where}"
