"""HL7 v2 over MLLP, both ways."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from fastmllp_engine.graph import Spec
from fastmllp_engine.graph.kinds import Between, Byte, Count, Port, Seconds, Text
from fastmllp_engine.graph.refused import OF_TRANSPORT


class MLLP(Spec):
    """HL7 v2 over MLLP. Connections stay open in both directions.

    An inbound listens at ``port``; an outbound dials ``host`` and ``port``. Times are in seconds.
    """

    port: Port
    """0 takes a free one, for tests."""
    host: Text | None = None
    """Of an outbound: the partner. Of an inbound: the address to listen at."""
    encoding: Text = "utf-8"
    """The character set of messages that do not name one in MSH-18."""
    profile: Literal["permissive", "resync", "strict"] | None = None
    """How the stream is cut into frames; None: ``resync`` inbound, ``permissive`` outbound."""
    start_block: Byte = 0x0B
    end_block: Byte = 0x1C
    trailer: Byte | None = 0x0D
    """The byte after the end block; None: there is none."""
    connect_timeout: Seconds = 10.0
    """For connecting, the handshake of TLS included."""
    keep_alive_seconds: Annotated[int, Between(1, 32_767)] | None = 60
    """Silence after which TCP probes whether the peer is there; None: never."""
    send_timeout_seconds: Seconds = 10.0
    """For the peer to take a message, an answer, or of one above 64 KiB more of it."""
    trailer_timeout_seconds: Seconds = 0.25
    """Silence that ends a frame without its trailer, where the profile waits for it."""

    max_frame_bytes: Count = 128 * 1024 * 1024
    """Inbound: the longest message."""
    over_limit: Literal["refuse", "close"] = "refuse"
    """Inbound: a longer one is refused with AR, or its connection is closed."""
    max_connections: Count = 10_000
    """Inbound: connections at a time; further ones are closed at once."""
    idle_timeout_seconds: Seconds | None = None
    """Inbound: silence between messages that ends a connection; None: feeds are quiet at night."""
    byte_timeout_seconds: Seconds = 10.0
    """Inbound: silence inside a message that ends its connection."""
    max_frame_seconds: Seconds = 60.0
    """Inbound: for a whole message. A slow line needs more of it for a long one."""
    commit_blocks: bool = False
    """Inbound: MLLP release 2, a block of its own before each answer."""
    stop_timeout_seconds: Seconds = 10.0
    """Inbound: how long connections may take to end once it stops."""

    timeout_seconds: Seconds = 30.0
    """Outbound: from the last byte of a message to its answer."""
    max_reply_bytes: Count = 1024 * 1024
    """Outbound: the longest answer."""
    reconnect_seconds: Seconds = 0.5
    """Outbound: before the second attempt to connect. It doubles with each further one."""
    max_reconnect_seconds: Seconds = 30.0
    """Outbound: the longest wait before an attempt to connect."""
    reply_rules: str = ""
    """Outbound: which answers count, such as ``CE=retry, error=suspend+warn``."""
    delimiters: Literal["single_byte", "shift_jis", "gb18030", "iso2022_jp", "auto"] = "single_byte"
    """Outbound: how delimiters are found in messages and answers with two-byte characters."""
    persistent: Literal[True] = True
    """Outbound: the connection stays open; there is no other way."""
    verify_ack_control_id: Literal[True] = True
    """Outbound: only the answer to its own control ID completes a delivery; always so."""

    tls: bool = False
    tls_cert_file: Text | None = None
    """The certificate that is shown, in PEM, and after it those up to the authority's."""
    tls_key_file: Text | None = None
    """Its private key, in PEM, not encrypted."""
    tls_ca_file: Text | None = None
    """The authorities that have signed the peer's certificate, in PEM."""
    tls_client_auth: Literal["none", "optional", "required"] | None = None
    """Inbound: whether clients show a certificate; None: ``required`` with a ``tls_ca_file``."""
    tls_server_name: Text | None = None
    """Outbound: the name in the partner's certificate, if it is not the host."""
    tls_min_version: Literal["1.2", "1.3"] = "1.2"

    transport: ClassVar[str] = "mllp"
    receives: ClassVar[bool] = True
    sends: ClassVar[bool] = True
    listens: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = OF_TRANSPORT

    def faults(self) -> Iterator[tuple[str, str]]:
        blocks = [self.start_block, self.end_block]
        blocks += [] if self.trailer is None else [self.trailer]
        if len(set(blocks)) < len(blocks):
            yield "start_block", "start_block, end_block and trailer must differ"
        if self.profile == "resync" and self.trailer is None:
            yield "profile", 'profile "resync" needs a trailer'
        if self.reconnect_seconds > self.max_reconnect_seconds:
            yield "reconnect_seconds", "reconnect_seconds must not exceed max_reconnect_seconds"
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            yield "tls_cert_file", "tls_cert_file and tls_key_file need each other"
        files = (self.tls_cert_file, self.tls_ca_file, self.tls_client_auth, self.tls_server_name)
        if not self.tls and any(one is not None for one in files):
            yield "tls", "there are options of TLS, but not tls = true"

    def wanted_of_inbound(self) -> Iterator[str]:
        if self.tls and self.tls_cert_file is None:
            yield "tls of an inbound needs tls_cert_file and tls_key_file"
        if self.tls_client_auth in ("optional", "required") and self.tls_ca_file is None:
            yield f'tls_client_auth "{self.tls_client_auth}" needs tls_ca_file'
        if self.tls_server_name is not None:
            yield "tls_server_name is for an outbound"
        if self.trailer is None and self.profile is None:
            yield 'without a trailer say profile = "permissive"'

    def wanted_of_outbound(self) -> Iterator[str]:
        if self.host is None:
            yield "MLLP of an outbound needs a host"
        if self.port == 0:
            yield "port must be from 1 to 65535"
        if self.tls and self.tls_ca_file is None:
            yield "tls of an outbound needs tls_ca_file"
        if self.tls_client_auth is not None:
            yield "tls_client_auth is for an inbound"

    def summary(self) -> str:
        return f"{self.host or ''}:{self.port}" + (" TLS" if self.tls else "")
