"""No core learns of a binding: what each crate of the workspace depends on, from its manifest.

The table of the house in ARCHITECTURE.md says the same. Dependencies for tests are free, except
that no core has one on a binding.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rooms import table
from source import ROOT

# Each may use those before it.
CORES = ("mllp-core", "hl7-peek", "ack-gen", "mllp-link", "hl7-edit", "astm-core")
# These need neither an operating system nor an allocator.
OF_OTHERS = frozenset({"memchr", "heapless"})
_OF_BINDINGS = re.compile(r"pyo3|cbindgen|maturin|libc|bindings|fastmllp|mllp-c\b")


def findings(root: Path = ROOT) -> Iterator[str]:
    """What a core depends on and must not, or what ARCHITECTURE.md does not say of it."""
    rows = {row[0]: row[2] for row in table((root / "ARCHITECTURE.md").read_text(), "The house")}
    for place, core in enumerate(CORES):
        manifest = tomllib.loads((root / core / "Cargo.toml").read_text())
        needs = _names(manifest, "dependencies") | _names(manifest, "build-dependencies")
        for name in sorted(needs - set(CORES[:place]) - OF_OTHERS):
            yield f"{core}/Cargo.toml: depends on {name}, which it must not know"
        for name in sorted(_names(manifest, "dev-dependencies")):
            if _OF_BINDINGS.search(name):
                yield f"{core}/Cargo.toml: is tested with {name}, which is for a binding"
        if needs != set(re.findall(r"`([\w-]+)`", rows.get(f"`{core}/`", ""))):
            yield f"ARCHITECTURE.md: {core}/ depends on {', '.join(sorted(needs))}: its row differs"


def _names(manifest: dict[str, Any], table: str) -> set[str]:
    """The packages of a table and of the same one for a single platform, by their real names."""
    tables = [manifest.get(table, {})]
    tables += [target.get(table, {}) for target in manifest.get("target", {}).values()]
    return {
        said.get("package", name) if isinstance(said, dict) else name
        for one in tables
        for name, said in one.items()
    }
