"""The client: the reply that belongs to a message, whole, in time, and never another one."""

import logging
import socket
import threading

import fastmllp
import pytest
from conftest import ClientClass, Records, Serve
from fastmllp.client import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    NoReply,
    Reply,
    ReplyTooLarge,
)
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message, not_before


def test_message_and_reply(serve: Serve, client_class: ClientClass) -> None:
    server = serve(lambda message: "AE" if message.get("PID-5") == b"BAD" else None)
    with client_class(*server.address) as client:
        good = client.send(message("A"))
        bad = client.send(message("B", "BAD"))
    assert (good.code, good.control_id, good.accepted) == ("AA", "A", True)
    assert (bad.code, bad.control_id, bad.accepted) == ("AE", "B", False)
    assert good.payload.startswith(b"MSH|^~\\&|RECEIVER|") and good.payload.endswith(b"MSA|AA|A\r")


@pytest.mark.parametrize(
    ("code", "accepted"),
    [("AA", True), ("CA", True), ("AE", False), ("AR", False), ("CE", False), ("CR", False)],
)
def test_accepted_follows_the_code(code: str, accepted: bool) -> None:
    assert Reply.from_payload(acknowledgment("A", code)).accepted is accepted


def test_bytes_go_as_they_are_and_text_is_encoded(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        for expected in (b"\xff\x00\n", "Müller".encode("latin-1"), b"?"):
            assert peer.receive_frame() == expected
            peer.send(framed(b"MSH|^~\\&|\rMSA|AA|X\r"))

    with (
        ScriptedServer(script) as server,
        client_class(*server.address, encoding="latin-1") as client,
    ):
        assert client.send(b"\xff\x00\n").control_id == "X"
        client.send("Müller")
        client.send("山")


def test_text_that_the_encoding_cannot_express(
    serve: Serve, records: Records, client_class: ClientClass
) -> None:
    received: list[bytes] = []
    server = serve(lambda message: received.append(message.payload))
    text = message("A", "山MARK4711").decode()
    with client_class(*server.address, encoding="latin-1") as client:
        assert client.send(text).accepted
    assert b"?MARK4711" in received[0]
    record = records.wait_for("not_encodable")
    assert record.levelno == logging.WARNING and "MARK4711" not in record.getMessage()
    with client_class(*server.address, encoding="latin-1", strict=True) as client:
        with pytest.raises(fastmllp.EncodingError) as caught:
            client.send(text)
        assert client.send(message("B").decode()).accepted
    assert caught.value.code == "not_encodable" and "山" not in str(caught.value)
    assert len(received) == 2


@pytest.mark.parametrize("payload", [b"A\x0bB", b"A\x1cB", "A\x1cB"])
def test_payload_with_framing_bytes_is_not_sent(
    payload: str | bytes, client_class: ClientClass
) -> None:
    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("A")
        peer.send(framed(acknowledgment("A")))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        with pytest.raises(fastmllp.FrameError) as caught:
            client.send(payload)
        assert caught.value.code == "reserved_byte"
        assert client.send(message("A")).accepted


@pytest.mark.parametrize("wrong", [None, 7, ["MSH"]])
def test_message_of_a_wrong_type(serve: Serve, wrong: object, client_class: ClientClass) -> None:
    with client_class(*serve().address) as client, pytest.raises(TypeError):
        client.send(wrong)  # type: ignore[arg-type]


def test_reply_in_single_bytes(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        for byte in b"junk" + framed(acknowledgment("A")):
            peer.send(bytes([byte]))
        peer.receive_frame()
        peer.send(framed(acknowledgment("B"))[:-1])

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(message("A")).payload == acknowledgment("A")
        assert client.send(message("B")).payload == acknowledgment("B")


def test_time_is_not_extended_by_a_dripping_server(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        done = threading.Event()
        try:
            while not done.wait(0.02):
                peer.socket.sendall(b"\x0bx")
        except OSError:
            pass

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.5) as client:
        # That it ends at all shows that the bytes do not start the time anew.
        with not_before(0.4), pytest.raises(NoReply) as caught:
            client.send(message("A"))
    assert isinstance(caught.value, TimeoutError) and caught.value.code == "no_reply"


def test_time_is_not_extended_by_foreign_replies(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        done = threading.Event()
        try:
            while not done.wait(0.02):
                peer.socket.sendall(framed(acknowledgment("B")))
        except OSError:
            pass

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.4) as client:
        with pytest.raises(NoReply):
            client.send(message("A"))


def test_server_that_does_not_take_the_message(client_class: ClientClass) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.3) as client:
        with pytest.raises(NoReply):
            client.send(message("A").ljust(50_000_000, b"x"))
        finished.set()


@pytest.mark.parametrize("part", [b"", framed(acknowledgment("A"))[:-10]])
def test_server_closes_instead_of_answering(part: bytes, client_class: ClientClass) -> None:
    def first(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(part)

    def second(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))

    with ScriptedServer(first, second) as server, client_class(*server.address) as client:
        with pytest.raises(ConnectionLost) as caught:
            client.send(message("A"))
        assert caught.value.code == "connection_lost"
        # Sent again only because the caller says so.
        assert client.send(message("A")).accepted


def test_server_resets_instead_of_answering(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.reset()

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        with pytest.raises(ConnectionLost):
            client.send(message("A"))


@pytest.mark.parametrize("with_reset", [False, True])
def test_connection_closed_while_idle_is_opened_again(
    with_reset: bool, client_class: ClientClass
) -> None:
    """Noticed before anything is sent, so the message goes out once."""
    closed = threading.Event()
    received: list[bytes] = []

    def first(peer: Peer) -> None:
        received.append(peer.receive_frame())
        peer.send(framed(acknowledgment("A")))
        assert answered.wait(DEADLINE)
        if with_reset:
            peer.reset()
        else:
            peer.socket.close()
        closed.set()

    def second(peer: Peer) -> None:
        received.append(peer.receive_frame())
        peer.send(framed(acknowledgment("B")))
        assert peer.receive_end() == b""

    answered = threading.Event()
    with ScriptedServer(first, second) as server:
        with client_class(*server.address) as client:
            assert client.send(message("A")).accepted
            answered.set()
            assert closed.wait(DEADLINE)
            assert client.send(message("B")).accepted
    assert received == [message("A"), message("B")]


def test_reply_above_the_limit(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.socket.sendall(b"\x0b" + b"x" * 2000)

    with ScriptedServer(script) as server, client_class(*server.address, max_size=1000) as client:
        with pytest.raises(ReplyTooLarge):
            client.send(message("A"))


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_nobody_listens(client_class: ClientClass) -> None:
    client = client_class("127.0.0.1", unused_port())
    with pytest.raises(ConnectError, match="refused") as caught:
        client.send(message("A"))
    assert isinstance(caught.value, DeliveryError | ConnectionError)
    assert caught.value.code == "not_connected"
    with pytest.raises(fastmllp.MllpError), client:
        pass


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, "a..b"])
def test_unknown_host(host: str, client_class: ClientClass) -> None:
    with pytest.raises(ConnectError, match="cannot reach"):
        client_class(host, 2575).connect()


def test_client_is_usable_after_close(serve: Serve, client_class: ClientClass) -> None:
    client = client_class(*serve().address)
    assert client.send(message("A")).accepted
    client.close()
    client.close()
    assert client.send(message("B")).accepted
    client.close()


def test_threads_share_a_client(serve: Serve, client_class: ClientClass) -> None:
    failures: list[BaseException] = []
    with client_class(*serve().address) as client:

        def work(thread: int) -> None:
            try:
                for number in range(50):
                    control_id = f"{thread}.{number}"
                    assert client.send(message(control_id)).control_id == control_id
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
    assert not failures


def test_one_liner(serve: Serve) -> None:
    host, port = serve().address
    reply = fastmllp.send(host, port, message("A").decode())
    assert isinstance(reply, bytes) and reply.endswith(b"MSA|AA|A\r")
    with pytest.raises(DeliveryError):
        fastmllp.send("127.0.0.1", unused_port(), b"x")


def test_zero_turns_the_time_off(serve: Serve, client_class: ClientClass) -> None:
    with client_class(*serve().address, timeout=0) as client:
        assert client.send(message("A")).accepted


@pytest.mark.parametrize(
    "options",
    [{"port": -1}, {"timeout": -1}, {"max_size": 0}, {"encoding": "none"}, {"encoding": "hex"}],
)
def test_settings_out_of_bounds(options: dict[str, object], client_class: ClientClass) -> None:
    with pytest.raises(ValueError):
        client_class(**options)  # type: ignore[arg-type]


def test_reply_shows_no_payload() -> None:
    reply = Reply.from_payload(acknowledgment("MARK4711", "MARK4711"))
    assert "MARK4711" not in repr(reply) and reply.code == "MARK4711" and not reply.accepted
    assert repr(Reply.from_payload(acknowledgment("A"))).startswith(
        "Reply(code='AA', accepted=True"
    )
    with pytest.raises(AttributeError):
        reply.code = "AA"  # type: ignore[misc]
