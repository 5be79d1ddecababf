"""Another protocol on a plain port: who waits for an answer in kind is not left waiting."""

import ssl

import pytest
from certificates import Authority
from conftest import Records, Serve, Undisturbed
from fastmllp.tls import client_context
from peers import Peer, framed, message


@pytest.mark.parametrize(
    ("first", "protocol"),
    [
        # What looks like a frame is a part of a key, perhaps.
        (b"\x16\x03\x01\x02\x00\x01" + framed(b"\xfc\x03\x03"), "tls"),
        (b"POST / HTTP/1.1\r\n\r\n" + framed(message("A")), "http"),
        (b"PROXY TCP4 192.0.2.7 192.0.2.2 40000 2575\r\n" + framed(message("A")), "proxy_v1"),
        # The address 10.11.2.1 holds a start block.
        (
            bytes.fromhex("0d0a0d0a000d0a515549540a 2111000c 0a0b0201 c0000202 9c40 0a0f")
            + framed(message("A")),
            "proxy_v2",
        ),
    ],
)
def test_other_protocol_on_a_plain_port_is_closed_at_once(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, first: bytes, protocol: str
) -> None:
    server = serve_both(timeout=0)
    with undisturbed(server):
        with Peer.connect(server.address) as peer:
            peer.send(first)
            assert peer.receive_end() == b""
            assert f"protocol={protocol}" in records.wait_for("wrong_protocol").getMessage()
        disconnect = records.wait_for("disconnect")
    assert disconnect.fields == {"reason": "wrong_protocol", "messages": 0}  # type: ignore[attr-defined]


def test_tls_client_learns_at_once_that_a_port_is_plain(
    serve_both: Serve, authority: Authority
) -> None:
    server = serve_both(timeout=0)
    with pytest.raises(ssl.SSLError, match="EOF"):
        Peer.secure(server.address, client_context(ca=authority.file))


def test_message_without_frame_on_a_plain_port_is_not_closed(
    serve_both: Serve, records: Records
) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(message("A"))
        records.wait_for("wrong_protocol")
        peer.exchange("B")
