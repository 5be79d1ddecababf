"""The emulated board with the serial gateway on it, as a tester sees it: two serial lines."""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

START, END = b"\x0b", b"\x1c\r"

PIECE = 4096
"""Bytes that are sent at a time: as many as QEMU has room for."""

WAITING = 64 * 1024
"""How many may wait in QEMU's socket, so that the kernel never drops one."""


def frame(payload: bytes) -> bytes:
    return START + payload + END


class Board:
    """QEMU with one image.

    The line for messages is a UDP socket behind a multiplexer (``mux=on``), because QEMU's emulated
    UART takes a single byte from a stream for each turn of its event loop, 14 microseconds of a
    processor; from this it takes 32 bytes, and 5 MB do not need a minute. The multiplexer's escape
    character is DEL. UDP on one machine loses nothing as long as the receiver has room, for which
    `send` waits. What comes back would be a packet for each byte; it is read from the line's log.
    """

    def __init__(self, image: Path) -> None:
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self._answers, log = os.pipe()
        # Free a moment ago: QEMU must be told a number.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        line = f"udp,id=line,mux=on,host=127.0.0.1,port={self._line.getsockname()[1]}"
        command = ["qemu-system-arm", "-M", "mps2-an385", "-kernel", str(image), "-semihosting"]
        command += ["-nodefaults", "-nic", "none", "-display", "none", "-echr", "0x7f"]
        line += f",localaddr=127.0.0.1,localport={self._port},logfile=/dev/fd/{log}"
        command += ["-chardev", line]
        command += ["-serial", "chardev:line", "-serial", "stdio"]
        self._qemu = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[log],
        )
        os.close(log)
        # A batch job does not interrupt the thread that wakes it for every byte.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(self._qemu.pid, os.SCHED_BATCH, os.sched_param(0))
        self._received = b""
        assert self.report() == "ready"

    def send(self, wire: bytes) -> None:
        for at in range(0, len(wire), PIECE):
            while self._waiting() > WAITING:
                time.sleep(0.001)
            self._line.sendto(wire[at : at + PIECE], ("127.0.0.1", self._port))

    def _waiting(self) -> int:
        """Bytes in QEMU's socket: ``tx_queue:rx_queue`` of ``local_address`` in /proc/net/udp."""
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{self._port:04X}"):
                return int(fields[4].partition(":")[2], 16)
        return 0

    def receive(self) -> bytes:
        """The payload of the next frame from the board."""
        while END not in self._received:
            arrived = os.read(self._answers, 4096)
            assert arrived, "the board is gone"
            self._received += arrived
        answer, _, self._received = self._received.partition(END)
        assert answer.startswith(START)
        return answer[1:]

    def report(self) -> str:
        """The next line that the board reports."""
        assert self._qemu.stdout is not None
        return self._qemu.stdout.readline().decode().strip()

    def report_until(self, line: str) -> None:
        while self.report() != line:
            pass

    def stack_used(self) -> int:
        assert self._qemu.stdin is not None
        self._qemu.stdin.write(b"?")
        self._qemu.stdin.flush()
        while True:
            what, _, number = self.report().partition(": ")
            if what == "stack":
                return int(number)

    def stop(self) -> None:
        self._qemu.kill()
        self._qemu.communicate()
        self._line.close()
        os.close(self._answers)
