"""The page of metrics has limits: silent, slow and many readers take nothing from the process."""

import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator

import fastmllp.serving.page_server
import pytest
from conftest import Program
from fastmllp.serving.metrics import start_http_server
from fastmllp.serving.page_server import MAX_CONNECTIONS, MAX_REQUEST, PageServer
from peers import DEADLINE, Peer, wait_until

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
Listen = Callable[..., PageServer]


@pytest.fixture
def listen() -> Iterator[Listen]:
    with contextlib.ExitStack() as stack:

        def start(
            page: Callable[[], bytes] = lambda: b"page\n", host: str = "127.0.0.1"
        ) -> PageServer:
            server = PageServer(host, 0, "text/plain", page)
            stack.callback(server.close)
            return server

        yield start


def connect(server: PageServer, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, server.port), timeout=DEADLINE)


def receive_all(peer: socket.socket) -> bytes:
    data = b""
    while piece := peer.recv(65_536):
        data += piece
    return data


def ask(server: PageServer, request: bytes = GET, host: str = "127.0.0.1") -> bytes:
    """The answer to a request, read to its end."""
    with connect(server, host) as peer:
        peer.sendall(request)
        return receive_all(peer)


OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics HTTP/1.1", OK + b"page\n"),
        (b"GET /metrics?name[]=a HTTP/1.0", OK + b"page\n"),
        (b"GET / HTTP/1.1", OK + b"page\n"),
        (b"HEAD /metrics HTTP/1.1", OK),
        (b"GET /other HTTP/1.1", b"HTTP/1.1 404 "),
        (b"POST /metrics HTTP/1.1", b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"),
        (b"get /metrics HTTP/1.1", b"HTTP/1.1 400 "),
        (b"GET /metrics", b"HTTP/1.1 400 "),
        (b"\x16\x03\x01\x02\x00\x01\xff", b"HTTP/1.1 400 "),
    ],
)
def test_requests(request_line: bytes, status: bytes, listen: Listen) -> None:
    server = listen()
    for end in (b"\r\n\r\n", b"\r\nHost: x\r\nAccept: */*\r\n\r\n", b"\n\n"):
        answer = ask(server, request_line + end)
        assert answer == status if status.startswith(OK) else answer.startswith(status)


def test_a_request_in_pieces_and_one_with_more_behind_it(listen: Listen) -> None:
    server = listen()
    with connect(server) as peer:
        for byte in GET:
            peer.sendall(bytes([byte]))
        assert receive_all(peer).endswith(b"page\n")
    # What nobody reads must not cost the answer.
    assert ask(server, GET + b"A" * 100_000).endswith(b"page\n")


def test_a_large_request(listen: Listen) -> None:
    assert ask(listen(), b"GET /" + b"A" * MAX_REQUEST).startswith(b"HTTP/1.1 431 ")


def test_a_page_that_fails(listen: Listen) -> None:
    pages: list[bytes] = []
    server = listen(lambda: pages.pop())
    assert ask(server).startswith(b"HTTP/1.1 500 ")
    pages.append(b"page\n")
    assert ask(server) == OK + b"page\n"


def test_ipv6() -> None:
    try:
        endpoint = start_http_server("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with endpoint, socket.create_connection(endpoint.address, timeout=DEADLINE) as peer:
        peer.sendall(GET)
        assert b"fastmllp_messages_total" in receive_all(peer)


def test_silent_peers_take_no_thread_and_few_descriptors(listen: Listen) -> None:
    server = listen()
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect(server)) for _ in range(200)]
        for peer in peers[::2]:
            peer.sendall(GET[:10])
        # All others were ended to make room, the oldest first.
        for peer in peers[:-MAX_CONNECTIONS]:
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(1) == b""
        assert len(server._connections) <= MAX_CONNECTIONS
        assert threading.active_count() == before
        assert ask(server) == OK + b"page\n"


@pytest.mark.parametrize("sent", [b"", b"GET /met", GET])
def test_no_connection_lasts_longer_than_its_time(
    sent: bytes, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastmllp.serving.page_server, "SECONDS", 0.1)
    # More than the system takes for a peer that does not read.
    server = listen(lambda: b"A" * 50_000_000)
    with connect(server) as peer:
        peer.sendall(sent)
        wait_until(lambda: bool(server._connections), "the connection")
        wait_until(lambda: not server._connections, "its end")
        with contextlib.suppress(ConnectionResetError):
            assert len(receive_all(peer)) < 50_000_000


def test_a_peer_that_drips_does_not_extend_its_time(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastmllp.serving.page_server, "SECONDS", 0.2)
    server = listen()
    with connect(server) as peer, pytest.raises(OSError):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            peer.sendall(b"G")
            time.sleep(0.005)


def test_a_slow_reader_holds_nobody_up(listen: Listen) -> None:
    pages = [b"page\n", b"A" * 50_000_000]
    server = listen(pages.pop)
    with connect(server) as slow:
        slow.sendall(GET)
        assert slow.recv(10)
        assert ask(server) == OK + b"page\n"


def test_the_end_amid_connections(listen: Listen) -> None:
    server = listen()
    with connect(server) as peer:
        peer.sendall(GET[:10])
        wait_until(lambda: bool(server._connections), "the connection")
        server.close()
        server.close()
        with contextlib.suppress(ConnectionResetError):
            assert peer.recv(1) == b""
    with pytest.raises(OSError):
        connect(server)


def test_no_descriptors_are_left(listen: Listen) -> None:
    server = listen()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with connect(server) as peer, contextlib.ExitStack() as stack:
        wait_until(lambda: bool(server._connections), "the connection")
        last = stack.enter_context(open(os.devnull)).fileno()
        waiting = stack.enter_context(socket.socket())
        waiting.settimeout(DEADLINE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last, hard))
        try:
            waiting.connect(("127.0.0.1", server.port))
            wait_until(lambda: server._paused_until > 0, "the shortage")
            peer.sendall(GET)
            assert receive_all(peer) == OK + b"page\n"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        waiting.sendall(GET)
        assert receive_all(waiting) == OK + b"page\n"


def test_messages_are_answered_whoever_reads_the_metrics(
    program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
    try:
        server = program("--metrics-port", str(port), "--log-level", "warning")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE))
        for number in range(10):
            stack.enter_context(Peer.connect(server.address)).exchange(f"M{number}")
    status, _, err = server.stop()
    assert status == 0 and err == b""
