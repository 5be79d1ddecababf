"""The engine's end of the socket to a worker process, as far as the tests need it."""

import os
import socket
import struct
import subprocess
import sys
from typing import Any, Self

ROUTER, HANDLER = 0, 1
# So many bytes of a message come with its call.
BEGINNING = 64 << 10


class Dead(Exception):
    """The worker has closed its end."""


class WorkerProcess:
    """A worker that a test is the engine of."""

    def __init__(self, *command: str, errors: int = subprocess.DEVNULL) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._socket.settimeout(30)
        # Read in large pieces: a writer that is woken for each small one costs more than its work.
        self._reader = ours.makefile("rb", 1 << 20)
        self._mark = os.memfd_create("mark")
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=theirs.fileno(),
            stdout=self._mark,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        theirs.close()
        self._batch = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.process.kill()
        self.process.wait(30)
        os.close(self._mark)

    def said(self) -> Any:
        """What the worker says next: the name of the frame and what is in it."""
        body = self._exactly(struct.unpack("<I", self._exactly(4))[0])
        kind, fields = body[0], _Fields(body[1:])
        match kind:
            case 1:
                return "hello", fields.number("<H"), fields.texts(), fields.texts()
            case 2:
                return "refusal", fields.text()
            case 3:
                return ("alive",)
            case 4:
                return "rest", fields.number("<I")
            case 5:
                return "handlers", fields.number("<I"), fields.texts()
            case 6:
                index, count = fields.number("<I"), fields.number("<I")
                return "sends", index, [fields.send() for _ in range(count)]
            case 7:
                index, ours = fields.number("<I"), bool(fields.number("<B"))
                return "failed", index, ours, fields.text(), fields.text()
        raise AssertionError(f"frame {kind}")

    def call(
        self,
        kind: int,
        function: str,
        *payloads: bytes,
        inbound: str = "IB",
        number: int = 1,
    ) -> None:
        """Have a function run on messages."""
        self._batch += 1
        head = struct.pack("<QBI", self._batch, kind, len(payloads)) + _run(function.encode())
        frames = _frame(1, head)
        for index, payload in enumerate(payloads):
            message = struct.pack("<QQBQ", number + index, 1_700_000_000_000, 0, len(payload))
            beginning = _run(payload[:BEGINNING])
            frames += _frame(2, message + _run(inbound.encode()) + beginning)
        self._socket.sendall(frames)

    def answer(self, kind: int, function: str, payload: bytes, **more: Any) -> Any:
        """Have a function run on one message, and take the answer."""
        self.call(kind, function, payload, **more)
        return self.said()

    def give_rest(self, payload: bytes | None, size: int = 100_000) -> None:
        """Send what is missing of a large message in pieces; None: it cannot be read now."""
        if payload is None:
            self._socket.sendall(_frame(4, b""))
            return
        for at in range(BEGINNING, len(payload), size):
            self._socket.sendall(_frame(3, payload[at : at + size]))

    def probe(self) -> None:
        """Ask whether the worker is there."""
        self._socket.sendall(_frame(5, b""))

    def end(self) -> int:
        """Tell the worker to end, and wait for its exit status."""
        self.ask_to_end()
        return self.process.wait(30)

    def ask_to_end(self) -> None:
        """Tell the worker to end."""
        self._socket.sendall(_frame(6, b""))

    def close(self) -> None:
        """Be gone, as an engine that was killed."""
        self._reader.close()
        self._socket.close()

    def _exactly(self, length: int) -> bytes:
        taken: bytes = self._reader.read(length)
        if len(taken) < length:
            raise Dead
        return taken


class _Fields:
    def __init__(self, left: bytes) -> None:
        self._left = left

    def number(self, form: str) -> int:
        size = struct.calcsize(form)
        (number,) = struct.unpack(form, self._left[:size])
        self._left = self._left[size:]
        return int(number)

    def run(self) -> bytes:
        length = self.number("<I")
        run, self._left = self._left[:length], self._left[length:]
        return run

    def text(self) -> str:
        return self.run().decode()

    def texts(self) -> list[str]:
        return [self.text() for _ in range(self.number("<I"))]

    def send(self) -> tuple[str, bytes | None]:
        to, is_changed, payload = self.text(), self.number("<B"), self.run()
        return to, payload if is_changed else None


def _run(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _frame(kind: int, content: bytes) -> bytes:
    return struct.pack("<IB", len(content) + 1, kind) + content
