"""What the tests of the C library have in common: where things are, and how commands are run."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
TESTS = pathlib.Path(__file__).parent
HEADER = ROOT / "bindings-c" / "include" / "mllp.h"
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
BUILT = TARGET / "c"
WORK = BUILT / "tests"

CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")


def run(
    *command: str | pathlib.Path, env: dict[str, str] | None = None, stdin: bytes | None = None
) -> str:
    """What the command printed. When it fails, so does the test."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=os.environ | (env or {}),
        input=stdin,
        capture_output=True,
        timeout=600,
        check=False,
    )
    out, err = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed with {done.returncode}:\n{out[-4000:]}{err[-8000:]}")
    return out


def has(tool: str, what: str) -> bool:
    """Whether the tool is installed. Where everything is tested, it must be."""
    if shutil.which(tool):
        return True
    print(f"{what}: skipped: {tool} is not installed")
    if os.environ.get("CI") == "true":
        sys.exit(1)
    return False


def declarations() -> str:
    """The header without its comments."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    return re.sub(r"//.*", "", text)


def functions() -> list[str]:
    return re.findall(r"\b(mllp_\w+)\(", declarations())
