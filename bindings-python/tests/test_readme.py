"""Every block of README.md does what the text around it says."""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("number", "printed", "told"),
    [
        (0, "b'M1' b'1001'\nAA M1\n", "It prints `b'M1' b'1001'` and `AA M1`."),
        (1, "100 accepted\n", "It prints `100 accepted`."),
    ],
)
def test_the_python_examples(number: int, printed: str, told: str) -> None:
    assert len(blocks("python")) == 2
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks("python")[number]],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert run.stdout == printed and told in README


def test_the_make_commands() -> None:
    commands = [line.split("#")[0].split() for line in blocks("sh")[0].splitlines()]
    assert commands == [["make", "demo"], ["make", "test"]]
    # `make test` is running this very test; `make demo` is its sibling in CI.
    for command in commands:
        run = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, check=False)
        assert run.returncode == 0


def program() -> str:
    found = shutil.which("fastmllp", path=str(pathlib.Path(sys.executable).parent))
    if found is None:
        pytest.fail("the command fastmllp is not installed beside the interpreter")
    return found


def test_the_command_line(tmp_path: pathlib.Path) -> None:
    """The commands as they stand there, but for the port, which may be in use."""
    serve, send = blocks("sh")[1].splitlines()
    others = blocks("sh")[2].splitlines()
    server = subprocess.Popen(
        [program(), *shlex.split(serve.replace("--port 2575", "--port 0"))[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    )
    with server:
        assert server.stdout is not None
        host, _, port = server.stdout.readline().removeprefix("listening ").strip().rpartition(":")
        assert host == "127.0.0.1"
        run = call(send, port)
        assert run.stdout.count(b"MSA|AA|") == 2
        assert len(list((tmp_path / "received").iterdir())) == 2
        shown = {command.split()[1]: call(command, port).stdout.decode() for command in others}
        assert "80 accepted, 0 refused, 0 not delivered, 0 not sent" in shown["send"]
        assert shown["peek"] == "PATID1234\tEVERYWOMAN^EVE^E^^MS^^L\n"
        assert "MSA|AE|ADT20240131000001|no such patient\n" in shown["ack"]
        assert "messages/s" in shown["bench"] and "[server]\n" in shown["config"]
        server.terminate()
        assert server.wait(timeout=10) == 0


def call(command: str, port: str) -> "subprocess.CompletedProcess[bytes]":
    words = shlex.split(command.replace("--port 2575", f"--port {port}"))
    run = subprocess.run(
        [program(), *words[1:]], cwd=ROOT, capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 0, run.stderr
    return run


def test_the_links() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", README):
        if "://" not in link:
            assert (ROOT / link.partition("#")[0]).exists(), link
