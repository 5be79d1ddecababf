"""Which answer a message gets by the policy ``conformant``: the tables of chapter 2 (2.8.2, 2.8.3).

A server has one answer for each message, on the connection that the message came on:

* In original mode (MSH-15 and MSH-16 empty) it is the application acknowledgment: AA, AE or AR.
* In enhanced mode it is the accept acknowledgment where MSH-15 asks for one: CA, CE or CR. Where
  only MSH-16 asks, it is the application acknowledgment. Where both ask and the message was taken,
  CA goes back, and the application acknowledgment that is then due belongs to an exchange that the
  receiver begins, over a connection of its own (2.8.3.2). A refusal is told once.
* Nothing goes back where neither asks, where the message is an acknowledgment itself, and where it
  has no usable header.
* What must not be accepted is rejected, whatever the handler says: a batch, a message without a
  message control ID, and a frame with a start block inside, which is what is left of two messages.
"""

from dataclasses import dataclass, field

from fastmllp._native import ErrorDetail, Message
from fastmllp._native import conformant_answer as _decide

__all__ = ["ConformantAnswer", "conformant_answer"]


@dataclass(frozen=True, slots=True)
class ConformantAnswer:
    """What goes back."""

    code: str
    """Acknowledgment code; empty when nothing goes back."""
    errors: list[ErrorDetail] = field(default_factory=list)
    """Why the message must not be accepted, if the handler said that it was."""
    due: str = ""
    """Code of the application acknowledgment that the sender waits for on another connection."""


def conformant_answer(message: Message, code: str, scan: str = "single_byte") -> ConformantAnswer:
    """Decide on the answer.

    Args:
        message: The message, as it was received.
        code: What its handler says: a code of table 0008, of either level.
        scan: How the delimiters of the message are found.

    Raises:
        MessageError: There is no header that could be answered.
        KeyError: There is no such code.
    """
    return ConformantAnswer(*_decide(message.payload, code, scan=scan))
