#!/usr/bin/env python3
"""Runs docs/engine/tutorial.md in an empty folder, or the pages that are given, with this Python.

A block `sh` is commands, one to a line, which have to succeed; one that ends in `&` goes on until
the page is over, and then has to stop cleanly. A block `text` is in what the block before it has
printed, or what a command that goes on has printed so far; `...` stands for what is different each
time. A block `python`, `toml` or `ini` is written to the file that its first line names; of a unit,
systemd has to accept every line, where it is there. What a partner answers may come a moment later,
so a command that only looks is run again until it prints what the page says. The ports of a page,
2575 and those after it, are replaced by free ones.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TUTORIAL = Path(__file__).parent / "engine" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = ("python", "toml", "ini")
LOOKS = ("show", "why", "dead", "messages", "status", "verify")
PATIENCE = 60


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return str(listening.getsockname()[1])


class Walk:
    """One walk through the page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {port: free_port() for port in ("2575", "2576", "2577")}
        self._programs = str(Path(sys.executable).parent)
        path = os.pathsep.join([self._programs, os.environ["PATH"]])
        self._environment = os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"}
        self._running: list[tuple[str, subprocess.Popen[str], Path]] = []

    def carry_out(self, page: str) -> None:
        commands: list[str] = []
        printed: list[Path | str] = []
        for language, text in BLOCK.findall(page):
            text = self._with_ports(text)
            if language in FILES:
                self._write(text)
            elif language == "sh":
                commands = text.splitlines()
                printed = [self._run(command) for command in commands]
            elif language == "text":
                self._compare(text, commands, printed)
        self._stop()

    def _with_ports(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(port, free)
        return text

    def _write(self, text: str) -> None:
        name = text.partition("\n")[0].removeprefix("# ")
        print(f"{name} is written", flush=True)
        file = self._folder / name
        if file.suffix == ".service":
            # The programs are not installed where the page says.
            text = text.replace("/opt/engine/bin", self._programs)
        file.write_text(text, encoding="utf-8")
        if file.suffix == ".service" and shutil.which("systemd-analyze"):
            self._verify_unit(name)

    def _verify_unit(self, name: str) -> None:
        command = ["systemd-analyze", "verify", "--man=no", f"./{name}"]
        done = subprocess.run(command, cwd=self._folder, text=True, capture_output=True)
        # What it does not know it ignores, and says so; units of the system are none of this page.
        wrong = [line for line in done.stderr.splitlines() if name in line]
        if done.returncode != 0 or wrong:
            raise SystemExit(f"systemd refuses {name}\n{done.stderr}")

    def _run(self, command: str) -> Path | str:
        print(f"$ {command}", flush=True)
        if command.endswith("&"):
            return self._start(command.removesuffix("&").split())
        printed = self._ask(command)
        print(printed, end="", flush=True)
        for file in self._folder.glob("feeds/**/*.*"):
            if command.startswith("fastmllp-engine init") and file.suffix in (".py", ".toml"):
                file.write_text(self._with_ports(file.read_text()))
        return printed

    def _ask(self, command: str) -> str:
        done = subprocess.run(
            command,
            shell=True,
            cwd=self._folder,
            env=self._environment,
            text=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            print(done.stdout, end="", flush=True)
            raise SystemExit(f"it ended with {done.returncode}\n{done.stderr}")
        return done.stdout

    def _start(self, command: list[str]) -> Path:
        output = self._folder / f".printed-{len(self._running)}"
        with output.open("w") as sink:
            program = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                text=True,
                stdout=sink,
                stderr=subprocess.DEVNULL,
            )
        self._running.append((command[0], program, output))
        ready = "ready" if command[0].endswith("-engine") else "listening"
        self._until(lambda: ready in output.read_text() or program.poll() is not None)
        if program.poll() is not None:
            raise SystemExit(f"{command[0]} has ended with {program.returncode}")
        return output

    def _compare(self, wanted: str, commands: list[str], printed: list[Path | str]) -> None:
        pattern = re.compile(".*".join(map(re.escape, wanted.split("..."))), re.DOTALL)
        looks = commands[-1].split()[1:2] and commands[-1].split()[1] in LOOKS
        first = printed[-1]

        def now() -> str:
            if isinstance(printed[-1], Path):
                return printed[-1].read_text()
            # All commands of the block, the ones that tell nothing included.
            return "".join(one for one in printed if isinstance(one, str))

        def is_as_wanted() -> bool:
            if pattern.search(now()):
                return True
            if looks:
                printed[-1] = self._ask(commands[-1])
            return False

        if not self._until(is_as_wanted):
            raise SystemExit(f"printed:\n{now()}\nthe page says:\n{wanted}")
        if printed[-1] != first:
            print(f"a moment later:\n{printed[-1]}", end="", flush=True)

    def _until(self, is_so: Callable[[], bool]) -> bool:
        end = time.monotonic() + PATIENCE
        while not (so := is_so()) and time.monotonic() < end:
            time.sleep(0.1)
        return so

    def _stop(self) -> None:
        for name, program, _ in reversed(self._running):
            program.send_signal(signal.SIGTERM)
            if program.wait(PATIENCE) != 0:
                raise SystemExit(f"{name} has ended with {program.returncode}")

    def kill(self) -> None:
        for _, program, _ in self._running:
            program.kill()
            program.wait()


def main(arguments: list[str]) -> int:
    for page in [Path(it) for it in arguments] or [TUTORIAL]:
        with tempfile.TemporaryDirectory() as folder:
            walk = Walk(Path(folder))
            try:
                walk.carry_out(page.read_text(encoding="utf-8"))
            finally:
                walk.kill()
        print(f"{page.name} does what it says")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
