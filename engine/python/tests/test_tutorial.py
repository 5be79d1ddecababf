"""The tutorial does what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(300)
def test_the_tutorial_does_what_it_says() -> None:
    command = [sys.executable, ROOT / "docs" / "run_tutorial.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("the tutorial does what it says\n")
