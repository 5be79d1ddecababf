"""The name of a server or a link is in every record that it writes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Program, Records, Serve
from fastmllp import Message
from fastmllp.link import SocketLink
from fastmllp.saving import SaveTo
from fastmllp.server import Server
from fastmllp.serving.handler import connection_number, server_name
from peers import Peer, framed, message


def failing(message: Message) -> str:
    if message.get("PID-5") == b"RAISE":
        raise ValueError
    return "no code"


def without_name(records: Records) -> list[str]:
    return [it.getMessage() for it in records.all() if "name=adt-in" not in it.getMessage()]


def test_every_record(serve_all: Serve, records: Records) -> None:
    server = serve_all(failing, name="adt-in", allow=["127.0.0.0/8"], max_connections=1)
    with Peer.connect(server.address) as peer:
        # Bytes before the frame, a missing carriage return, two failures of the handler, a cut.
        peer.send(b"x" + framed(message("A"))[:-1] + framed(message("B", "RAISE")))
        assert [peer.receive_msa()[0] for _ in range(2)] == ["AE", "AE"]
        with Peer.connect(server.address) as refused:
            assert refused.receive_end() == b""
        peer.send(framed(message("C"))[:20])
        peer.half_close()
        assert peer.receive_end() == b""
    server.shutdown()
    assert without_name(records) == []
    events = {it.__dict__["event"] for it in records.all()}
    assert events >= {
        *("connect", "message_received", "ack_sent", "disconnect", "too_many_connections"),
        *("handler_failed", "handler_result", "missing_cr", "truncated", "discarded"),
    }


def test_handler_knows_where_it_runs(serve_all: Serve) -> None:
    seen: list[tuple[str, int | None]] = []

    def handler(message: Message) -> None:
        seen.append((server_name.get(), connection_number.get()))

    server = serve_all(handler, name="adt-in")
    for _ in range(2):
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
    assert seen == [("adt-in", 1), ("adt-in", 2)]


def test_coroutine_and_executor_know_where_they_run(serve_blocking: Serve) -> None:
    seen: list[str] = []
    server = serve_blocking(lambda message: seen.append(server_name.get()), name="adt-in")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
    assert seen == ["adt-in"]
    assert server_name.get() == ""


def test_storing(serve_both: Serve, records: Records, tmp_path: Path) -> None:
    server = serve_both(SaveTo(tmp_path), name="adt-in")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
    assert "name=adt-in" in records.wait_for("saved").getMessage()


def test_a_link_that_dials(records: Records) -> None:
    async def work() -> None:
        seen: list[str] = []
        arrived = asyncio.Event()

        async def handler(message: Message) -> None:
            seen.append(server_name.get())
            arrived.set()

        async def analyzer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(framed(message("A")))
            await reader.readuntil(b"\x1c\r")
            writer.close()

        async with await asyncio.start_server(analyzer, "127.0.0.1", 0) as listener:
            host, port = listener.sockets[0].getsockname()
            async with SocketLink(handler, host, port, mode="client", name="adt-in"):
                await arrived.wait()
        assert seen == ["adt-in"] and server_name.get() == ""

    asyncio.run(work())
    records.wait_for("disconnect")
    assert without_name(records) == []


def test_program(program: Callable[..., Program]) -> None:
    served = program("--name", "adt-in")
    with Peer.connect(served.address) as peer:
        peer.exchange("A")
    _, _, errors = served.stop()
    lines = errors.splitlines()
    assert lines and all(b"name=adt-in" in line for line in lines)


def test_name_that_is_none() -> None:
    with pytest.raises(ValueError, match="name must be"):
        Server(host="127.0.0.1", port=0, name="two words")
    with pytest.raises(ValueError, match="name must be"):
        SocketLink(None, "127.0.0.1", 0, name="a\nb")
