"""The reference of the engine is written from the code."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
WRITER = DOCS / "write_engine_reference.py"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_engine_reference", WRITER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_those_of_the_code(writer: ModuleType) -> None:
    for name, text in writer.pages().items():
        written = (writer.FOLDER / name).read_text(encoding="utf-8")
        assert written == text, f"{name} is old: run make engine-reference"


def test_every_name_of_the_package_that_declares_is_there(writer: ModuleType) -> None:
    text = writer.pages()["factories.md"]
    for name in ("inbound", "outbound", "router", "handler", "MLLP", "File", "Schedule"):
        assert f"\n## `{name}`\n" in text
    assert "| `window` | whole number, 1 to 64 | `1` |" in text
    assert "| `prune_documents_after` | say bodies_days |" in text


def test_every_command_and_section_is_there(writer: ModuleType) -> None:
    pages = writer.pages()
    for name in ("serve", "diff", "import", "why"):
        assert f"\n## `{name}`\n" in pages["commands.md"]
    assert '| `bodies_days` | days, 0 to 36,500 or `"forever"` | `30` |' in pages["settings.md"]
