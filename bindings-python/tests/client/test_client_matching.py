"""Which reply is credited to which message: none that is late, foreign, or was begun before it."""

import contextlib
import threading

import pytest
from conftest import ClientClass, Records, Serve
from fastmllp.client import Client, DeliveryError, NoReply, Reply
from fastmllp.server import Handler, Server
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message


@pytest.mark.parametrize("characters", [b"^~\\&&", b"", b"^~~&"])
def test_a_foreign_reply_is_not_credited_to_a_damaged_header(characters: bytes) -> None:
    payload = b"MSH|" + characters + b"|A|B|C|D|2026||ADT^A01|MINE|P|2.5\r"

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("OTHER")) + framed(acknowledgment("MINE", "AE")))

    with ScriptedServer(script) as server, Client(*server.address) as client:
        reply = client.send(payload)
    assert (reply.control_id, reply.code) == ("MINE", "AE")


@pytest.mark.parametrize("characters", [b"^~\\&&", b"", b"^~\\&#@"])
def test_an_answer_counts_whatever_its_own_msh_2_is(characters: bytes) -> None:
    payload = b"MSH|" + characters + b"|x\rMSA|AA|MINE\r"
    reply = Reply.from_payload(payload)
    assert (reply.code, reply.control_id, reply.accepted) == ("AA", "MINE", True)
    assert reply.answers(b"MINE") and not reply.answers(b"OTHER")


def test_an_escaped_control_id_is_the_same() -> None:
    reply = Reply.from_payload(b"MSH|^~\\&|x\rMSA|AA|A\\F\\B\\X0B\\\r")
    assert reply.answers(b"A|B\x0b")
    assert reply.answers(b"A\\F\\B\\X0B\\")
    assert not reply.answers(b"A|B")


def test_a_link_with_names_in_shift_jis() -> None:
    facility = "ポート病院".encode("shift_jis")
    payload = b"MSH|^~\\&|S|" + facility + b"|R|F|2026||ADT^A01|MINE|P|2.5\r"
    answer = b"MSH|^~\\&|R|F|S|" + facility + b"|2026||ACK|1|P|2.5\rMSA|AA|MINE\r"

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == payload
        peer.send(framed(answer))

    with ScriptedServer(script) as server, Client(*server.address, scan="shift_jis") as client:
        assert client.send(payload).accepted
    # Read byte by byte, another field is taken for MSH-10, and nothing is credited to it.
    with (
        ScriptedServer(script) as server,
        Client(*server.address) as client,
        pytest.raises(DeliveryError),
    ):
        client.send(payload)
    with pytest.raises(ValueError, match="scan must be"):
        Client(scan="ebcdic")


@pytest.mark.parametrize(
    "handler", [None, lambda message: message.header.message_control_id and None]
)
def test_a_server_for_names_in_shift_jis(serve: Serve, handler: Handler | None) -> None:
    facility = "ポート病院".encode("shift_jis")
    payload = b"MSH|^~\\&|S|" + facility + b"|R|F|2026||ADT^A01|MINE|P|2.5\r"
    server = serve(handler, scan="shift_jis")
    with Client(*server.address, scan="shift_jis") as client:
        reply = client.send(payload)
    assert (reply.code, reply.control_id) == ("AA", "MINE")
    with pytest.raises(ValueError, match="scan must be"):
        Server(port=0, scan="ebcdic")


def test_foreign_reply_is_left_out(records: Records, client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        foreign = framed(acknowledgment("A1")) + framed(b"") + framed(b"OK") + framed(b"\x06")
        peer.send(foreign + framed(acknowledgment("a")) + framed(acknowledgment("A", "AE")))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(message("A")).code == "AE"
    assert sum(r.event == "foreign_reply" for r in records.all()) == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("payload", [b"PID|1\r", b"", b"MSH|^~\\&|A\r", message("")])
def test_message_without_a_control_id_takes_the_first_reply(
    payload: bytes, client_class: ClientClass
) -> None:
    def script(peer: Peer) -> None:
        assert peer.receive_frame() == payload
        peer.send(framed(acknowledgment("1")) + framed(acknowledgment("2")))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(payload).control_id == "1"


def test_message_with_other_separators(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("B")) + framed(b"MSH#*+%$#R\rMSA#AA#A\r"))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        payload = b"MSH#*+%$#S#F#R#F#20240131##ADT*A01#A#P#2.5\r"
        assert client.send(payload).payload == b"MSH#*+%$#R\rMSA#AA#A\r"


def test_late_reply_is_never_credited(client_class: ClientClass) -> None:
    """Not even when the next message has the same control ID, or none."""
    late = threading.Event()

    def first(peer: Peer) -> None:
        peer.receive_frame()
        assert late.wait(DEADLINE)
        # Sent into a connection that the client has left; if it has not, it finds this reply.
        with contextlib.suppress(ConnectionError):
            peer.send(framed(acknowledgment("A", "AA")))
            peer.receive_end()

    def second(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A", "AE")))

    with (
        ScriptedServer(first, second) as server,
        client_class(*server.address, timeout=0.3) as client,
    ):
        with pytest.raises(NoReply):
            client.send(message("A"))
        late.set()
        assert client.send(message("A")).code == "AE"


def test_stale_reply_is_dropped_before_the_next_message(
    records: Records, client_class: ClientClass
) -> None:
    """A doubled acknowledgment, and a message that would take any."""
    doubled = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))
        assert doubled.wait(DEADLINE)
        peer.send(framed(acknowledgment("A")))
        sent.set()
        peer.receive_frame()
        peer.send(framed(acknowledgment("SECOND", "AR")))

    sent = threading.Event()
    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(message("A")).accepted
        doubled.set()
        assert sent.wait(DEADLINE)
        assert client.send(b"no header").control_id == "SECOND"
    records.wait_for("stale_reply")


def test_reply_begun_before_the_message_cannot_answer_it(client_class: ClientClass) -> None:
    begun = threading.Event()

    def first(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))
        peer.send(framed(acknowledgment("STALE"))[:20])
        begun.set()
        assert peer.receive_end() == b""

    def second(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("NEW")))

    with ScriptedServer(first, second) as server, client_class(*server.address) as client:
        assert client.send(message("A")).accepted
        assert begun.wait(DEADLINE)
        assert client.send(b"no header").control_id == "NEW"
