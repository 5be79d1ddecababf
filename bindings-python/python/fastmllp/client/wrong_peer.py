"""What a server speaks that does not answer as MLLP does, told from its first bytes."""

import logging

from fastmllp._native import detect
from fastmllp.logging import log_event

__all__ = ["FirstBytes", "wrong_peer"]

# So many tell what a server speaks.
_SIZE = 32

# A server that does not speak MLLP is not asked by its clients as `detect` expects it.
_GREETINGS = (
    (b"\x15\x03", "tls", "it seems to expect TLS"),
    (b"HTTP/", "http", "it speaks HTTP, not MLLP"),
    (b"SSH-", "ssh", "it speaks SSH, not MLLP"),
    (b"220", "smtp", "it speaks SMTP or FTP, not MLLP"),
    (b"+OK", "pop3", "it speaks POP3, not MLLP"),
    (b"* OK", "imap", "it speaks IMAP, not MLLP"),
)
_WORDS = {
    "hllp": "it speaks HLLP, not MLLP",
    "astm": "it speaks ASTM, not MLLP",
    "astm_no_enq": "it speaks ASTM, not MLLP",
    "astm_unframed": "it sends ASTM records, not MLLP",
    "hl7_unframed": "it sends messages without the MLLP framing",
    "hl7_batch_unframed": "it sends batches without the MLLP framing",
    "tls": "it seems to expect TLS",
    "http": "it speaks HTTP, not MLLP",
    "utf16_bom": "it sends UTF-16, which MLLP cannot frame",
    "utf16_no_bom": "it sends UTF-16, which MLLP cannot frame",
    "xml": "it sends XML without the MLLP framing",
    "unknown": "what it sends is not MLLP",
}


def wrong_peer(first: bytes) -> tuple[str, str] | None:
    """The protocol of a server, by the stable name and in words; None for MLLP or too few bytes.

    Args:
        first: The first bytes that it has sent, no part of which becomes part of the result.
    """
    for greeting, name, words in _GREETINGS:
        if first.startswith(greeting):
            return name, words
    name = detect(first)
    return (name, _WORDS[name]) if name in _WORDS else None


class FirstBytes:
    """The first bytes of a server on one connection, inside TLS if there is one."""

    def __init__(self, server: str) -> None:
        """Begin with none.

        Args:
            server: Host and port, for the log.
        """
        self.is_mllp = False
        """A reply has come, so what came before it was noise."""
        self._server = server
        self._bytes = b""
        self._told = False

    def add(self, data: bytes) -> None:
        """The server has sent this."""
        if len(self._bytes) < _SIZE:
            self._bytes = (self._bytes + data[:_SIZE])[:_SIZE]

    def hint(self) -> str:
        """What to add to the text of a failure; empty when it seems to be MLLP. Logged once."""
        found = wrong_peer(self._bytes)
        if found is None or self.is_mllp:
            return ""
        protocol, words = found
        if not self._told:
            self._told = True
            log_event(logging.WARNING, "wrong_protocol", server=self._server, protocol=protocol)
        return f"; {words}"
