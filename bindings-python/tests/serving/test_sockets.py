"""What all servers, clients and links have in common at their sockets."""

import socket

import pytest
from fastmllp.serving.sockets.addresses import (
    Address,
    interleaved,
    peer_of,
    place,
    reason,
    resolve,
    unbracketed,
)
from fastmllp.serving.sockets.listening import listen
from fastmllp.serving.sockets.options import set_options


def test_options_probe_a_silent_peer_within_minutes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as connected:
            set_options(connected)
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_KEEPIDLE"):
                # Load balancers forget an idle connection after 350 seconds and more.
                assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 350


def test_options_of_what_is_not_tcp() -> None:
    left, right = socket.socketpair()
    with left, right:
        set_options(left)


@pytest.mark.parametrize(
    ("host", "plain", "shown"),
    [
        ("::1", "::1", "[::1]:2575"),
        ("[::1]", "::1", "[::1]:2575"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:2575"),
        ("lab.example", "lab.example", "lab.example:2575"),
        ("[lab]", "[lab]", "[lab]:2575"),
    ],
)
def test_brackets_of_ipv6(host: str, plain: str, shown: str) -> None:
    assert unbracketed(host) == plain
    assert place(plain, 2575) == shown


def test_peer_of_a_socket_for_both_families() -> None:
    assert peer_of(("::ffff:10.1.2.3", 5000, 0, 0)) == ("10.1.2.3", 5000)
    assert peer_of(("::1", 5000, 0, 0)) == ("::1", 5000)
    assert peer_of(("10.1.2.3", 5000)) == ("10.1.2.3", 5000)


def test_addresses_take_turns() -> None:
    six = [Address(socket.AF_INET6, (f"2001:db8::{n}", 1, 0, 0)) for n in (1, 2, 3)]
    four = [Address(socket.AF_INET, (f"192.0.2.{n}", 1)) for n in (1,)]
    assert interleaved(six + four) == [six[0], four[0], six[1], six[2]]
    assert interleaved(four + six) == [four[0], *six]
    assert interleaved([]) == []


@pytest.mark.parametrize("host", ["a\0b", "x" * 300, "\udcff"])
def test_what_is_no_host_name_is_an_oserror(host: str) -> None:
    with pytest.raises(OSError) as failed:
        resolve(host, 2575)
    assert reason(failed.value) and host not in reason(failed.value)


def test_reason_leaves_out_what_was_added() -> None:
    added = OSError(111, "Connect call failed ('10.0.0.1', 2575)")
    assert "10.0.0.1" not in reason(added)
    assert reason(TimeoutError()) == "no answer in time"


@pytest.mark.parametrize("host", ["*", ""])
def test_every_address_of_both_families(host: str) -> None:
    with listen(host, 0) as listener:
        port = listener.getsockname()[1]
        families = [("127.0.0.1", socket.AF_INET)]
        if listener.family == socket.AF_INET6:
            families.append(("::1", socket.AF_INET6))
        for address, _ in families:
            socket.create_connection((address, port)).close()
            accepted, peer = listener.accept()
            accepted.close()
            assert peer_of(peer)[0] == address


def test_bracketed_address_is_listened_on() -> None:
    try:
        listener = listen("[::1]", 0)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {reason(error)}")
    with listener:
        assert listener.getsockname()[0] == "::1"


def test_machine_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listen("*", 0) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"
