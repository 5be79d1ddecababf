"""A process that serves, and the configuration that it gets."""

import os
import signal
import subprocess
import sys
import threading

ADT = """
from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

inbound("IB_ADT", MLLP(port=0), router="adt")
outbound("OB_LAB", MLLP(host="127.0.0.1", port={port}))


@router("adt")
def route(msg):
    return ["to_lab"] if msg["MSH-9.1"] == "ADT" else []


@handler("to_lab")
def to_lab(msg):
    msg["PV1-3.1"] = "W2"
    return Send("OB_LAB", msg)
"""


class Server:
    """A process that serves."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fastmllp_engine", "serve", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            errors="backslashreplace",
            env={**os.environ, **variables},
        )  # fmt: skip
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read_errors)
        self._reader.start()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(self._process.stderr)

    def lines(self) -> list[str]:
        """What it prints until it is ready, or ends."""
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == "ready":
                break
        return lines

    def port(self) -> int:
        """Of its only inbound, once it is ready."""
        (listening,) = (it for it in self.lines() if it.startswith("listening "))
        return int(listening.rpartition(":")[2])

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit status, after a signal."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit status."""
        status = self._process.wait(30)
        self._reader.join(30)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return status
