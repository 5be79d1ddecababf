"""Too few connections, descriptors or threads, and defects of our own: the listener goes on."""

import contextlib
import errno
import logging
import socket
import threading

import pytest
from conftest import Records, Serve, Undisturbed
from fastmllp._native import Responder, Ticket
from fastmllp.server import Server
from fastmllp.serving.handler import Answerer
from peers import Peer, framed, message, no_descriptors_after


def test_connection_limit(serve: Serve, records: Records) -> None:
    server = serve(max_connections=2)
    with Peer.connect(server.address) as first, Peer.connect(server.address) as second:
        first.exchange("A")
        second.exchange("A")
        with Peer.connect(server.address) as third:
            assert third.receive_end() == b""
        refused = records.wait_for("too_many_connections")
        assert refused.levelno == logging.WARNING
        assert refused.connection == 3  # type: ignore[attr-defined]
        first.exchange("B")
    records.wait_for("disconnect")
    records.wait_for("disconnect")
    while True:  # The thread of a closed connection may take a moment to be gone.
        with Peer.connect(server.address) as peer:
            try:
                peer.exchange("C")
                break
            except (AssertionError, ConnectionError):
                continue


class ShortListener:
    """A listener whose accept fails until the shortage is over."""

    def __init__(self, listener: socket.socket, number: int) -> None:
        self._listener = listener
        self._number = number
        self.over = threading.Event()
        self.calls = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.calls += 1
        if not self.over.is_set():
            raise OSError(self._number, "shortage")
        return self._listener.accept()

    def __getattr__(self, name: str) -> object:
        return getattr(self._listener, name)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ECONNABORTED])
def test_accept_fails(records: Records, number: int) -> None:
    server = Server(host="127.0.0.1", port=0)
    listener = ShortListener(server._listener, number)
    server._listener = listener  # type: ignore[assignment]
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with Peer.connect(server.address) as peer:
            records.wait_for("accept_failed" if number == errno.ECONNABORTED else "accept_paused")
            # The waiting connection keeps the listener readable; that must not make it spin.
            assert not listener.over.wait(0.5)
            assert listener.calls < 50
            listener.over.set()
            peer.exchange("A")
        assert sum(r.event == "accept_paused" for r in records.all()) <= 1  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_real_shortage_of_descriptors(serve: Serve, records: Records) -> None:
    server = serve()
    with Peer.connect(server.address) as first:
        first.exchange("A")
        with socket.socket() as waiting:
            waiting.settimeout(10)
            with no_descriptors_after(waiting):
                waiting.connect(server.address)
                records.wait_for("accept_paused")
                first.exchange("B")
            Peer(waiting).exchange("C")


def test_thread_cannot_be_started(
    serve: Serve, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    with Peer.connect(server.address) as first:
        first.exchange("A")

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with Peer.connect(server.address) as unlucky:
                assert unlucky.receive_end() == b""
            records.wait_for("thread_failed")
        first.exchange("B")
        with Peer.connect(server.address) as later:
            later.exchange("C")


@pytest.mark.parametrize("failure", [TypeError, ValueError, KeyError])
def test_connection_cannot_be_set_up(
    serve: Serve,
    undisturbed: Undisturbed,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
) -> None:
    """Whatever the reason, it ends that connection and not the listener."""
    server = serve()

    def refuse(*arguments: object) -> None:
        raise failure("MARK4711")

    with undisturbed(server):
        with monkeypatch.context() as patch:
            patch.setattr("fastmllp.server.server.Connection", refuse)
            with Peer.connect(server.address) as unlucky:
                assert unlucky.receive_end() == b""
            text = records.wait_for("thread_failed").getMessage()
    assert failure.__name__ in text and "MARK4711" not in text


@pytest.fixture
def uncaught(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseException]]:
    """What reaches the hook that prints exceptions of threads, with their texts."""
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    return seen


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_defect_of_the_server_ends_one_connection(
    serve: Serve,
    undisturbed: Undisturbed,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
    uncaught: list[type[BaseException]],
    failure: type[BaseException],
) -> None:
    conclude = Answerer.conclude

    def fail(
        self: Answerer,
        link: Responder,
        ticket: Ticket,
        payload: bytes,
        result: object,
        connection: int,
    ) -> str:
        if connection == 2:
            raise failure(payload)
        return conclude(self, link, ticket, payload, result, connection)

    monkeypatch.setattr(Answerer, "conclude", fail)
    server = serve()
    with undisturbed(server), Peer.connect(server.address) as unlucky:
        # Much of it stays unread: without a graceful close that is a reset.
        unlucky.send(framed(message("A", "MARK4711")) + b"x" * 200_000)
        assert unlucky.receive_end() == b""
        text = records.wait_for("connection_failed").getMessage()
    server.shutdown()
    assert failure.__name__ in text and "MARK4711" not in text
    assert not uncaught


def test_log_handler_that_raises_reaches_no_hook(
    serve: Serve,
    undisturbed: Undisturbed,
    records: Records,
    uncaught: list[type[BaseException]],
) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        if getattr(record, "connection", None) == 2:
            raise KeyboardInterrupt(record)
        return True

    logger = logging.getLogger("fastmllp")
    server = serve()
    logger.addFilter(refuse)
    try:
        with undisturbed(server), Peer.connect(server.address) as unlucky:
            unlucky.send(framed(message("A")))
            with contextlib.suppress(ConnectionResetError):
                assert unlucky.receive_end() == b""
        server.shutdown()
    finally:
        logger.removeFilter(refuse)
    assert not uncaught
