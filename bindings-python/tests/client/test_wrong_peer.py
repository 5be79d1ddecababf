"""A server that does not speak MLLP is named, in the error and in one record."""

import threading

import pytest
from conftest import ClientClass, Records
from fastmllp.client import ConnectionLost, NoReply
from fastmllp.client.wrong_peer import FirstBytes, wrong_peer
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message

ANSWERS = {
    "http": (b"HTTP/1.1 400 Bad Request\r\n\r\nMARK4711", "it speaks HTTP"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x46", "expect TLS"),
    "ssh": (b"SSH-2.0-OpenSSH_9.6 MARK4711\r\n", "it speaks SSH"),
    "smtp": (b"220 MARK4711 ESMTP\r\n", "it speaks SMTP or FTP"),
    "hl7_unframed": (acknowledgment("A"), "without the MLLP framing"),
    "xml": (b"<MARK4711/>", "it sends XML"),
    "astm": (b"\x05", "it speaks ASTM"),
    "unknown": (b"login: MARK4711", "what it sends is not MLLP"),
}


@pytest.mark.parametrize("protocol", ANSWERS)
@pytest.mark.parametrize("closes", [False, True])
def test_a_server_that_speaks_something_else(
    client_class: ClientClass, records: Records, protocol: str, closes: bool
) -> None:
    answer, words = ANSWERS[protocol]
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        # In pieces, as a network may deliver it.
        peer.send(answer[:1])
        peer.send(answer[1:])
        assert closes or finished.wait(DEADLINE)

    with ScriptedServer(script) as server:
        timeout = DEADLINE if closes else 0.3
        with client_class(*server.address, timeout=timeout) as client:
            with pytest.raises(ConnectionLost if closes else NoReply, match=words) as caught:
                client.send(message("A"))
            finished.set()
    assert "MARK4711" not in str(caught.value)
    found = [it for it in records.all() if it.__dict__["event"] == "wrong_protocol"]
    assert [it.__dict__["fields"]["protocol"] for it in found] == [protocol]


@pytest.mark.parametrize(
    "first", [b"", b"\r\n\x0bMSH|", framed(acknowledgment("A")), b"M", b"\x06"]
)
def test_nothing_to_say_of_mllp(first: bytes) -> None:
    assert wrong_peer(first) is None


def test_noise_before_a_reply_is_no_failure(client_class: ClientClass, records: Records) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(b"login: " + framed(acknowledgment("A")))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(message("A")).accepted
    assert "wrong_protocol" not in [it.__dict__["event"] for it in records.all()]


def test_one_record_for_a_connection(records: Records) -> None:
    first = FirstBytes("server:2575")
    first.add(b"HTTP/1.1 400 Bad Request")
    assert first.hint() == first.hint() == "; it speaks HTTP, not MLLP"
    assert len(records.all()) == 1
