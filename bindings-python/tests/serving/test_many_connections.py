"""Thousands of connections that are idle, and the ones that are not."""

import contextlib
import selectors
from collections.abc import Callable, Iterator

import pytest
from conftest import AsyncServed, Program
from peers import DEADLINE, Peer, framed, message

IDLE = 5_000


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Leave to open as many sockets as this takes."""
    resource = pytest.importorskip("resource")
    if selectors.DefaultSelector is selectors.SelectSelector:
        pytest.skip("this system waits for a thousand sockets at most")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * IDLE + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this system allows {hard} descriptors, {needed} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_connections_and_a_busy_one(
    serve_async: Callable[..., AsyncServed], descriptors: None
) -> None:
    server = serve_async(timeout=60, max_connections=IDLE + 10)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(Peer.connect(server.address)) for _ in range(IDLE)]
        with Peer.connect(server.address) as busy:
            for number in range(500):
                busy.exchange(str(number))
        # None of them was forgotten meanwhile.
        for number, peer in enumerate(idle):
            peer.send(framed(message(f"I{number}")))
        for number, peer in enumerate(idle):
            assert peer.receive_msa() == ("AA", f"I{number}")


def test_everything_received_is_answered_when_the_program_is_told_to_stop_under_load(
    program: Callable[..., Program],
) -> None:
    server = program("--quiet")
    stream = b"".join(framed(message(f"{number:05}")) for number in range(400))
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer.connect(server.address)) for _ in range(20)]
        for peer in peers:
            peer.send(stream)
        # All of it is in the server's hands, at least in those of its kernel.
        assert peers[0].receive_msa() == ("AA", "00000")
        status, _, _ = server.stop()
        answered = [peer.receive_end().count(b"MSA|AA|") for peer in peers]
    assert status == 0
    assert answered == [399] + [400] * 19


def test_a_slow_reader_holds_up_nobody(serve_async: Callable[..., AsyncServed]) -> None:
    server = serve_async(timeout=60)
    with Peer.connect(server.address) as slow, Peer.connect(server.address) as other:
        slow.socket.setblocking(False)
        stream, sent = framed(message("SLOW")) * 2000, 0
        with selectors.DefaultSelector() as selector:
            selector.register(slow.socket, selectors.EVENT_WRITE)
            # Until the server reads no more, because its answers are not taken.
            while sent < 50 * len(stream) and selector.select(0.3):
                with contextlib.suppress(BlockingIOError):
                    sent += slow.socket.send(stream[sent % len(stream) :])
            for number in range(50):
                other.exchange(str(number))
        slow.socket.settimeout(DEADLINE)
        complete = sent // len(framed(message("SLOW")))
        assert complete < 100_000, "the server took everything"
        for _ in range(complete):
            assert slow.receive_msa() == ("AA", "SLOW")
