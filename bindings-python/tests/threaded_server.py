"""A server with a thread for each connection, for clients that have several."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable

from peers import DEADLINE, Peer, acknowledgment, framed

Address = tuple[str, int]


class ThreadedServer:
    """A server with a thread for each connection, which runs a function."""

    def __init__(self, script: Callable[["ThreadedServer", Peer], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: Address = self._listener.getsockname()
        self.received: Counter[bytes] = Counter()
        self.open = 0
        self.most_open = 0
        self.accepted = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> "ThreadedServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        self._listener.close()

    def receive(self, peer: Peer) -> str:
        """The control ID of the next message."""
        payload = peer.receive_frame()
        with self._lock:
            self.received[payload] += 1
        return payload.split(b"|")[9].decode()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer = Peer(self._listener.accept()[0])
                with self._lock:
                    self.accepted += 1
                    self.open += 1
                    self.most_open = max(self.open, self.most_open)
                self._threads.append(threading.Thread(target=self._run, args=(peer,)))
                self._threads[-1].start()

    def _run(self, peer: Peer) -> None:
        with peer, contextlib.suppress(OSError, AssertionError):
            self._script(self, peer)
        with self._lock:
            self.open -= 1


def faithful(server: ThreadedServer, peer: Peer) -> None:
    """Answers until the client leaves."""
    while True:
        peer.send(framed(acknowledgment(server.receive(peer))))
