"""Acknowledgments: the MSH and MSA segments that answer a message.

The policy is *always*: every payload gets an acknowledgment, with or without an MSH segment. What
the message does not say is filled with defaults, and MSA-2 repeats the message control ID (MSH-10).
"""

from enum import StrEnum

from fastmllp._native import AckError, build_ack

__all__ = ["ACCEPTED", "AckCode", "AckError", "build_ack"]


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
