"""What `make test-platforms` takes away is gone, in every program that a test starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from peers import DEADLINE

LIKE_WINDOWS = Path(__file__).parent / "like_windows"
PROGRAM = """
import fastmllp.aio, fastmllp.cli, fastmllp.server, selectors, sys
from sitecustomize import LACKING
for module, names in LACKING.items():
    assert not any(hasattr(sys.modules[module], name) for name in names), module
print(selectors.DefaultSelector.__name__)
"""


@pytest.mark.parametrize("folder", [".", "/"])
def test_what_windows_lacks_is_gone(folder: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(LIKE_WINDOWS)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, timeout=DEADLINE, check=True
    )
    assert done.stdout == b"SelectSelector\n"


def test_this_run_has_what_it_says() -> None:
    """The run of `make test-platforms` is one without them, and any other run is not."""
    lacking = "sitecustomize" in sys.modules and hasattr(sys.modules["sitecustomize"], "LACKING")
    assert lacking == (str(LIKE_WINDOWS) in os.environ.get("PYTHONPATH", "").split(os.pathsep))
