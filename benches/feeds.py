"""One feed whose router and handler are in Python, served by fastmllp-engine and by MessageFoundry.

Each message gets another MSH-5 and goes to one of four partners. The two differ in the package that
they import and in what each calls the settings that make it fastest.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

FEED = """
inbound("{name}", MLLP(port={port}), router="all")


@router("all")
def everything(message):
    return ["change"]


@handler("change")
def change(message):
    message["MSH-5"] = "LAB"
    return Send(f"OUT{{int(message['MSH-10'][-1]) % 4}}", message)
"""
NAMES = "MLLP, Send, handler, inbound, outbound, router"
OURS = 'outbound("OUT{at}", MLLP(host="127.0.0.1", port={port}), window=64)\n'
# 0.2.1 connects anew for each message, and has no window.
THEIRS = 'outbound("OUT{at}", MLLP(host="127.0.0.1", port={port}))\n'


def feed(package: str, outbound: str, name: str, port: int, partners: list[int]) -> str:
    outbounds = [outbound.format(at=at, port=each) for at, each in enumerate(partners)]
    head = f"from {package} import {NAMES}\n\n"
    return head + "".join(outbounds) + FEED.format(name=name, port=port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Served:
    """An engine of another process, as its users start it."""

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        self.port, self.log = port, folder / "log"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with self.log.open("wb") as log:
            self.program = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, env=environment
            )
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.program.poll() is not None:
                    raise SystemExit(f"{command}:\n{self.log.read_text()[-2000:]}") from None
                time.sleep(0.02)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self.program.terminate()
        self.program.wait(60)

    def processor_seconds(self) -> float:
        """Of the process and its children, up to now."""
        total = 0.0
        for pid in [self.program.pid, *children(self.program.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total


def children(pid: int) -> list[int]:
    # Not every kernel lists them below the parent.
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def ours(folder: Path, data: Path, name: str, partners: list[int]) -> Served:
    """The engine of this checkout, with a million messages before if they are in DATA."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    port = free_port()
    text = feed("fastmllp_engine", OURS, name, port, partners)
    (folder / "feed.py").write_text(text)
    command = Path(sys.executable).with_name("fastmllp-engine")
    return Served([str(command), "serve", str(folder), "--data", str(data)], port, folder)


def theirs(folder: Path, python: Path, partners: list[int]) -> Served:
    """MessageFoundry with its own defaults for everything else."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "config").mkdir(parents=True)
    port = free_port()
    text = feed("messagefoundry", THEIRS, "IB", port, partners)
    (folder / "config" / "feed.py").write_text(text)
    words = f"serve --config config --env dev --port {free_port()} --log-level ERROR --db store.db"
    command = [str(python.with_name("messagefoundry")), *words.split()]
    return Served(command, port, folder)


class Partners:
    """Four partners that take everything, in a process of their own."""

    def __init__(self, program: Path) -> None:
        self.program = subprocess.Popen(
            [str(program), "partners"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ports = [int(it) for it in re.findall(r"\d+", self.program.stdout.readline())]

    def __enter__(self) -> "Partners":
        return self

    def __exit__(self, *_: object) -> None:
        self.program.communicate()

    def delivered(self) -> int:
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())["delivered"]

    def wait(self, count: int, within: float) -> int:
        """How many have come once it is this many, or after this many seconds."""
        end = time.monotonic() + within
        while (delivered := self.delivered()) < count and time.monotonic() < end:
            time.sleep(0.002)
        return delivered


def many(folder: Path, connections: int, golden_tests: int) -> list[str]:
    """A configuration of half as many inbounds as connections, each to one outbound.

    Returns the program and the folder, for a command line.
    """
    lines = [f"from fastmllp_engine import {NAMES}", ""]
    for at in range(connections // 2):
        lines += [
            f'inbound("IN{at}", MLLP(port={20_000 + at}), router="to_{at}")',
            f'outbound("OUT{at}", MLLP(host="127.0.0.1", port=1))',
            f'@router("to_{at}")',
            f'def route_{at}(message): return ["send_{at}"]',
            f'@handler("send_{at}")',
            f'def send_{at}(message): return Send("OUT{at}", message)',
        ]
    folder.mkdir()
    (folder / "feeds.py").write_text("\n".join(lines) + "\n")
    head = r"MSH|^~\&|BENCH|FASTMLLP|HIS|H|20260101||ADT^A08|%06d|T|2.5"
    for number in range(golden_tests):
        at = number % (connections // 2)
        test = folder / "tests" / f"IN{at}" / f"t{number}.hl7"
        expected = test.with_suffix(".expected") / f"OUT{at}.hl7"
        expected.parent.mkdir(parents=True)
        for each in (test, expected):
            each.write_text(head % number + "\rPID|1||4711\r")
    return [str(Path(sys.executable).with_name("fastmllp-engine")), str(folder)]


def seconds_to_ready(command: str, folder: str) -> tuple[float, float]:
    """Until `serve` listens everywhere, and until it says `ready`."""
    began = time.monotonic()
    program = subprocess.Popen(
        [command, "serve", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    listening = ready = 0.0
    for line in program.stdout:
        took = time.monotonic() - began
        listening = took if line.startswith("listening ") else listening
        if line == "ready\n":
            ready = took
            break
    program.terminate()
    program.wait(60)
    return listening, ready
