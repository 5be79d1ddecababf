"""Which room of the package may import which: the arrows point from commands down to the graph."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "fastmllp_engine"
NAME = "fastmllp_engine"

# `graph` knows no connector of its own: each names the class that it extends.
ARROWS = {
    "_native": set(),
    "graph": {"_native"},
    "connectors": {"_native", "graph"},
    "workers": {"_native", "graph", "connectors"},
    "runtime": {"_native", "graph", "connectors", "workers"},
    "records": {"_native"},
    "alerts": {"_native", "graph", "runtime"},
    "api": {"_native", "graph", "runtime", "records", "alerts"},
    "comparison": {"_native", "graph"},
    "compat": {"_native", "graph", "connectors"},
    "cli": {
        "_native",
        "graph",
        "runtime",
        "records",
        "alerts",
        "api",
        "comparison",
        "compat",
        "testing",
    },
    "testing": {"_native", "graph", "connectors", "runtime"},
}


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, f"{file}: an import from above its room names the room"
            if node.level == 0 and node.module:
                # `from fastmllp_engine import graph` imports the room.
                names = [f".{alias.name}" for alias in node.names] if node.module == NAME else [""]
                yield from (node.module + name for name in names)


def arrows(room: str) -> set[str]:
    files = (PACKAGE / room).rglob("*.py") if (PACKAGE / room).is_dir() else []
    named = (name.split(".") for file in files for name in imported(file))
    return {parts[1] for parts in named if parts[0] == NAME and len(parts) > 1} - {room}


ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_is_below_it(room: str) -> None:
    assert room in ARROWS, f"{room} is no room of this package"
    above = {name for name in arrows(room) if name in ARROWS} - ARROWS[room]
    assert not above, f"{room} imports {', '.join(sorted(above))}"


def test_the_wire_layer_does_not_know_the_engine() -> None:
    wire = PACKAGE.parents[3] / "bindings-python" / "python" / "fastmllp"
    files = list(wire.rglob("*.py"))
    assert len(files) > 100
    for file in files:
        assert not any(name.split(".")[0] == NAME for name in imported_anywhere(file)), file


def imported_anywhere(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
