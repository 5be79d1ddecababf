"""Behind a proxy that names the sender by the PROXY protocol."""

import logging
import re
import socket
from collections.abc import Callable

import pytest
from certificates import Authority
from conftest import Records, Serve, Undisturbed
from fastmllp.server import Server
from fastmllp.tls import client_context, server_context
from peers import Peer, framed, message

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
# The address 10.11.2.1 holds a start block.
V2 = SIGNATURE + bytes.fromhex("2111000c 0a0b0201 c0000202 9c40 0a0f")
# With an extension (TLV) behind the addresses.
V2_LONG = SIGNATURE + bytes.fromhex("21110013 0a0b0201 c0000202 9c40 0a0f 04 0004 0b1c0d0b")
V2_IPV6 = (
    SIGNATURE
    + bytes.fromhex("21210024")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + bytes.fromhex("9c40 0a0f")
)
V2_MAPPED = (
    SIGNATURE
    + bytes.fromhex("21210024")
    + socket.inet_pton(socket.AF_INET6, "::ffff:10.11.2.1")
    + socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.2")
    + bytes.fromhex("9c40 0a0f")
)
LOCAL = SIGNATURE + bytes.fromhex("20110054") + bytes(84)
V1 = b"PROXY TCP4 10.11.2.1 192.0.2.2 40000 2575\r\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"


def levels(records: Records) -> set[int]:
    return {record.levelno for record in records.all()}


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (V1, "10.11.2.1:40000"),
        (V2, "10.11.2.1:40000"),
        (V2_LONG, "10.11.2.1:40000"),
        (V2_IPV6, "[2001:db8::7]:40000"),
        (V2_MAPPED, "10.11.2.1:40000"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 2575\r\n", "[2001:db8::7]:40000"),
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_sender_is_the_one_of_the_header(
    serve_all: Serve, records: Records, header: bytes, peer: str, split: bool
) -> None:
    server = serve_all(proxy_protocol="required", allow=["10.11.0.0/16", "2001:db8::/32"])
    with Peer.connect(server.address) as proxy:
        data = header + framed(message("A"))
        for piece in [bytes([byte]) for byte in data] if split else [data]:
            proxy.send(piece)
        assert proxy.receive_msa() == ("AA", "A")
        proxy.exchange("B")
        host, port = proxy.socket.getsockname()
    connect = records.wait_for("connect")
    assert connect.fields == {"peer": peer, "proxy": f"{host}:{port}"}  # type: ignore[attr-defined]
    records.wait_for("disconnect")
    assert max(levels(records)) == logging.INFO


def test_sender_outside_of_the_list_is_refused(serve_all: Serve, records: Records) -> None:
    server = serve_all(proxy_protocol="required", allow=["10.1.0.0/16", "127.0.0.0/8"])
    with Peer.connect(server.address) as proxy:
        proxy.send(V1)
        assert proxy.receive_end() == b""
    text = records.wait_for("peer_not_allowed").getMessage()
    assert "peer=10.11.2.1:40000" in text and "proxy=127.0.0.1:" in text


@pytest.mark.parametrize("header", [UNKNOWN, LOCAL])
@pytest.mark.parametrize(
    ("allow", "served"), [(None, True), (["127.0.0.0/8"], True), (["10.0.0.0/8"], False)]
)
def test_proxy_that_names_nobody(
    serve_all: Serve, records: Records, header: bytes, allow: list[str] | None, served: bool
) -> None:
    server = serve_all(proxy_protocol="required", allow=allow)
    with Peer.connect(server.address) as proxy:
        proxy.send(header)
        if served:
            proxy.exchange("A")
            records.wait_for("connect")
        else:
            assert proxy.receive_end() == b""
            records.wait_for("probe" if header == LOCAL else "peer_not_allowed")
    if served or header == LOCAL:
        assert max(levels(records)) == logging.INFO


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (framed(message("A", "MARK4711")), "no_proxy_header"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20), "no_proxy_header"),
        (b"PROXY TCP4 MARK4711 192.0.2.2 40000 2575\r\n", "bad_proxy_header"),
        (SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12), "bad_proxy_header"),
    ],
)
def test_connection_without_a_header_is_closed(
    serve_all: Serve, undisturbed: Undisturbed, records: Records, first: bytes, reason: str
) -> None:
    server = serve_all(proxy_protocol="required")
    for _ in range(3):
        with Peer.connect(server.address) as peer:
            peer.send(first)
            with pytest.raises((ConnectionResetError, AssertionError)):
                # What was not read makes a reset of the end.
                assert peer.receive_end() == b"an answer"
    failed = records.wait_for("proxy_failed")
    assert failed.levelno == logging.WARNING
    assert failed.fields["reason"] == reason  # type: ignore[attr-defined]
    server.shutdown()
    written = [record for record in records.all() if record.levelno >= logging.WARNING]
    texts = [record.getMessage() for record in written]
    assert len(texts) == 2 and f"of=proxy_failed reason={reason} count=2" in texts[1]
    everything = " ".join(record.getMessage() for record in records.all())
    assert "MARK4711" not in everything and "message_received" not in everything


@pytest.mark.parametrize("first", [b"", V1[:20], SIGNATURE])
def test_header_that_does_not_come(serve_all: Serve, records: Records, first: bytes) -> None:
    server = serve_all(proxy_protocol="required", timeout=0.3)
    with Peer.connect(server.address) as peer:
        peer.send(first)
        assert peer.receive_end() == b""
    if first:
        record = records.wait_for("proxy_failed")
        assert record.levelno == logging.WARNING and "reason=timeout" in record.getMessage()
    else:
        record = records.wait_for("probe")
        assert record.levelno == logging.INFO and "kind=timeout" in record.getMessage()


def test_probes_are_one_line(serve_all: Serve, records: Records) -> None:
    server = serve_all(proxy_protocol="required")
    probes: list[Callable[[Peer], None]] = [
        lambda peer: None,
        Peer.reset,
        Peer.half_close,
        lambda peer: peer.send(b"GET /health HTTP/1.1\r\n\r\n"),
    ]
    for probe in probes:
        with Peer.connect(server.address) as peer:
            probe(peer)
        records.wait_for("probe")
    written = [it for it in records.all() if it.levelno >= logging.INFO]
    assert [(it.__dict__["event"], it.levelno) for it in written] == [("probe", logging.INFO)] * 4


def test_connections_without_their_header_count(serve_all: Serve, records: Records) -> None:
    server = serve_all(proxy_protocol="required", max_connections=2, timeout=0)
    with Peer.connect(server.address) as one, Peer.connect(server.address) as other:
        one.send(V1[:7])
        other.send(SIGNATURE[:3])
        with Peer.connect(server.address) as third:
            assert third.receive_end() == b""
        assert "peer=127.0.0.1:" in records.wait_for("too_many_connections").getMessage()
        one.send(V1[7:] + framed(message("A")))
        assert one.receive_msa() == ("AA", "A")


def test_stop_reads_a_header_that_has_come(serve_all: Serve) -> None:
    server = serve_all(proxy_protocol="required", timeout=0)
    with Peer.connect(server.address) as silent, Peer.connect(server.address) as peer:
        peer.send(V1 + framed(message("A")))
        assert peer.receive_msa() == ("AA", "A")
        server.shutdown()
        assert silent.receive_end() == b""


def test_tls_behind_a_proxy(serve_all: Serve, authority: Authority, records: Records) -> None:
    identity = authority.issue("localhost")
    context = server_context(identity.certificate, identity.key)
    server = serve_all(proxy_protocol="required", tls=context, allow=["10.11.0.0/16"])
    plain = socket.create_connection(server.address)
    plain.sendall(V2)
    trusting = client_context(ca=authority.file)
    with Peer(trusting.wrap_socket(plain, server_hostname="localhost")) as peer:
        peer.exchange("A")
    assert "peer=10.11.2.1:40000" in records.wait_for("connect").getMessage()
    records.wait_for("tls_established")


@pytest.mark.parametrize("header", [V1, V2, V2_IPV6])
def test_header_that_is_not_expected_closes_the_connection(
    serve_all: Serve, undisturbed: Undisturbed, records: Records, header: bytes
) -> None:
    server = serve_all()
    with undisturbed(server):  # type: ignore[arg-type]
        for _ in range(3):
            with Peer.connect(server.address) as peer:
                peer.send(header + framed(message("A")))
                assert peer.receive_end() == b""
                records.wait_for("disconnect")
    written = [it for it in records.seen if it.levelno >= logging.WARNING]
    assert [it.__dict__["event"] for it in written] == ["wrong_protocol"]


def test_probe_of_a_proxy_is_no_warning(serve_all: Serve, records: Records) -> None:
    server = serve_all()
    for _ in range(3):
        with Peer.connect(server.address) as peer:
            peer.send(LOCAL)
            assert peer.receive_end() == b""
        disconnect = records.wait_for("disconnect")
        assert disconnect.fields["reason"] == "wrong_protocol"  # type: ignore[attr-defined]
    assert max(levels(records)) == logging.INFO


def test_probes_over_http_are_a_warning_once(serve_all: Serve, records: Records) -> None:
    server = serve_all()
    found = []
    for _ in range(3):
        with Peer.connect(server.address) as peer:
            peer.send(b"GET /health HTTP/1.1\r\n\r\n")
            assert peer.receive_end() == b""
        found.append(records.wait_for("wrong_protocol").levelno)
        records.wait_for("disconnect")
    assert found == [logging.WARNING, logging.INFO, logging.INFO]


def test_unknown_choice() -> None:
    with pytest.raises(ValueError, match=re.escape("proxy_protocol must be off or required")):
        Server(host="127.0.0.1", port=0, proxy_protocol="optional")
