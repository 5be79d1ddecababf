"""The tutorial and the guides do what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [DOCS / "engine" / "tutorial.md", *sorted((DOCS / "engine" / "howto").glob("*.md"))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda it: it.stem)
def test_a_page_does_what_it_says(page: Path) -> None:
    assert "```sh\n" in page.read_text(encoding="utf-8")
    command = [sys.executable, DOCS / "run_tutorial.py", page]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{page.name} does what it says\n")
