"""Distributions with connectors, as pip leaves them in a folder of packages."""

import re
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[4] / "docs" / "engine" / "connectors.md"
_BLOCK = re.search(r"```python\n(# lines\.py\n.*?)```", _PAGE.read_text(encoding="utf-8"), re.S)
assert _BLOCK is not None
LINES = _BLOCK[1]
"""The connector that the documentation shows: the tests run it."""


def install(folder: Path, name: str, points: dict[str, str], code: str = "") -> Path:
    """Leave a distribution in a folder: `NAME.py`, and what it registers."""
    about = folder / f"{name}-1.2.dist-info"
    about.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"{point} = {value}\n" for point, value in points.items()]
    (about / "entry_points.txt").write_text("[fastmllp_engine.connectors]\n" + "".join(lines))
    return folder
