"""What a client gets back: a reply, or the reason why there is none."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fastmllp._native import (
    CharacterSetError,
    LinkError,
    Message,
    MessageError,
    MllpError,
    Segment,
    answers,
    read_msa,
)
from fastmllp.ack import ACCEPTED, AckCode

__all__ = [
    "ConnectError",
    "ConnectionLost",
    "DeliveryError",
    "EncodingError",
    "LinkError",
    "NoReply",
    "Reply",
    "ReplyTooLarge",
]


Fate: TypeAlias = Literal["not_sent", "uncertain"]


class DeliveryError(MllpError, OSError):
    """Nothing was delivered, or nothing was answered. ``code`` names the reason."""

    code = "not_delivered"
    fate: Fate = "uncertain"
    """What is known of the message: ``not_sent`` when no byte of it has left this machine, so that
    sending it again cannot deliver it twice; ``uncertain`` when the server may have it."""


class EncodingError(MllpError, ValueError):
    """The encoding has no bytes for a character of the message. Nothing was sent."""

    code = "not_encodable"


class ConnectError(DeliveryError, ConnectionError):
    """The server cannot be reached. Nothing was sent, so sending again is safe."""

    code = "not_connected"
    fate = "not_sent"


class ConnectionLost(DeliveryError, ConnectionError):
    """The connection ended before the reply was whole. The message may have arrived."""

    code = "connection_lost"


class NoReply(DeliveryError, TimeoutError):
    """The message was not taken or not answered in time. It may have arrived."""

    code = "no_reply"


class ReplyTooLarge(DeliveryError):
    """A reply came that is above the limit. What it says of the message is not known."""

    code = "too_large"


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Reply:
    r"""The answer of a server to one message.

    Example:
        >>> header = b"MSH|^~\\&|LAB||WARD||20240131120001||ACK|R1|P|2.5.1\r"
        >>> error = b"ERR||PID^1^3|101^Required field missing^HL70357|E||||No patient ID\r"
        >>> reply = Reply.from_payload(header + b"MSA|AE|MSG00001\r" + error)
        >>> reply
        Reply(code='AE', accepted=False, payload_len=134)
        >>> reply.text
        'No patient ID'
        >>> [segment.field(2) for segment in reply.errors]
        [b'PID^1^3']
    """

    payload: bytes
    """The reply's payload, bytes as received; empty when no answer was asked for."""
    code: str
    """Acknowledgment code, MSA-1; empty when the reply has no MSA segment, and when no answer was
    asked for."""
    control_id: str
    """Message control ID that the reply answers, MSA-2, one character for each byte (Latin-1)."""
    scan: str = field(default="single_byte", compare=False)
    """How delimiters are found, as for `Message`."""
    accepted: bool = field(init=False)
    """Whether the sender is relieved of the message: the code is AA or CA, or no answer was asked
    for."""

    def __init__(
        self, payload: bytes, code: str, control_id: str, scan: str = "single_byte"
    ) -> None:
        # What a dataclass writes itself takes twice as long, and there is a reply for each message.
        keep = object.__setattr__
        keep(self, "payload", payload)
        keep(self, "code", code)
        keep(self, "control_id", control_id)
        keep(self, "scan", scan)
        keep(self, "accepted", code in ACCEPTED)

    @classmethod
    def of_silence(cls) -> "Reply":
        """The success of a message that asks for no answer, by MSH-15 and MSH-16, when it is
        accepted."""
        reply = cls(b"", "", "")
        object.__setattr__(reply, "accepted", True)
        return reply

    def __repr__(self) -> str:
        # A reply may quote the patient's data in its fields; a code of table 0008 never does.
        code = str(self.code) if not self.code or self.code in set(AckCode) else "?"
        return f"Reply(code={code!r}, accepted={self.accepted}, payload_len={len(self.payload)})"

    @classmethod
    def from_payload(cls, payload: bytes, scan: str = "single_byte") -> "Reply":
        """Read MSA-1 and MSA-2. Never raises: fields that are not there are empty.

        Read leniently: an answer that came must not be taken for none because of an unusual MSH-2.
        """
        code, control_id = read_msa(payload, scan=scan)
        return cls(payload, code, control_id, scan)

    @property
    def unasked(self) -> bool:
        """Whether there is no answer, because the message asked for none when it is accepted."""
        return self.accepted and not self.code

    @property
    def stored(self) -> bool:
        """Whether the code is CA: the server has stored the message, so it must not be sent again.

        What the server's application makes of it has not been said.
        """
        return self.code == AckCode.CA

    @property
    def text(self) -> str | None:
        """What the server says to people, unescaped and decoded as MSH-18 tells; None: nothing.

        MSA-3, or else ERR-8, the user message, or ERR-7, the diagnostic information, of the first
        ERR segment: from version 2.7 on MSA-3 is withdrawn. Where MSH-18 names a set that is not
        known, it is read as UTF-8, and bytes that are none are shown as ``\\xhh``. May quote the
        patient's data. Read again each time; never raises.
        """
        if self.unasked:
            return "no answer asked for"
        message = self._message()
        for path in ("MSA-3", "ERR-8", "ERR-7"):
            try:
                text = message.text(path)
            except CharacterSetError:
                text = message.text(path, "utf-8", "backslashreplace")
            except MessageError:
                continue  # No header.
            if text is not None:
                return text
        return None

    @property
    def errors(self) -> list[Segment]:
        """The ERR segments, in order; empty when there are none. Read anew each time; never raises.

        ERR-2 is the place in the message, ERR-3 the code of table 0357, ERR-4 the severity. Before
        version 2.5 there is only ERR-1.
        """
        try:
            return [segment for segment in self._message() if segment.id == b"ERR"]
        except MessageError:
            return []

    def answers(self, control_id: bytes) -> bool:
        """Tell whether this reply belongs to the message with that MSH-10; empty fits any.

        MSA-2 repeats MSH-10; blanks at the end do not count, since the type ST takes them as
        absent. Where the reply has other delimiters than the message, or MSH-10 holds a framing
        byte, MSA-2 may repeat it escaped.
        """
        return answers(self.payload, control_id, scan=self.scan)

    def _message(self) -> Message:
        return Message(self.payload, scan=self.scan, lenient=True)
