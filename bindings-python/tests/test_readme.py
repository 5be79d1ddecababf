"""Every block of README.md does what the text around it says."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_python_example() -> None:
    (example,) = blocks("python")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert run.stdout == "b'M1' b'1001'\nAA M1\n"
    assert "`b'M1' b'1001'` and `AA M1`" in README


def test_the_make_commands() -> None:
    commands = [line.split("#")[0].split() for line in blocks("sh")[0].splitlines()]
    assert commands == [["make", "demo"], ["make", "test"]]
    # `make test` is running this very test; `make demo` is its sibling in CI.
    for command in commands:
        run = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, check=False)
        assert run.returncode == 0


def test_the_command_line() -> None:
    serve, send = blocks("sh")[1].splitlines()
    program = shutil.which("fastmllp", path=str(pathlib.Path(sys.executable).parent))
    if program is None:
        pytest.fail("the command fastmllp is not installed beside the interpreter")
    words = serve.replace("--port 2575", "--port 0").split()
    server = subprocess.Popen(
        [program, *words[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        assert server.stdout is not None
        host, _, port = server.stdout.readline().removeprefix("listening ").strip().rpartition(":")
        assert host == "127.0.0.1"
        words = send.replace("--port 2575", f"--port {port}").split()
        run = subprocess.run(
            [program, *words[1:]], cwd=ROOT, capture_output=True, timeout=30, check=False
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.count(b"MSA|AA|") == 2
        server.terminate()
        assert server.wait(timeout=10) == 0
