"""A stop ends, whatever hangs: a handler, a peer, or whoever was to store a message."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import AsyncServed, LinkServed, Program, Records
from fastmllp import Message
from fastmllp.aio.connections import Connections
from fastmllp.link import register
from fastmllp.server import Server
from peers import DEADLINE, Peer, framed, message


class Hanging:
    """A handler that does not return until the test is over."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, message: Message) -> None:
        self.entered.set()
        self.released.wait()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    handler = Hanging()
    yield handler
    handler.released.set()


def test_handler_that_hangs(hanging: Hanging, records: Records) -> None:
    server = Server(hanging, "127.0.0.1", 0, stop_timeout=0.2, name="adt-in")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Peer.connect(server.address) as peer, Peer.connect(server.address) as idle:
        peer.send(framed(message("A")))
        assert hanging.entered.wait(DEADLINE)
        server.shutdown()
        thread.join(DEADLINE)
        assert not thread.is_alive()
        # Never acknowledged: the sender knows that it has to send the message again.
        assert peer.receive_end() == b""
        assert idle.receive_end() == b""
    text = records.wait_for("stop_timeout").getMessage()
    assert "name=adt-in" in text and "handlers=1" in text


def test_handler_that_goes_on_after_the_stop(hanging: Hanging, records: Records) -> None:
    """Its answer is lost, and nothing else happens."""
    server = Server(hanging, "127.0.0.1", 0, stop_timeout=0.2)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert hanging.entered.wait(DEADLINE)
        server.shutdown()
        thread.join(DEADLINE)
        hanging.released.set()
        records.wait_for("disconnect")
        assert peer.receive_end() == b""
    assert "connection_failed" not in [it.__dict__["event"] for it in records.all()]


def test_no_limit(hanging: Hanging) -> None:
    server = Server(hanging, "127.0.0.1", 0, stop_timeout=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert hanging.entered.wait(DEADLINE)
        stopping = threading.Thread(target=server.shutdown)
        stopping.start()
        stopping.join(0.3)
        assert stopping.is_alive(), "the stop did not wait for the handler"
        hanging.released.set()
        stopping.join(DEADLINE)
        assert peer.receive_msa() == ("AA", "A")
    thread.join(DEADLINE)


def test_second_signal_hastens(hanging: Hanging, records: Records) -> None:
    server = Server(hanging, "127.0.0.1", 0, stop_timeout=0)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: server.shutdown())

    def interrupt() -> None:
        assert hanging.entered.wait(DEADLINE)
        os.kill(os.getpid(), signal.SIGUSR1)
        # The first has been heard when nothing listens any more.
        while True:
            try:
                socket.create_connection(server.address, timeout=DEADLINE).close()
            except OSError:
                break
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with Peer.connect(server.address) as peer:
            peer.send(framed(message("A")))
            server.serve_forever()
            assert peer.receive_end() == b""
    finally:
        signal.signal(signal.SIGUSR1, before)
        thread.join(DEADLINE)
    records.wait_for("stop_timeout")


async def catch(message: Message) -> None:
    """A coroutine that does not let itself be cancelled."""
    entered.set()
    while not released.is_set():
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            continue


entered, released = threading.Event(), threading.Event()


@pytest.mark.parametrize("kind", [AsyncServed, LinkServed])
def test_coroutine_that_hangs(kind: type[AsyncServed], records: Records) -> None:
    entered.clear()
    released.clear()
    served = kind(catch, stop_timeout=0.2)
    served.start()
    with Peer.connect(served.address) as peer:
        peer.send(framed(message("A")))
        assert entered.wait(DEADLINE)
        served._loop.call_soon_threadsafe(served.server.close)
        records.wait_for("stop_timeout")
        assert peer.receive_end() == b""
    released.set()
    served.join()


def test_protocol_that_does_not_end(records: Records) -> None:
    class Stubborn(asyncio.Protocol):
        def __init__(self, handler: object, **_: object) -> None:
            pass

        def new_connection(self, connections: Connections) -> "Stubborn":
            self._connections = connections
            return self

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = transport
            assert self._connections.takes(self, self._connections.next_number(), "peer")
            made.set()

        def stop(self) -> None:
            pass

        def abort(self) -> None:
            self._transport.close()

    made = threading.Event()
    register("stubborn", Stubborn)
    served = LinkServed(None, protocol="stubborn", stop_timeout=0.2)
    served.start()
    with Peer.connect(served.address) as peer:
        assert made.wait(DEADLINE)
        served.shutdown()
        assert peer.receive_end() == b""
    assert "connections=1 handlers=1" in records.wait_for("stop_timeout").getMessage()


HOOK = """
import os, threading
link = os.link
def hang(*names, **options):
    if threading.current_thread() is not threading.main_thread():  # Which tries the folder.
        threading.Event().wait()
    return link(*names, **options)
os.link = hang
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_program_whose_storage_hangs(
    program: Callable[..., Program],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: str,
) -> None:
    """As on a network file system whose server is gone: a call that never returns."""
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    folder = str(tmp_path / "received")
    served = program("--save", folder, "--stop-timeout", "0.5", "--workers", workers)
    with Peer.connect(served.address) as peer:
        peer.send(framed(message("A")))
        peer.half_close()
        status, _, errors = served.stop()
        assert peer.receive_end() == b""
    assert status == 0 and b"event=stop_timeout" in errors
