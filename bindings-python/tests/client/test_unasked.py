"""Messages that ask for no answer: what shows later whether the server has taken them."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable

import fastmllp
import pytest
from certificates import Authority
from commands import place
from conftest import ClientClass, Records, Run, Serve
from fastmllp import aio
from fastmllp.client import ConnectionLost, DeliveryError, Pool
from fastmllp.tls import client_context, server_context
from peers import DEADLINE, Peer, ScriptedServer, message
from test_client_modes import ack, asking

WAYS = [(), ("--window", 8), ("--connections", 2)]


def warnings(records: Records, event: str) -> list[str]:
    found = [it for it in records.all() if it.__dict__["event"] == event]
    assert all(it.levelno == logging.WARNING for it in found)
    return [it.getMessage() for it in found]


def reset(peer: Peer) -> None:
    peer.reset()


def close_first(peer: Peer) -> None:
    peer.receive_frame()
    peer.half_close()
    peer.receive_end()


def speak_http(peer: Peer) -> None:
    peer.receive_frame()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.receive_end()


# Takes one end of a connection, when the message has left.
Ending = Callable[[Peer], None]


@pytest.mark.parametrize("ending", [reset, close_first, speak_http])
def test_messages_that_nobody_took(
    client_class: ClientClass, records: Records, ending: Ending
) -> None:
    left = threading.Event()

    def script(peer: Peer) -> None:
        assert left.wait(DEADLINE)
        ending(peer)

    with ScriptedServer(script) as server:
        client = client_class(*server.address)
        assert client.send(asking("NE", "NE")).unasked
        left.set()
        with pytest.raises(ConnectionLost, match="1 message that asked for no answer may not"):
            client.close()
        client.close()  # It says so once.
    (warning,) = warnings(records, "unasked_uncertain")
    assert " count=1 " in warning


def test_messages_that_nobody_reads(client_class: ClientClass, records: Records) -> None:
    over = threading.Event()

    def script(peer: Peer) -> None:
        assert over.wait(DEADLINE)

    with ScriptedServer(script) as server:
        client = client_class(*server.address, timeout=0.3)
        for control_id in "ABC":
            assert client.send(asking("NE", "NE", control_id)).unasked
        with pytest.raises(ConnectionLost, match="3 messages"):
            client.close()
        over.set()
    (warning,) = warnings(records, "unasked_uncertain")
    assert " count=3 " in warning and "not closed by the server" in warning


def test_another_exception_is_not_hidden() -> None:
    left = threading.Event()

    def script(peer: Peer) -> None:
        assert left.wait(DEADLINE)
        peer.reset()

    with ScriptedServer(script) as server, pytest.raises(ZeroDivisionError):
        with fastmllp.Client(*server.address) as client:
            client.send(asking("NE", "NE"))
            left.set()
            raise ZeroDivisionError
    assert client.unasked.uncertain == 1


def test_pools_say_so_too() -> None:
    left = threading.Event()

    def script(peer: Peer) -> None:
        assert left.wait(DEADLINE)
        peer.reset()

    async def in_tasks(address: tuple[str, int]) -> None:
        async with aio.Pool(*address, size=2) as pool:
            await pool.send(asking("NE", "NE"))
            left.set()

    with ScriptedServer(script, script) as server:
        with pytest.raises(ConnectionLost, match="1 message that"):
            with Pool(*server.address, size=2) as pool:
                pool.send(asking("NE", "NE"))
                left.set()
        left.clear()
        with pytest.raises(ConnectionLost, match="1 message that"):
            asyncio.run(in_tasks(server.address))


def test_a_later_answer_proves_that_they_were_read(
    client_class: ClientClass, records: Records
) -> None:
    def script(peer: Peer) -> None:
        for _ in range(3):
            peer.receive_frame()
        peer.send(ack("AA", "C"))
        peer.receive_end()

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        client.send(asking("NE", "NE", "A"))
        client.send(asking("NE", "NE", "B"))
        assert client.send(asking("", "", "C")).code == "AA"
    assert not warnings(records, "unasked_uncertain")


def test_the_end_shows_at_once(client_class: ClientClass) -> None:
    """A server that has spoken HTTP before the message has left."""
    spoken, over = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        spoken.set()
        assert over.wait(DEADLINE)

    with ScriptedServer(script) as server:
        client = client_class(*server.address, timeout=1)
        client.connect()
        assert spoken.wait(DEADLINE)
        with pytest.raises(ConnectionLost, match="HTTP") as caught:
            client.send(asking("NE", "NE"))
        assert caught.value.fate == "uncertain"
        over.set()
        client.close()


def test_a_refusal_of_what_asked_for_no_answer(client_class: ClientClass, records: Records) -> None:
    """One before the next message, one while the client closes."""
    answered, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        assert answered.wait(DEADLINE)
        peer.send(ack("AE", "A"))
        sent.set()
        peer.receive_frame()
        assert peer.receive_end() == b""
        peer.send(ack("CR", "B"))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(asking("NE", "NE", "A")).unasked
        answered.set()
        assert sent.wait(DEADLINE)
        assert client.send(asking("NE", "NE", "B")).unasked
    codes = [warning.rpartition("code=")[2] for warning in warnings(records, "unasked_refused")]
    assert codes == ["AE", "CR"]
    assert not warnings(records, "unasked_uncertain")


def test_errors_only_and_a_server_that_hangs(client_class: ClientClass, records: Records) -> None:
    over = threading.Event()

    def script(peer: Peer) -> None:
        assert over.wait(DEADLINE)

    with ScriptedServer(script) as server:
        client = client_class(*server.address, timeout=0.2)
        assert client.send(asking("ER", "ER")).unasked
        with pytest.raises(ConnectionLost):
            client.close()
        over.set()
    assert warnings(records, "unasked_uncertain")


# Inside of TLS.


def test_inside_tls(serve: Serve, client_class: ClientClass, authority: Authority) -> None:
    """The server answers what asked for no answer: that is no failure at the end."""
    identity = authority.issue("localhost", "127.0.0.1")
    received: list[bytes] = []
    server = serve(
        lambda one: received.append(one.payload),
        tls=server_context(identity.certificate, identity.key),
    )
    trusting = client_context(ca=authority.file)
    with client_class(*server.address, tls=trusting) as client:
        for control_id in "ABC":
            assert client.send(asking("NE", "NE", control_id)).unasked
    assert len(received) == 3


def test_a_certificate_that_is_missing(
    serve: Serve, client_class: ClientClass, authority: Authority, records: Records
) -> None:
    """Under TLS 1.3 the client may write before it hears that it is refused."""
    identity = authority.issue("localhost", "127.0.0.1")
    server = serve(
        tls=server_context(
            identity.certificate, identity.key, ca=authority.file, require_client_certificate=True
        )
    )
    client = client_class(*server.address, tls=client_context(ca=authority.file))
    with pytest.raises(DeliveryError):  # From `send` or from `close`: who is faster?
        client.send(asking("NE", "NE"))
        client.close()
    client.close()
    assert not [it for it in records.all() if it.__dict__["event"] == "message_received"]


# The command.


@pytest.mark.parametrize("way", WAYS)
def test_the_command_counts_them_as_uncertain(run: Run, way: tuple[object, ...]) -> None:
    over = threading.Event()

    def script(peer: Peer) -> None:
        assert over.wait(3 * DEADLINE)

    lines = b"".join(asking("NE", "NE", name) for name in "ABC")
    with ScriptedServer(script) as server:
        options = ["--json", "--timeout", 1, *way, *place(server.address)]
        result = run("send", *options, "-", stdin=lines)
        over.set()
    assert result.returncode == 3
    summary = json.loads(result.stdout.splitlines()[-1])["summary"]
    assert (summary["accepted"], summary["uncertain"], summary["unasked"]) == (0, 3, 0)
    assert b"the server may not have read them" in result.stderr


@pytest.mark.parametrize("way", WAYS)
def test_the_command_counts_them_as_refused(
    serve: Serve, run: Run, way: tuple[object, ...]
) -> None:
    server = serve(lambda one: 1 / 0)  # AE
    lines = b"".join(asking("NE", "NE", name) for name in "ABC")
    result = run("send", "--json", *way, *place(server.address), "-", stdin=lines)
    assert result.returncode == 1
    summary = json.loads(result.stdout.splitlines()[-1])["summary"]
    assert (summary["accepted"], summary["refused"], summary["unasked"]) == (0, 3, 0)


# What is written to a connection that has failed.


def test_asyncio_does_not_complain_of_a_reset(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(100)
        peer.reset()

    async def send_all(address: tuple[str, int]) -> list[object]:
        async with aio.connect(*address, timeout=2, window=64) as client:
            payloads = [message(f"M{n}") + b"NTE|1||" + b"x" * 60_000 + b"\r" for n in range(64)]
            sending = (client.send(payload) for payload in payloads)
            return list(await asyncio.gather(*sending, return_exceptions=True))

    with ScriptedServer(script) as server:
        outcomes = asyncio.run(send_all(server.address))
    assert all(isinstance(outcome, ConnectionLost) for outcome in outcomes)
    assert "asyncio" not in {record.name for record in caplog.records}


def test_more_messages_than_a_link_has_room_for() -> None:
    """No answer comes whose arrival would make the client look for those that wait."""
    count = 150

    def script(peer: Peer) -> None:
        for number in range(count):
            assert peer.receive_frame() == asking("NE", "NE", f"M{number}")
        assert peer.receive_end() == b""

    async def send_all(address: tuple[str, int]) -> None:
        async with aio.connect(*address, timeout=DEADLINE, window=64) as client:
            async with asyncio.timeout(DEADLINE):
                sending = (client.send(asking("NE", "NE", f"M{n}")) for n in range(count))
                replies = await asyncio.gather(*sending)
        assert all(reply.unasked for reply in replies)

    with ScriptedServer(script) as server:
        asyncio.run(send_all(server.address))
