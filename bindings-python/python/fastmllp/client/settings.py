"""The settings of one client, blocking or asyncio."""

import functools
import logging
import ssl
from typing import TypeAlias

from fastmllp.client.options import ClientOptions
from fastmllp.client.reply import EncodingError
from fastmllp.logging import log_event
from fastmllp.serving.character_set import contradicts
from fastmllp.serving.sockets.addresses import place
from fastmllp.serving.sockets.back_off import Attempts, BackOff

__all__ = ["ClientSettings", "Payload"]

Payload: TypeAlias = str | bytes | bytearray | memoryview

_LINGER_SECONDS = 10.0


class ClientSettings(ClientOptions):
    """The options of one client, and what follows from them."""

    @functools.cached_property
    def server(self) -> str:
        """The place of the server, for records and errors."""
        return place(self.host, self.port)

    @functools.cached_property
    def linger(self) -> float:
        """Seconds that a connection may take to end after messages that nothing answers."""
        return min(self.timeout or _LINGER_SECONDS, _LINGER_SECONDS)

    @functools.cached_property
    def attempts(self) -> Attempts:
        """The attempts of this client to connect."""
        return Attempts(self.back_off or BackOff(), self.timeout)

    @property
    def destination(self) -> tuple[str, int, float, ssl.SSLContext | None, str]:
        """What `dial` takes."""
        return self.host, self.port, self.timeout, self.tls, self.certified_name

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
        encoding = self.encoding
        if contradicts(message, encoding):
            if self.strict:
                raise EncodingError(f"MSH-18 names another character set than {encoding}")
            log_event(logging.WARNING, "wrong_character_set", encoding=encoding)
        try:
            return message.encode(encoding)
        except UnicodeEncodeError as error:
            if self.strict:
                # Not its own text, which quotes the character.
                raise EncodingError(f"{encoding} cannot express the whole message") from None
            first = error.start
        log_event(logging.WARNING, "not_encodable", encoding=encoding, first=first)
        return message.encode(encoding, errors="replace")
