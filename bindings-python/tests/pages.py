"""Pages of the documentation site: their blocks, and how one page is carried out."""

import contextlib
import doctest
import gc
import io
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from peers import DEADLINE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Those that are written on pages; each page gets free ones in their place.
_PORTS = ("2575", "2576", "9464")
_BLOCK = re.compile(r"^```([\w{-}]*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that the block is, if its first line is a comment with a name."""
        match = _FILE.match(self.text)
        return match.group(1) if match else None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, without the directives of Sphinx."""
    text = page.read_text()
    found = [
        Block(match.group(1), match.group(2), text[: match.start()].count("\n") + 1)
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if not block.language.startswith("{")]


def pages() -> list[Path]:
    """Every page that has blocks, but those of the engine, which its own tests carry out."""
    every = sorted(DOCS.rglob("*.md"))
    return [page for page in every if blocks(page) and DOCS / "engine" not in page.parents]


class Reader:
    """Carries out a page as its reader would, in a folder that holds ``examples``."""

    def __init__(self, page: Path, folder: Path) -> None:
        self._page = page
        self._folder = folder
        self._ports = {port: str(_free_port()) for port in _PORTS}
        self._namespace: dict[str, Any] = {"__name__": "__main__"}
        self._running: list[subprocess.Popen[str]] = []
        self._unused: set[str] = set()
        self._printed: str | None = None
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._environment = os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"}
        (folder / "examples").symlink_to(ROOT / "examples")

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What a page has left open is its own fault, not that of the next one.
        self._namespace.clear()
        gc.collect()
        for process in self._running:
            process.send_signal(signal.SIGTERM)
            try:
                output, _ = process.communicate(timeout=DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
            if kind is None:
                assert process.returncode == 0, output

    def read(self) -> None:
        """Carry out every block."""
        for block in blocks(self._page):
            self._carry_out(block)
        assert not self._unused, f"no command uses {self._unused}"

    def _carry_out(self, block: Block) -> None:
        text = block.text
        for written, free in self._ports.items():
            text = text.replace(written, free)
        if block.language == "text":
            self._compare(text, block)
        elif block.file is not None:
            (self._folder / block.file).write_text(text)
            self._unused.add(block.file)
            self._printed = None
        elif block.language == "python":
            self._printed = self._run(text, block)
        elif block.language == "sh":
            commands = text.replace("\\\n", " ").splitlines()
            self._printed = "".join(map(self._call, commands))
        else:
            raise AssertionError(f"{self._page}:{block.line}: a block of {block.language!r}")

    def _run(self, text: str, block: Block) -> str:
        # With the numbers of the page's lines, for whoever reads a traceback.
        code = compile("\n" * block.line + text, str(self._page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self._namespace)
        return printed.getvalue()

    def _call(self, command: str) -> str:
        # A module is named without its ending, as in `feed:store`.
        words = (command, command.replace(":", ".py:"))
        self._unused -= {name for name in self._unused if any(name in word for word in words)}
        if command.startswith("pip install "):
            # `make test-package` installs it, and takes its time.
            assert (ROOT / command.split()[-1] / "pyproject.toml").exists(), command
            return ""
        if command.endswith(" &"):
            self._start(command.removesuffix(" &"))
            return ""
        run = subprocess.run(
            command,
            shell=True,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3 * DEADLINE,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}"
        return run.stdout

    def _start(self, command: str) -> None:
        """Start a program that serves until the page is over; its first line says that it does."""
        process = subprocess.Popen(
            f"exec {command}",
            shell=True,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._running.append(process)
        assert process.stdout is not None
        assert "listening" in process.stdout.readline(), command

    def _compare(self, expected: str, block: Block) -> None:
        where = f"{self._page}:{block.line}"
        assert self._printed is not None, f"{where}: nothing has printed this"
        printed = self._printed.rstrip("\n") + "\n"
        same = doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)
        assert same, f"{where}: printed was\n{printed}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
