"""A thread for each connection, blocking reads, the same answer to every frame."""

import socket
import threading

from fixed_answer import ANSWER, ends
from listening import BACKLOG, announce


def converse(accepted: socket.socket) -> None:
    last = 0
    with accepted:
        try:
            while data := accepted.recv(65_536):
                count = ends(data, last)
                last = data[-1]
                if count:
                    accepted.sendall(ANSWER * count)
        except OSError:
            return  # The peer has left.


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    announce(listener.getsockname()[1])
    while True:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=converse, args=(accepted,), daemon=True).start()
