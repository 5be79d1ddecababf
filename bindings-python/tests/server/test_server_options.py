"""Who may connect, what becomes of a large message, and a port for several processes."""

import ipaddress
import logging
import random
import socket

import pytest
from conftest import Records, Serve, Undisturbed
from fastmllp import Message
from fastmllp.config.allow import AllowList
from fastmllp.server import Server
from peers import Peer, framed, message
from platforms import has_reuse_port


@pytest.mark.parametrize(
    ("networks", "allowed", "refused"),
    [
        (None, ["10.0.0.1", "::1", "unknown"], []),
        (["10.1.0.0/16"], ["10.1.0.0", "10.1.255.255"], ["10.2.0.0", "::1", "unknown", ""]),
        (["10.1.2.3"], ["10.1.2.3", "::ffff:10.1.2.3"], ["10.1.2.4", "::10.1.2.3"]),
        (["::1", "2001:db8::/32"], ["::1", "2001:db8:1::2"], ["::2", "2001:db9::", "0.0.0.1"]),
        (["::ffff:10.1.0.0/112"], ["10.1.2.3", "::ffff:10.1.2.3"], ["10.2.0.1", "::1"]),
        (["::/0"], ["::1", "fe80::1%eth0"], ["10.0.0.1", "::ffff:10.0.0.1"]),
        (["fe80::/10"], ["fe80::1%eth0"], ["fec0::1"]),
        (("0.0.0.0/0", "::/0"), ["10.0.0.1", "::1", "::ffff:10.0.0.1"], []),
    ],
)
def test_allow_list(networks: list[str] | None, allowed: list[str], refused: list[str]) -> None:
    allow = AllowList(networks)
    assert [host for host in allowed if not allow.allows(host)] == []
    assert [host for host in refused if allow.allows(host)] == []


def test_allow_list_against_a_plain_search() -> None:
    chance = random.Random(4711)
    texts = [
        str(ipaddress.ip_network((chance.getrandbits(bits), chance.randint(0, bits)), strict=False))
        for bits in (32, 128)
        for _ in range(40)
    ]
    networks = [ipaddress.ip_network(text) for text in texts if not text.endswith("/0")]
    allow = AllowList([str(network) for network in networks])
    for network in networks:
        for number in (
            int(network[0]),
            int(network[-1]),
            int(network[-1]) + 1,
            int(network[0]) - 1,
        ):
            if not 0 <= number < 2**network.max_prefixlen:
                continue
            address = type(network[0])(number)
            assert allow.allows(str(address)) == any(address in it for it in networks), address


def test_a_long_allow_list_is_not_searched_line_by_line() -> None:
    allow = AllowList([f"10.{n >> 8 & 255}.{n & 255}.0/24" for n in range(20_000)])
    assert len(allow._networks) == 1, "one look-up for each length of a prefix"
    assert allow.allows("10.78.31.9") and not allow.allows("10.78.32.9")


@pytest.mark.parametrize(
    "wrong",
    [["10.1.2.3/16"], ["10.1.0.0/33"], ["localhost"], [""], ["::1/0"], ["10.1.0.0/16", "x"]],
)
def test_network_that_is_none(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match="allow"):
        Server(host="127.0.0.1", port=0, allow=wrong)


@pytest.mark.parametrize("wrong", ["10.1.0.0/16", [7], [b"::1"], 7])
def test_networks_of_a_wrong_type(wrong: object) -> None:
    with pytest.raises(TypeError):
        Server(host="127.0.0.1", port=0, allow=wrong)  # type: ignore[arg-type]


def test_peer_outside_is_closed_at_once(serve_both: Serve, records: Records) -> None:
    server = serve_both(allow=["127.0.0.2", "10.0.0.0/8"], timeout=0)
    with Peer.connect(server.address) as peer:
        assert peer.receive_end() == b""
        record = records.wait_for("peer_not_allowed")
        assert record.levelno == logging.WARNING
        address = "{}:{}".format(*peer.socket.getsockname())
        assert record.fields == {"peer": address}  # type: ignore[attr-defined]
    with socket.socket() as inside:
        inside.bind(("127.0.0.2", 0))
        inside.connect(server.address)
        Peer(inside).exchange("A")
    assert "connect" not in [record.event for record in records.seen]  # type: ignore[attr-defined]


def test_peer_outside_takes_no_place(serve_both: Serve) -> None:
    server = serve_both(allow=["127.0.0.2"], max_connections=1)
    with Peer.connect(server.address) as first, Peer.connect(server.address) as second:
        assert first.receive_end() + second.receive_end() == b""
        with socket.socket() as inside:
            inside.bind(("127.0.0.2", 0))
            inside.connect(server.address)
            Peer(inside).exchange("A")


# Above the limit.


@pytest.mark.parametrize("size", [1001, 70_000, 5_000_000])
@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_large_message_is_refused(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, size: int, policy: str
) -> None:
    seen: list[bytes] = []

    def handler(received: Message) -> None:
        seen.append(received.header.message_control_id)

    server = serve_both(handler, max_size=1000, over_limit="refuse", policy=policy)
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("LARGE").ljust(size, b"x")))
        peer.send(framed(message("B")))
        answers = [peer.receive_msa() for _ in range(3)]
        assert answers == [("AA", "A"), ("AR", "LARGE"), ("AA", "B")]
        # Its connection goes on.
        peer.exchange("C")
    assert b"LARGE" not in seen
    record = records.wait_for("frame_too_large")
    assert record.fields == {"max_size": 1000, "refused": True}  # type: ignore[attr-defined]
    assert record.levelno == logging.WARNING


def enhanced(accept: str, application: str, control_id: str) -> bytes:
    header = f"MSH|^~\\&|S|SF|R|RF|20240131||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r"
    return header.encode().ljust(2000, b"x")


def test_large_message_is_refused_as_its_sender_asks(serve_both: Serve, records: Records) -> None:
    server = serve_both(max_size=1000, over_limit="refuse", policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(enhanced("AL", "NE", "A")) + framed(enhanced("NE", "NE", "B")))
        peer.send(framed(b"no header".ljust(2000)) + framed(enhanced("NE", "ER", "C")))
        assert [peer.receive_msa(), peer.receive_msa()] == [("CR", "A"), ("AR", "C")]
        peer.exchange("NEXT")
    refused = [records.wait_for("frame_too_large").fields["refused"] for _ in range(4)]  # type: ignore[attr-defined]
    assert refused == [True, False, False, True]


def test_large_message_without_a_header_is_refused(serve_both: Serve) -> None:
    server = serve_both(max_size=1000, over_limit="refuse")
    with Peer.connect(server.address) as peer:
        peer.send(framed(b"x" * 2000))
        assert peer.receive_msa()[0] == "AR"
        peer.exchange("NEXT")


def test_sender_of_a_large_message_that_stops_in_the_middle(
    serve_both: Serve, records: Records
) -> None:
    server = serve_both(max_size=1000, over_limit="refuse", timeout=0.3)
    with Peer.connect(server.address) as peer:
        peer.send(b"\x0b" + message("LARGE").ljust(5000, b"x"))
        records.wait_for("frame_too_large")
        peer.receive_end()
    records.wait_for("disconnect")


def test_unknown_ways() -> None:
    for options in ({"over_limit": "x"}, {"policy": "x"}):
        with pytest.raises(ValueError):
            Server(host="127.0.0.1", port=0, **options)  # type: ignore[arg-type]


# One port, several processes.


@has_reuse_port
def test_two_servers_on_one_port(serve_both: Serve) -> None:
    with Server(host="127.0.0.1", port=0, reuse_port=True) as first:
        port = first.address[1]
        with Server(host="127.0.0.1", port=port, reuse_port=True) as second:
            assert second.address == first.address
        with pytest.raises(OSError):
            Server(host="127.0.0.1", port=port)


def test_system_that_cannot_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
    with pytest.raises(ValueError, match="reuse_port"):
        Server(host="127.0.0.1", port=0, reuse_port=True)
    Server(host="127.0.0.1", port=0).shutdown()
