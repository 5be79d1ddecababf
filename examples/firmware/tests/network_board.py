"""The emulated board with the network gateway on it, as a tester sees it."""

import os
import queue
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IMAGES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "firmware"

# Long enough for a machine with much else to do; a test that waits in vain ends with it.
PATIENCE = 60.0

START, END = b"\x0b", b"\x1c\r"


def frame(payload: bytes) -> bytes:
    return START + payload + END


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def image(name: str) -> Path:
    """An image; the test that asks for one that is not there is skipped."""
    path = IMAGES / f"{name}.elf"
    missing = [] if path.exists() else [f"{path.name}, which `make firmware` builds"]
    missing += [tool for tool in ("qemu-system-arm", "arm-none-eabi-nm") if not shutil.which(tool)]
    if missing:
        assert os.environ.get("CI") != "true", f"no {missing[0]}"
        pytest.skip(f"no {missing[0]}")
    return path


class Gateway:
    """The gateway with TCP, behind a port of this machine, and its log.

    Args:
        settings: Words for the firmware, such as ``policy="conformant"``.
    """

    def __init__(self, **settings: str | int) -> None:
        self.port = free_port()
        network = f"user,model=lan9118,hostfwd=tcp:127.0.0.1:{self.port}-:2575"
        words = ["network", *(f"{name}={value}" for name, value in settings.items())]
        arguments = ",".join(["enable=on", "target=native", *(f"arg={word}" for word in words)])
        # The second serial line of the board is the log.
        self._process = subprocess.Popen(
            ["qemu-system-arm", "-M", "mps2-an385", "-display", "none", "-monitor", "none"]
            + ["-kernel", str(image("network")), "-semihosting-config", arguments]
            + ["-nic", network, "-serial", "null", "-serial", "stdio"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.log: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("ready")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def wait_for(self, text: str) -> str:
        """The next line of the log that holds a text."""
        deadline = time.monotonic() + PATIENCE
        while True:
            left = deadline - time.monotonic()
            try:
                line = self._lines.get(timeout=max(left, 0))
            except queue.Empty:
                raise AssertionError(f"{text!r} is not in the log: {self.log[-9:]}") from None
            self.log.append(line)
            assert line not in ("fault", "panic"), self.log[-9:]
            if text in line:
                return line

    def drain(self) -> None:
        """Takes what is in the log by now."""
        while not self._lines.empty():
            self.log.append(self._lines.get())

    def stack(self) -> tuple[int, int]:
        """The deepest use of the stack in bytes: of a call into the library, and of everything."""
        self.drain()
        uses = re.findall(r"stack: (\d+) of (\d+)", "\n".join(self.log))
        assert uses, "nothing was measured"
        return max(int(call) for call, _ in uses), max(int(everything) for _, everything in uses)

    def connect(self) -> "Peer":
        return Peer(self.port)

    def wait_until_free(self) -> None:
        """Until every connection that the gateway has noticed has left its socket."""
        self.drain()
        while self.log.count("open") > self.log.count("free"):
            self.wait_for("")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Peer:
    """Whoever sends messages and reads answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> str:
        """The next answer as ``AA M1``, whatever its separators; nothing at the end of all."""
        while END not in self._unread:
            received = self.socket.recv(4096)
            if not received:
                assert not self._unread, self._unread
                self.close()
                return ""
            self._unread += received
        answer, self._unread = self._unread.split(END, 1)
        assert answer.startswith(START), answer
        segments = answer[1:].split(b"\r")
        msa = next(segment for segment in segments if segment.startswith(b"MSA"))
        code, control_id = msa.split(msa[3:4])[1:3]
        return f"{code.decode()} {control_id.decode('latin-1')}"

    def answers_until(self, last: str) -> list[str]:
        """All answers up to one that ends with this control ID."""
        answers = [self.answer()]
        while answers[-1] and not answers[-1].endswith(f" {last}"):
            answers.append(self.answer())
        return answers

    def close(self) -> None:
        self.socket.close()
