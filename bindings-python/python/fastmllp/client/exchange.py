"""Messages and their replies: everything about a client but its sockets and its waiting."""

from fastmllp._native import InitiatorEvent, Stored, Stray
from fastmllp.client import failure
from fastmllp.client.reply import Reply
from fastmllp.client.scan_check import ScanCheck
from fastmllp.client.settings import ClientSettings
from fastmllp.client.unasked import Unasked
from fastmllp.client.wrong_peer import FirstBytes
from fastmllp.tls.failure import TlsFailure

__all__ = ["Exchange"]


class Exchange:
    """What is known of the messages under way, over the connections of one client.

    Attributes:
        link: The state machine, which matches replies with messages.
        stored: The CA to messages that wait for the answer of the application, by their handles.
        unasked: The messages that asked for no answer.
    """

    def __init__(self, settings: ClientSettings, unasked: Unasked) -> None:
        """Begin without a connection."""
        self._settings = settings
        self._first = FirstBytes(settings.server)
        self._scan = ScanCheck(settings)
        self.link = settings.new_link()
        self.stored: dict[int, bytes] = {}
        self.unasked = unasked

    # What the host tells.

    def renew(self) -> None:
        """Forget every message: no reply that comes may be credited to one of them."""
        self.link = self._settings.new_link()
        self.stored.clear()

    def begin(self, payload: bytes) -> None:
        """A message is about to be sent."""
        self._scan.look(payload)

    def dialed(self) -> None:
        """A new connection; what was received on an earlier one is forgotten."""
        self._first = FirstBytes(self._settings.server)

    def opened(self) -> None:
        """The new connection can be used. Under TLS the first bytes of the server say so."""
        if self._settings.tls is None:
            self._settings.attempts.succeeded()
        self.link.connected()

    def hear(self, data: bytes) -> None:
        """Bytes of the server have come, on a connection that no message is sent on."""
        self._first.add(data)

    def note(self, data: bytes) -> None:
        """Bytes of the server have come: it has let us in."""
        self._first.add(data)
        if data and self._settings.tls is not None:
            self._settings.attempts.succeeded()

    def ended(self, error: Exception | None, refusal: TlsFailure | None) -> str:
        """The server has ended the connection.

        Args:
            error: What the socket said; None at the end of the stream.
            refusal: What TLS says of it, if it failed.

        Returns:
            Why, in words.
        """
        if refusal is not None:
            # Under TLS 1.3 our handshake is over before the server has judged our certificate.
            self._settings.attempts.failed()
        return failure.ended(error, refusal, self.hint)

    def left(self) -> None:
        """The connection is not used any more."""
        self._scan.ended()

    def happened(self, event: InitiatorEvent, *, waits: bool) -> None:
        """Take what concerns the messages and not the connection.

        Args:
            event: Of the link.
            waits: Whether a message waits for its reply.
        """
        match event:
            case Stored(handle, payload):
                self.stored[handle] = payload
            case Stray():
                if not self.unasked.refuses(event):
                    name = "foreign_reply" if waits else "stale_reply"
                    failure.log_stray(name, self._settings, event)

    # How things stand.

    def reply(self, payload: bytes) -> Reply:
        """The reply to a message. It proves that the server has read everything before that."""
        self._scan.look(payload)
        self.unasked.waiting, self._first.is_mllp = 0, True
        return Reply.from_payload(payload, self._settings.scan)

    def is_enough(self, *, connected: bool) -> bool:
        """Whether CA is the reply of the messages that are `stored`: nothing better is wanted, or
        can come. Asked after all that came with one read: an answer of the application counts
        more."""
        return bool(self.stored) and (not connected or self._settings.wait_for == "accept")

    @property
    def hint(self) -> str:
        """What the server seems to speak, for the end of an error's text; empty for MLLP."""
        return "" if self._settings.tls is not None else self._first.hint()
