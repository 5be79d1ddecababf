"""Acknowledgments: which one a message gets, and the MSH, MSA and ERR segments that answer it.

Two policies. *always*, the default: every payload gets an acknowledgment, with or without an MSH
segment; what the message does not say is filled with defaults, and MSA-2 repeats the message
control ID (MSH-10). *conformant*: the acknowledgment of HL7 v2 chapter 2, for which `decide` names
the codes and `check` the reasons against a positive one.

`SequenceReceiver` and `SequenceAction` are the two sides of the sequence number protocol (2.9.1).
"""

from enum import StrEnum

from fastmllp._native import (
    Ack,
    AckError,
    Decision,
    ErrorDetail,
    SequenceAction,
    SequenceReceiver,
    always_one_reply,
    build_ack,
    check,
    decide,
    timestamp,
)

__all__ = [
    "ACCEPTED",
    "Ack",
    "AckCode",
    "AckError",
    "Decision",
    "ErrorDetail",
    "SequenceAction",
    "SequenceReceiver",
    "always_one_reply",
    "build_ack",
    "check",
    "decide",
    "timestamp",
]


class AckCode(StrEnum):
    """Acknowledgment code, MSA-1 (HL7 table 0008)."""

    AA = "AA"
    """Application accept: the message was taken."""
    AE = "AE"
    """Application error: the content could not be used."""
    AR = "AR"
    """Application reject: not taken for a reason that is not in the content."""
    CA = "CA"
    """Commit accept: the message is in safe storage (enhanced mode)."""
    CE = "CE"
    """Commit error: the message could not be stored."""
    CR = "CR"
    """Commit reject: message type, version or processing ID is not acceptable."""


ACCEPTED = frozenset({AckCode.AA, AckCode.CA})
"""The codes that tell the sender it is relieved of the message; all others are refusals."""
