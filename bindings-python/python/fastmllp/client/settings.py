"""The settings of a client, blocking or asyncio, checked once."""

import logging
import ssl
from typing import Literal, TypeAlias

from fastmllp import config
from fastmllp._native import Initiator
from fastmllp.client.reply import EncodingError
from fastmllp.logging import log_event
from fastmllp.serving.character_set import contradicts
from fastmllp.serving.sockets.addresses import place, unbracketed
from fastmllp.serving.sockets.back_off import Attempts, BackOff
from fastmllp.tls.session import TlsSession

__all__ = ["ClientSettings", "Payload", "WaitFor"]

WaitFor: TypeAlias = Literal["application", "accept"]
Payload: TypeAlias = str | bytes | bytearray | memoryview

_LINGER_SECONDS = 10.0
# What a reply means is the caller's decision, and so is sending again.
_RULES = "accept=accept, *=fail"


class ClientSettings:
    """The settings of one client, and what follows from them."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        encoding: str,
        max_size: int,
        scan: str,
        strict: bool,
        wait_for: WaitFor,
        tls: ssl.SSLContext | None,
        server_hostname: str | None,
        back_off: BackOff | None,
        window: int = 1,
    ) -> None:
        """Check the settings, which are as for `Client` and `AsyncClient`.

        Raises:
            ValueError: A setting is out of bounds.
        """
        if wait_for not in ("application", "accept"):
            raise ValueError(f"wait_for must be 'application' or 'accept', not {wait_for!r}")
        self.host = host
        self.port = config.port("port", port)
        self.timeout = config.seconds("timeout", timeout)
        self.max_size = config.size("max_size", max_size)
        self.scan = scan
        self.wait_for = wait_for
        self.tls = tls
        self.server_hostname = server_hostname or unbracketed(host)
        self.server = place(host, self.port)
        self.linger = min(self.timeout or _LINGER_SECONDS, _LINGER_SECONDS)
        """Seconds that a connection may take to end after messages that nothing answers."""
        self.attempts = Attempts(back_off or BackOff(), self.timeout)
        self.destination = (host, self.port, self.timeout, tls, self.server_hostname)
        """What `dial` takes."""
        self._encoding = config.encoding("encoding", encoding)
        self._strict = strict
        self._window = window
        if tls is not None:
            TlsSession(tls, server_hostname=self.server_hostname)
        self.new_link()

    def new_link(self) -> Initiator:
        """A link without messages."""
        return Initiator(
            rules=_RULES,
            window=self._window,
            max_attempts=1,
            max_payload_len=self.max_size,
            scan=self.scan,
            send=self.timeout,
            reply=self.timeout,
            application=self.timeout,
            back_off=0.0,
        )

    def encoded(self, message: Payload) -> bytes:
        """The payload that a message stands for.

        Raises:
            EncodingError: ``strict``, and the encoding has no bytes for a character, or MSH-18
                names another set.
            TypeError: The message is neither text nor bytes.
        """
        if isinstance(message, bytes):
            return message
        if isinstance(message, bytearray | memoryview):
            return bytes(message)
        if not isinstance(message, str):
            raise TypeError(f"message must be str or bytes, not {type(message).__name__}")
        encoding = self._encoding
        if contradicts(message, encoding):
            if self._strict:
                raise EncodingError(f"MSH-18 names another character set than {encoding}")
            log_event(logging.WARNING, "wrong_character_set", encoding=encoding)
        try:
            return message.encode(encoding)
        except UnicodeEncodeError as error:
            if self._strict:
                # Not its own text, which quotes the character.
                raise EncodingError(f"{encoding} cannot express the whole message") from None
            first = error.start
        log_event(logging.WARNING, "not_encodable", encoding=encoding, first=first)
        return message.encode(encoding, errors="replace")
