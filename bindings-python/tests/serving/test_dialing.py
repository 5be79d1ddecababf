"""Which address of a host is tried, when, and within which time: the same for every client."""

import asyncio
import doctest
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import fastmllp.serving.sockets.dialing
import pytest
from conftest import ClientClass, Records
from fastmllp.client import ConnectError
from fastmllp.link import Reconnect, SocketLink
from fastmllp.serving.sockets.addresses import Address
from fastmllp.serving.sockets.dialing import HappyEyeballs
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message, not_before

V4 = [Address(socket.AF_INET, (f"192.0.2.{number}", 1)) for number in range(3)]
V6 = [Address(socket.AF_INET6, (f"2001:db8::{number}", 1, 0, 0)) for number in range(3)]

Names = dict[str, list[str]]


def test_examples() -> None:
    names = {"HappyEyeballs": HappyEyeballs, "Address": Address}
    names |= {"AF_INET": socket.AF_INET, "AF_INET6": socket.AF_INET6}
    result = doctest.testmod(fastmllp.serving.sockets.dialing, globs=names)
    assert result.attempted > 0 and result.failed == 0


def test_the_families_take_turns() -> None:
    attempts = HappyEyeballs([*V6, *V4[:1]])
    taken = [attempts.take(now) for now in (0.0, 1.0, 2.0, 3.0, 4.0)]
    assert taken == [V6[0], V4[0], V6[1], V6[2], None]


def test_an_attempt_begins_after_a_while_or_when_one_has_failed() -> None:
    attempts = HappyEyeballs(V4)
    assert attempts.take(10.0) == V4[0]
    assert attempts.take(10.24) is None and attempts.next_time == 10.25
    assert attempts.take(10.25) == V4[1]
    attempts.failed(OSError(errno.ECONNREFUSED, "first"))
    assert attempts.take(10.26) == V4[2]
    assert attempts.next_time is None and not attempts.is_over
    for text in ("second", "third"):
        attempts.failed(OSError(errno.ECONNREFUSED, text))
    assert attempts.is_over and attempts.error.strerror == "third"


def test_no_address_at_all() -> None:
    assert HappyEyeballs([]).is_over


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names and their addresses, for the test to fill; what is not there the system looks up."""
    known: Names = {}
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host not in known:
            return look_up(host, port, *args, **options)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def hole() -> Iterator[Callable[..., str]]:
    """Make an address that answers no attempt to connect to a port: its queue is full."""
    with ExitStack() as sockets:

        def dig(port: int, last: int = 2) -> str:
            address = (f"127.0.0.{last}", port)
            full = sockets.enter_context(socket.socket())
            full.bind(address)
            full.listen(0)
            for _ in range(4):
                waiting = sockets.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            return address[0]

        yield dig


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """The sockets of all attempts, in order."""
    seen: list[socket.socket] = []
    set_options = fastmllp.serving.sockets.dialing.set_options

    def note(connected: socket.socket) -> None:
        set_options(connected)
        seen.append(connected)

    monkeypatch.setattr("fastmllp.serving.sockets.dialing.set_options", note)
    return seen


def answer(peer: Peer) -> None:
    peer.receive_frame()
    peer.send(framed(acknowledgment("A")))


def test_a_dead_first_address_does_not_take_the_time(
    client_class: ClientClass, names: Names, hole: Callable[[int], str]
) -> None:
    with ScriptedServer(answer) as server:
        host, port = server.address
        names["two.test"] = [hole(port), host]
        with client_class("two.test", port, timeout=DEADLINE) as client:
            assert client.send(message("A")).accepted


def test_an_address_that_refuses_is_passed_over_at_once(
    client_class: ClientClass, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmllp.serving.sockets.dialing._STAGGER", 3 * DEADLINE)
    with ScriptedServer(answer) as server:
        host, port = server.address
        names["two.test"] = ["127.0.0.3", "127.0.0.4", host]
        with client_class("two.test", port) as client:
            assert client.send(message("A")).accepted


def test_the_time_is_for_all_addresses_together(
    client_class: ClientClass, names: Names, hole: Callable[..., str], tried: list[socket.socket]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        names["holes.test"] = [hole(port, last) for last in range(2, 7)]
        with not_before(0.5), pytest.raises(ConnectError, match="no answer in time") as caught:
            client_class("holes.test", port, timeout=0.6).connect()
        assert caught.value.fate == "not_sent"
        # A time for each would have been enough for all of them.
        assert 0 < len(tried) < 5


def test_a_look_up_that_hangs_is_left_behind(
    client_class: ClientClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, ended = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        if host != "slow.test":
            return look_up(host, *args, **options)
        released.wait(DEADLINE)
        ended.set()
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ConnectError, match="no answer in time"):
        client_class("slow.test", 2575, timeout=0.2).connect()
    assert not ended.is_set()
    released.set()
    assert ended.wait(DEADLINE)


def test_a_link_that_dials_passes_a_dead_address_over(
    names: Names, hole: Callable[[int], str]
) -> None:
    answered = threading.Event()

    def script(peer: Peer) -> None:
        peer.exchange("A")
        answered.set()

    async def work(port: int) -> None:
        link = SocketLink(None, "two.test", port, mode="client", timeout=DEADLINE)
        async with asyncio.timeout(DEADLINE), link:
            while not answered.is_set():
                await asyncio.sleep(0.01)

    with ScriptedServer(script) as server:
        host, port = server.address
        names["two.test"] = [hole(port), host]
        asyncio.run(work(port))


@pytest.mark.parametrize("host", ["nosuch.invalid", "a..b", "x" * 300])
def test_one_text_for_an_unknown_host(
    client_class: ClientClass, records: Records, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConnectError) as caught:
        client_class(host, 2575).connect()
    why = str(caught.value).partition(": ")[2]
    assert why and host not in why

    async def work() -> None:
        reconnect = Reconnect(first=60.0)
        async with SocketLink(None, host, 2575, mode="client", reconnect=reconnect):
            await asyncio.to_thread(records.wait_for, "redial")

    asyncio.run(work())
    failed = [it for it in records.all() if it.__dict__["event"] == "dial_failed"]
    assert [it.__dict__["fields"]["error"] for it in failed] == [why]


def test_hosts_in_brackets(client_class: ClientClass) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        with client_class("[::1]", port):
            listener.accept()[0].close()
    with pytest.raises(ConnectError, match=rf"cannot reach \[::1\]:{port}: Connection refused"):
        client_class("::1", port).connect()


def test_every_end_is_probed(client_class: ClientClass, tried: list[socket.socket]) -> None:
    """The options are those of `set_options`; `test_sockets` has their values."""

    def script(peer: Peer) -> None:
        peer.receive_end()

    with ScriptedServer(script) as server, client_class(*server.address):
        (connected,) = tried
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
