"""What a client is told about character sets that its setting ``scan`` ignores."""

import logging

from fastmllp._native import ignores_character_set
from fastmllp.client.settings import ClientSettings
from fastmllp.logging import log_event

__all__ = ["ScanCheck"]


class ScanCheck:
    """Looks at the messages and replies of a client, and warns once for each connection.

    A link whose messages name a two-byte set in MSH-18 needs a `scan` that knows the set. Without
    it a reply may be credited to the wrong message, since fields end inside characters.
    """

    def __init__(self, settings: ClientSettings) -> None:
        """Begin without a connection."""
        self._settings = settings
        self._told = False

    def look(self, payload: bytes) -> None:
        """A message is sent, or a reply has come, on this connection or the one that is opened."""
        if self._told or not ignores_character_set(payload, scan=self._settings.scan):
            return
        self._told = True
        server = self._settings.server
        log_event(logging.WARNING, "scan_mismatch", server=server, length=len(payload))

    def ended(self) -> None:
        """The connection is gone."""
        self._told = False
