"""Stopping: what was received is answered, nothing hangs, and it may be asked for anywhere."""

import os
import signal
import socket
import threading

import pytest
from conftest import Records, Serve
from fastmllp import Message
from fastmllp.server import Server
from peers import DEADLINE, Peer, framed, message, msa


def answers(data: bytes) -> list[tuple[str, str]]:
    frames = data.split(b"\x1c\r")
    assert frames.pop() == b"", "an answer was cut"
    return [msa(frame[1:]) for frame in frames]


def started(server: Server) -> threading.Thread:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    return thread


def test_message_in_the_handler_is_answered(serve_both: Serve) -> None:
    entered, proceed = threading.Event(), threading.Event()

    def handler(message: Message) -> None:
        entered.set()
        assert proceed.wait(DEADLINE)

    server = serve_both(handler)
    with Peer.connect(server.address) as peer:
        # More than one read can hold, so that some of it waits in the kernel.
        peer.send(framed(message("A")) + framed(message("B")) + framed(message("CUT"))[:20])
        assert entered.wait(DEADLINE)
        stopping = threading.Thread(target=server.shutdown)
        stopping.start()
        stopping.join(0.1)
        assert stopping.is_alive(), "shutdown did not wait for the handler"
        proceed.set()
        assert answers(peer.receive_end()) == [("AA", "A"), ("AA", "B")]
        stopping.join(DEADLINE)
        assert not stopping.is_alive()


def test_everything_received_is_answered(serve_both: Serve) -> None:
    server = serve_both()
    peers = [Peer.connect(server.address) for _ in range(20)]
    control_ids = [f"{number:06}" for number in range(1000)]
    data = b"".join(framed(message(control_id)) for control_id in control_ids)
    for peer in peers:
        peer.exchange("FIRST")
    for peer in peers:
        peer.send(data)
    server.shutdown()
    for peer in peers:
        assert answers(peer.receive_end()) == [("AA", control_id) for control_id in control_ids]
        peer.socket.close()


def test_connection_in_the_backlog_is_served(serve_both: Serve) -> None:
    server = Server(host="127.0.0.1", port=0)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        server.shutdown()
        assert answers(peer.receive_end()) == [("AA", "A")]


def test_nothing_new_is_accepted(serve_both: Serve) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        server.shutdown()
        assert peer.receive_end() == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=DEADLINE)


def test_idle_peers_that_stay_do_not_hold_the_stop(serve_both: Serve) -> None:
    server = serve_both(timeout=0)
    peers = [Peer.connect(server.address) for _ in range(10)]
    for peer in peers:
        peer.exchange("A")
    server.shutdown()
    for peer in peers:
        assert peer.receive_end() == b""
        peer.socket.close()


def long_answer(message: Message) -> bytes | None:
    """An acknowledgment of a megabyte for some: a dozen are more than all buffers can hold."""
    if message.get("PID-5") != b"DEAF":
        return None
    return b"MSH|^~\\&|\rMSA|AA|A\rZZZ|".ljust(1_000_000, b"x")


def test_peer_that_never_reads_does_not_hold_the_stop(serve_both: Serve, records: Records) -> None:
    """Its acknowledgments fill both kernels' buffers, and the server's thread waits for room."""
    server = serve_both(long_answer, timeout=0)
    with Peer.connect(server.address) as deaf, Peer.connect(server.address) as other:
        deaf.send(framed(message("A", "DEAF")) * 50)
        records.wait_for("message_received")
        other.exchange("UNDISTURBED")
        server.shutdown()
        records.wait_for("send_timeout")
        assert other.receive_end() == b""


def test_peer_that_reads_late_gets_everything(serve_both: Serve, records: Records) -> None:
    """The stop finds the server waiting for room to write, and must not be forgotten there."""
    server = serve_both(long_answer, timeout=0)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A", "DEAF")) * 15)
        records.wait_for("message_received")
        stopping = threading.Thread(target=server.shutdown)
        stopping.start()
        stopping.join(0.1)
        assert peer.receive_end().count(b"\x1c\r") == 15
    stopping.join(DEADLINE)
    assert not stopping.is_alive()


def test_peer_that_never_reads_is_given_up(serve_both: Serve, records: Records) -> None:
    server = serve_both(long_answer, timeout=0.5)
    with Peer.connect(server.address) as deaf:
        deaf.send(framed(message("A", "DEAF")) * 50)
        records.wait_for("send_timeout")
        with Peer.connect(server.address) as other:
            other.exchange("UNDISTURBED")


def test_peer_that_never_stops_sending_does_not_hold_the_stop(serve_both: Serve) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:

        def flood() -> None:
            data = framed(message("A")) * 100
            try:
                while True:
                    peer.socket.sendall(data)
            except OSError:
                pass

        def swallow() -> None:
            try:
                while peer.socket.recv(65536):
                    pass
            except OSError:
                pass

        threads = [threading.Thread(target=work) for work in (flood, swallow)]
        for thread in threads:
            thread.start()
        with Peer.connect(server.address) as other:
            other.exchange("A")
        server.shutdown()
        for thread in threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()


def test_stop_is_idempotent_and_may_come_from_many_threads(serve_both: Serve) -> None:
    server = serve_both()
    threads = [threading.Thread(target=server.shutdown) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    server.shutdown()


def test_stop_before_serving() -> None:
    server = Server(host="127.0.0.1", port=0)
    server.shutdown()
    server.serve_forever()


class OvertakenLock:
    """The lock of a server that is shut down just before serving takes it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True) -> bool:
        stopping = threading.Thread(target=self._server.shutdown)
        stopping.start()
        stopping.join(DEADLINE)
        assert not stopping.is_alive()
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


def test_stop_that_overtakes_serving() -> None:
    server = Server(host="127.0.0.1", port=0)
    server._serving = OvertakenLock(server)  # type: ignore[assignment]
    server.serve_forever()


def test_stop_out_of_a_handler() -> None:
    holder: list[Server] = []

    def handler(message: Message) -> None:
        holder[0].shutdown()

    holder.append(Server(handler, "127.0.0.1", 0))
    thread = started(holder[0])
    with Peer.connect(holder[0].address) as peer:
        peer.send(framed(message("LAST")))
        assert answers(peer.receive_end()) == [("AA", "LAST")]
    thread.join(DEADLINE)
    assert not thread.is_alive()


def test_stop_in_a_signal_handler_of_the_serving_thread() -> None:
    server = Server(host="127.0.0.1", port=0)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: server.shutdown())
    result: list[bytes] = []

    def peer_thread() -> None:
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
            peer.send(framed(message("B")))
            os.kill(os.getpid(), signal.SIGUSR1)
            result.append(peer.receive_end())

    thread = threading.Thread(target=peer_thread)
    thread.start()
    try:
        server.serve_forever()
    finally:
        signal.signal(signal.SIGUSR1, before)
    thread.join(DEADLINE)
    assert answers(result[0]) == [("AA", "B")]


def test_signal_handler_interrupts_a_stop_of_the_same_thread() -> None:
    """Two signals before serving began: the second finds the first waiting for a handler."""
    entered, proceed = threading.Event(), threading.Event()

    def handler(message: Message) -> None:
        entered.set()
        assert proceed.wait(DEADLINE)

    server = Server(handler, "127.0.0.1", 0)
    nested: list[str] = []

    def stop(number: int, frame: object) -> None:
        server.shutdown()
        nested.append("returned")
        proceed.set()

    before = signal.signal(signal.SIGUSR1, stop)

    def interrupt() -> None:
        assert entered.wait(DEADLINE)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with Peer.connect(server.address) as peer:
            peer.send(framed(message("A")))
            peer.half_close()
            server.shutdown()
            assert nested == ["returned"]
            assert answers(peer.receive_end()) == [("AA", "A")]
    finally:
        signal.signal(signal.SIGUSR1, before)
        thread.join(DEADLINE)


def test_keyboard_interrupt_ends_in_the_same_way() -> None:
    server = Server(host="127.0.0.1", port=0)
    result: list[bytes] = []

    def peer_thread() -> None:
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
            peer.send(framed(message("B")))
            os.kill(os.getpid(), signal.SIGINT)
            result.append(peer.receive_end())

    thread = threading.Thread(target=peer_thread)
    thread.start()
    with pytest.raises(KeyboardInterrupt), server:
        server.serve_forever()
    thread.join(DEADLINE)
    assert answers(result[0]) == [("AA", "B")]


def test_only_one_thread_serves(serve: Serve) -> None:
    server = serve()
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        with pytest.raises(RuntimeError, match="already"):
            server.serve_forever()
        peer.exchange("B")


def test_threads_and_descriptors_are_given_back(serve_both: Serve) -> None:
    threads = set(threading.enumerate())
    descriptors = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    server = Server(host="127.0.0.1", port=0)
    thread = started(server)
    for _ in range(20):
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
    server.shutdown()
    thread.join(DEADLINE)
    assert set(threading.enumerate()) == threads
    if descriptors:
        assert set(os.listdir("/proc/self/fd")) == descriptors
