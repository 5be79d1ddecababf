"""The two ends of a feed for each connector: what offers messages, and what gets them."""

import contextlib
import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from partners import Partner, frame, read_frame

REFUSED = "NEVER"
"""A control ID that every sink refuses for good, of a message with LF."""


def free_port() -> int:
    """A port of this machine that nothing has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def control_id(payload: bytes) -> str:
    """MSH-10."""
    return payload.split(b"|")[9].decode()


class Source(Protocol):
    """Offers messages to an inbound, and knows which of them it was allowed to forget."""

    declared: str
    """The settings of the inbound, as in a module."""
    keeps_order: bool

    def offer(self, payloads: Sequence[bytes]) -> None:
        """Have them taken, and offer each again until it is."""

    def let_go(self) -> set[str]:
        """The control IDs of those that were acknowledged, moved or deleted."""

    def close(self) -> None: ...


class MllpSource:
    """Sends one message after the other, each until it is answered AA."""

    keeps_order = True

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.declared = f"MLLP(port={self.port})"
        self._waiting: list[bytes] = []
        self._acknowledged: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def offer(self, payloads: Sequence[bytes]) -> None:
        with self._changed:
            self._waiting += payloads
            self._changed.notify_all()

    def let_go(self) -> set[str]:
        with self._changed:
            return set(self._acknowledged)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(20)

    def _send(self) -> None:
        while not self._closed:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
            try:
                address = ("127.0.0.1", self.port)
                with socket.create_connection(address, timeout=20) as connection:
                    self._over(connection, bytearray())
            except OSError:
                with self._changed:
                    # Not at once: an engine that is starting is not there yet.
                    self._changed.wait_for(lambda: self._closed, 0.02)

    def _over(self, connection: socket.socket, rest: bytearray) -> None:
        while self._waiting and not self._closed:
            connection.sendall(frame(self._waiting[0]))
            answer = read_frame(connection, rest)
            if answer is None or b"MSA|AA|" not in answer:
                return
            with self._changed:
                self._acknowledged.add(control_id(self._waiting.pop(0)))


class FileSource:
    """Leaves each message in a folder as a file, under another name until it is whole."""

    keeps_order = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "in"
        self._folder.mkdir()
        self.declared = (
            f"File(directory={str(self._folder)!r}, poll_seconds=0.02, min_age_seconds=0.0)"
        )
        self._offered = 0

    def offer(self, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            part = self._folder / "part"
            part.write_bytes(payload)
            part.rename(self._folder / f"{self._offered:06}.hl7")
            self._offered += 1

    def let_go(self) -> set[str]:
        files = (self._folder / ".processed").glob("*")
        return {control_id(file.read_bytes()) for file in files}

    def close(self) -> None:
        pass


class LinesSource:
    """Leaves messages as lines of a file, which the connector of the tests deletes."""

    keeps_order = True

    def __init__(self, folder: Path) -> None:
        self._file = folder / "lines"
        self.declared = f"Lines(path={str(self._file)!r}, every_seconds=0.02)"
        self._offered: list[str] = []

    def offer(self, payloads: Sequence[bytes]) -> None:
        part = self._file.with_name("part")
        part.write_bytes(b"".join(it + b"\n" for it in payloads))
        part.rename(self._file)
        self._offered += map(control_id, payloads)

    def let_go(self) -> set[str]:
        there = self._file.exists() or Path(f"{self._file}.taken").exists()
        return set() if there else set(self._offered)

    def close(self) -> None:
        pass


class Sink(Protocol):
    """Gets messages from an outbound."""

    declared: str
    """The settings of the outbound, as in a module."""
    is_idempotent: bool
    """Whether what is sent twice is there once."""
    refusal: str
    """The failure class of what it refuses."""

    def received(self) -> list[str]:
        """The control IDs of what is there, in order, also twice."""

    def payloads(self) -> list[bytes]:
        """What is there."""

    def go_away(self) -> None:
        """Be unreachable."""

    def come_back(self) -> None:
        """Be reachable again."""

    def close(self) -> None: ...


class Answering(Sink, Protocol):
    """One whose answers end deliveries."""

    def answers(self, does: bool, *, closes_its_half: bool = False) -> None:
        """Answer from now on, or take messages without an answer."""


class MllpSink:
    """A partner that answers AA, and AR to what it refuses."""

    is_idempotent = False
    refusal = "refused_for_good"

    def __init__(self, folder: Path) -> None:
        self._partner = Refusing()
        self._port = self._partner.port
        self._before: list[bytes] = []
        self.declared = (
            f'MLLP(host="127.0.0.1", port={self._port}, reconnect_seconds=0.05,'
            " max_reconnect_seconds=0.1)"
        )

    def received(self) -> list[str]:
        return [it for it in map(control_id, self.payloads()) if it != REFUSED]

    def payloads(self) -> list[bytes]:
        return self._before + self._partner.received

    def go_away(self) -> None:
        self._partner.close()

    def come_back(self) -> None:
        self._before += self._partner.received
        self._partner = Refusing(self._port)

    def answers(self, does: bool, *, closes_its_half: bool = False) -> None:
        self._partner.closes_its_half = closes_its_half
        self._partner.code = "AA" if does else None

    def close(self) -> None:
        self._partner.close()


class Refusing(Partner):
    """Refuses one control ID for good."""

    def code_of(self, control_id: bytes) -> str | None:
        return "AR" if control_id == REFUSED.encode() else self.code


class TcpSink:
    """A device that takes messages between 02 and LF, so that none with LF can be framed."""

    is_idempotent = False
    refusal = "content"

    def __init__(self, folder: Path) -> None:
        self._before: list[bytes] = []
        self._device = Device()
        self.declared = (
            f'Tcp(host="127.0.0.1", port={self._device.port}, end=0x0A, expect_reply=True)'
        )

    def received(self) -> list[str]:
        return list(map(control_id, self.payloads()))

    def payloads(self) -> list[bytes]:
        return self._before + self._device.received

    def go_away(self) -> None:
        self._device.close()

    def come_back(self) -> None:
        self._before += self._device.received
        self._device = Device(self._device.port)

    def answers(self, does: bool, *, closes_its_half: bool = False) -> None:
        self._device.closes_its_half = closes_its_half
        self._device.code = "AA" if does else None

    def close(self) -> None:
        self._device.close()


class Device(Partner):
    """Answers each message between 02 and LF with a frame of its own."""

    def _serve(self, connection: socket.socket) -> None:
        rest = bytearray()
        with contextlib.suppress(OSError):
            while received := connection.recv(1 << 20):
                seen = len(rest)
                rest += received
                while (end := rest.find(b"\n", seen)) >= 0:
                    with self._changed:
                        self.received.append(bytes(rest[1:end]))
                        self._changed.notify_all()
                    del rest[: end + 1]
                    seen = 0
                    if self.code is not None:
                        connection.sendall(b"\x02thanks\n")
                    elif self.closes_its_half:
                        connection.shutdown(socket.SHUT_WR)


class FileSink:
    """A folder in which one name is taken."""

    is_idempotent = True
    refusal = "refused_for_good"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "out"
        self._away = folder / "away"
        self._folder.mkdir()
        (self._folder / f"{REFUSED}.hl7").write_bytes(b"somebody else's")
        self.declared = f"File(directory={str(self._folder)!r})"

    def received(self) -> list[str]:
        return [control_id(it) for it in self.payloads()]

    def payloads(self) -> list[bytes]:
        files = [it for it in self._folder.glob("*.hl7") if it.stem != REFUSED]
        files.sort(key=lambda it: it.stat().st_mtime_ns)
        return [file.read_bytes() for file in files]

    def go_away(self) -> None:
        self._folder.rename(self._away)

    def come_back(self) -> None:
        self._away.rename(self._folder)

    def close(self) -> None:
        assert not [it for it in os.listdir(self._folder) if it.startswith(".")]


class LinesSink:
    """A file to which the connector of the tests appends."""

    is_idempotent = False
    refusal = "refused_for_good"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "out"
        self._away = folder / "away"
        self._folder.mkdir()
        self._file = self._folder / "lines"
        self.declared = f"Lines(path={str(self._file)!r})"

    def received(self) -> list[str]:
        return [control_id(it) for it in self.payloads()]

    def payloads(self) -> list[bytes]:
        lines = self._file.read_bytes().split(b"\n") if self._file.exists() else []
        return [line for line in lines if line]

    def go_away(self) -> None:
        self._folder.rename(self._away)

    def come_back(self) -> None:
        self._away.rename(self._folder)

    def close(self) -> None:
        pass
