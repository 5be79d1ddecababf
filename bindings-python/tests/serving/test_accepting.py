"""Accepting, which is the same for servers with threads, asyncio servers and links."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Program, Records, Serve
from fastmllp.aio import start_server
from fastmllp.serving.sockets.accepting import Acceptor
from peers import DEADLINE, Peer, framed, message, no_descriptors_after
from platforms import forgets_closed_sockets


def warnings(records: Records, event: str) -> list[logging.LogRecord]:
    return [
        record
        for record in records.all()
        if record.levelno >= logging.WARNING and record.__dict__["event"] == event
    ]


def test_shortage_of_descriptors(
    serve_all: Serve,
    records: Records,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = threading.Semaphore(0)
    failed = Acceptor.failed

    def count(self: Acceptor, error: OSError) -> None:
        failed(self, error)
        failures.release()

    monkeypatch.setattr(Acceptor, "failed", count)
    server = serve_all()
    with Peer.connect(server.address) as first:
        first.exchange("A")
        with socket.socket() as waiting, socket.socket() as another:
            for one in (waiting, another):
                one.settimeout(DEADLINE)
            with no_descriptors_after(another):
                waiting.connect(server.address)
                another.connect(server.address)
                paused = records.wait_for("accept_paused")
                # Those that are connected go on, for as long as the shortage lasts.
                for number in range(3):
                    first.exchange(f"B{number}")
                    assert failures.acquire(timeout=DEADLINE)
            Peer(waiting).exchange("C")
            Peer(another).exchange("D")
    assert paused.levelno == logging.ERROR
    assert len(warnings(records, "accept_paused")) == 1
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_log_of_a_program_without_descriptors(program: Callable[..., Program]) -> None:
    """Records are written in a shortage too, above all the one that tells of it."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))  # Which the program inherits.
    try:
        served = program()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer.connect(served.address)) for _ in range(40)]
        peers[0].exchange("A")
        while True:
            line = served.error_line()
            assert b"records_dropped" not in line
            if b"event=accept_paused" in line:
                break
    assert b"records_dropped" not in served.stop()[2]


def test_one_record_for_each_shortage(serve_all: Serve, records: Records) -> None:
    server = serve_all()
    for control_id in ("A", "B"):
        with socket.socket() as waiting:
            waiting.settimeout(DEADLINE)
            with no_descriptors_after(waiting):
                waiting.connect(server.address)
                records.wait_for("accept_paused")
            Peer(waiting).exchange(control_id)


@pytest.mark.parametrize(
    ("options", "event"),
    [({"allow": ["192.0.2.0/24"]}, "peer_not_allowed"), ({}, "too_many_connections")],
)
def test_refused_peers_are_counted(
    serve_all: Serve,
    records: Records,
    heard: list[str],
    options: dict[str, Any],
    event: str,
) -> None:
    server = serve_all(max_connections=1, name="adt-in", **options)
    holder = Peer.connect(server.address)
    if event == "too_many_connections":
        holder.exchange("A")
    for _ in range(5):
        with Peer.connect(server.address) as refused:
            assert refused.receive_end() == b""
    holder.socket.close()
    server.shutdown()
    count = heard.count(event)
    assert count >= 5, "an observer hears of each"
    (first,) = warnings(records, event)
    assert "name=adt-in" in first.getMessage() and "peer=127.0.0.1:" in first.getMessage()
    (repeated,) = warnings(records, "repeated")
    assert f"of={event} count={count - 1}" in repeated.getMessage()


def test_both_families_by_one_listener(serve_all: Serve, records: Records) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no socket for both")
    server = serve_all(host="*", allow=["127.0.0.0/8", "::1"])
    port = server.address[1]
    for host, shown in (("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")):
        with Peer.connect((host, port)) as peer:
            peer.exchange("A")
            own = f"peer={shown}{peer.socket.getsockname()[1]}"
        assert own in records.wait_for("connect").getMessage()


def test_address_in_brackets(serve_all: Serve) -> None:
    try:
        server = serve_all(host="[::1]")
    except OSError:
        pytest.skip("this system has no IPv6")
    with Peer.connect(("::1", server.address[1])) as peer:
        peer.exchange("A")


def test_silent_peers_are_probed(serve_all: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted: list[socket.socket] = []
    admitted = Acceptor.admitted

    def keep(self: Acceptor, connected: socket.socket, *rest: Any) -> Any:
        accepted.append(connected)
        return admitted(self, connected, *rest)

    monkeypatch.setattr(Acceptor, "admitted", keep)
    server = serve_all()
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        assert accepted[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            # Load balancers forget a silent connection after 350 seconds.
            assert accepted[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 350


def test_connection_in_the_backlog_is_answered(serve_link: Serve, serve_async: Serve) -> None:
    async def work() -> None:
        server = await start_server(None, "127.0.0.1", 0)
        # The loop does not run between the two, so that nothing is accepted yet.
        with Peer.connect(server.address) as peer:
            peer.send(framed(message("A")))
            server.close()
            await server.wait_closed()
            assert peer.receive_msa() == ("AA", "A")

    asyncio.run(asyncio.wait_for(work(), DEADLINE))


@forgets_closed_sockets
def test_loop_that_cannot_watch_a_socket(
    serve_async: Serve, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of Windows, which accepts by itself."""

    def refuse(*arguments: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", refuse)
    server = serve_async()
    with Peer.connect(server.address) as peer, Peer.connect(server.address) as other:
        peer.exchange("A")
        other.exchange("B")
        with socket.socket() as waiting:
            waiting.settimeout(DEADLINE)
            with no_descriptors_after(waiting):
                waiting.connect(server.address)
                records.wait_for("accept_paused")
                peer.exchange("C")
            Peer(waiting).exchange("D")


def test_connections_that_are_open_wait_for_few_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted_at_once: list[int] = []

    class Counted(Acceptor):
        def waiting(self, *arguments: Any) -> Any:
            accepted = list(super().waiting(*arguments))
            accepted_at_once.append(len(accepted))
            return accepted

    monkeypatch.setattr("fastmllp.aio.server.Acceptor", Counted)

    async def accept() -> None:
        async with await start_server(None, "127.0.0.1", 0) as server:
            with contextlib.ExitStack() as stack:
                for _ in range(100):
                    stack.enter_context(socket.create_connection(server.address, DEADLINE))
                async with asyncio.timeout(DEADLINE):
                    while sum(accepted_at_once) < 100:
                        await asyncio.sleep(0)

    asyncio.run(accept())
    assert max(accepted_at_once) == 16
