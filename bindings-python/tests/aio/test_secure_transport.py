"""How much of what was written inside TLS has left, in bytes of the program."""

import asyncio
import errno

import pytest
from certificates import Authority
from fastmllp.aio.linger import Linger
from fastmllp.aio.secure_transport import SecureTransport
from fastmllp.tls import client_context, server_context
from fastmllp.tls.session import TlsSession
from tls_wire import exchange


class Lower(asyncio.Transport):
    """Holds what is written until it is told that a part has left."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []
        self.held = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.lengths.append(len(data))
        self.held += len(data)

    def get_write_buffer_size(self) -> int:
        return self.held


@pytest.fixture
def session(authority: Authority) -> TlsSession:
    """A client's end, after the handshake."""
    identity = authority.issue("localhost")
    client = TlsSession(client_context(ca=authority.file), server_hostname="localhost")
    server = TlsSession(server_context(identity.certificate, identity.key), server_side=True)
    exchange(client, server)
    assert client.is_open and server.is_open
    return client


def test_a_byte_has_left_when_its_record_has(session: TlsSession) -> None:
    lower = Lower()
    transport = SecureTransport(lower, session)
    transport.write(b"x" * 40_000)
    assert len(lower.lengths) == 3 and lower.held > 40_000
    assert transport.get_write_buffer_size() == 40_000
    lower.held -= lower.lengths[0] - 1
    assert transport.get_write_buffer_size() == 40_000
    lower.held -= 1
    assert transport.get_write_buffer_size() == 40_000 - 16_384
    lower.held = 1
    assert transport.get_write_buffer_size() == 40_000 - 2 * 16_384
    lower.held = 0
    assert transport.get_write_buffer_size() == 0
    transport.write(b"y" * 10)
    assert transport.get_write_buffer_size() == 10


def test_what_tls_writes_itself_is_something(session: TlsSession) -> None:
    lower = Lower()
    lower.write_eof = lambda: None  # type: ignore[method-assign]
    transport = SecureTransport(lower, session)
    transport.write_eof()
    assert lower.held > 0 and transport.get_write_buffer_size() == 1


class Reset(Lower):
    """A connection that the peer has reset, which its loop has not noticed yet."""

    def write_eof(self) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")


def test_the_end_of_a_connection_that_was_reset(session: TlsSession) -> None:
    transport = SecureTransport(Reset(), session)
    transport.write_eof()
    assert transport.is_ended


def test_lingering_on_a_connection_that_was_reset() -> None:
    async def linger() -> None:
        Linger(Reset(), asyncio.get_running_loop(), 1.0).cancel()

    asyncio.run(linger())
