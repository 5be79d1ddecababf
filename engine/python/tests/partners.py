"""A partner that takes messages over MLLP, and a sender."""

import contextlib
import socket
import threading
from collections.abc import Iterable

START, END = b"\x0b", b"\x1c\r"


def message(control_id: str, *, patient: str = "1001", kind: str = "ADT^A08") -> bytes:
    """A message with PHI that no output may hold: the family name SECRETNAME."""
    return (
        f"MSH|^~\\&|HIS|KH|LAB|KH|20261130120000||{kind}|{control_id}|P|2.5\r"
        f"PID|1||{patient}||SECRETNAME^JANE\rPV1|1|I|W1\r"
    ).encode()


def frame(payload: bytes) -> bytes:
    """A message as it is sent."""
    return START + payload + END


def read_frame(connection: socket.socket, rest: bytearray) -> bytes | None:
    """The next frame of a connection; None: it has ended."""
    seen = 0
    while (end := rest.find(END, max(0, seen - 1))) < 0:
        # What was looked at already need not be looked at again: a message may be long.
        seen = len(rest)
        received = connection.recv(1 << 20)
        if not received:
            return None
        rest += received
    payload = bytes(rest[:end])
    del rest[: end + len(END)]
    return payload.removeprefix(START)


class Partner:
    """Listens, keeps what it gets, and answers with a code; None: it does not answer."""

    def __init__(self, port: int = 0) -> None:
        self.code: str | None = "AA"
        self.closes_its_half = False
        """Whether it says, in place of an answer, that nothing more comes."""
        self.text = ""
        self.received: list[bytes] = []
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_for(self, count: int, seconds: float = 20.0) -> list[bytes]:
        """What it has got, once it is so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, seconds)
            return list(self.received)

    def code_of(self, control_id: bytes) -> str | None:
        """What it answers to a message."""
        return self.code

    def close(self) -> None:
        """End it and its connections."""
        # A close alone leaves it listening while a thread waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        rest = bytearray()
        with contextlib.suppress(OSError):
            while (payload := read_frame(connection, rest)) is not None:
                control_id = payload.split(b"|")[9]
                code = self.code_of(control_id)
                if code is not None:
                    answer = b"MSH|^~\\&|LAB||HIS||20261130120001||ACK|L1|P|2.5\rMSA|%b|%b|%b\r"
                    filled = answer % (code.encode(), control_id, self.text.encode())
                    connection.sendall(frame(filled))
                elif self.closes_its_half:
                    connection.shutdown(socket.SHUT_WR)
                with self._changed:
                    self.received.append(payload)
                    self._changed.notify_all()


def send(port: int, payloads: Iterable[bytes]) -> list[bytes]:
    """Send messages one after the other, and return the code of each answer."""
    codes = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        rest = bytearray()
        for payload in payloads:
            connection.sendall(frame(payload))
            answer = read_frame(connection, rest)
            assert answer is not None
            codes.append(answer.split(b"MSA|")[1][:2])
    return codes
