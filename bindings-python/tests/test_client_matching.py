"""Which reply is credited to which message when headers are unusual."""

import pytest
from conftest import Serve
from fastmllp.client import Client, DeliveryError
from fastmllp.client.reply import Reply
from fastmllp.server import Handler, Server
from peers import Peer, ScriptedServer, acknowledgment, framed


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
