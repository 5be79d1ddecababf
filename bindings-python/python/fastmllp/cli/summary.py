"""What became of many messages, in numbers."""

from array import array
from collections.abc import Sequence
from typing import Any

from fastmllp.cli.delivery import Outcome
from fastmllp.client.unasked import Unasked


class Summary:
    """Counts outcomes. Holds 8 bytes for each reply."""

    def __init__(self) -> None:
        self.accepted = 0
        """Messages that the server has taken, `stored` and `unasked` among them."""
        self.stored = 0
        """Messages whose only answer was CA, which says nothing of the application."""
        self.unasked = 0
        """Messages that asked for no answer, and left."""
        self.refused = 0
        self.lost = 0
        """Messages of which something was sent, and which were not answered: uncertain."""
        self._seconds = array("d")

    def count(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.unasked is not None:
            self._correct(outcome.unasked)
            return
        if outcome.reply is None:
            self.lost += outcome.fate == "uncertain"
            return
        self._seconds.append(outcome.seconds)
        if outcome.reply.accepted:
            self.accepted += 1
        else:
            self.refused += 1
        self.stored += outcome.fate == "stored"
        self.unasked += outcome.fate == "unasked"

    def _correct(self, unasked: Unasked) -> None:
        """Messages that asked for no answer have been counted as accepted too early."""
        refused = min(unasked.refused, self.unasked)
        lost = min(unasked.uncertain, self.unasked - refused)
        self.refused += refused
        self.lost += lost
        self.accepted -= refused + lost
        self.unasked -= refused + lost

    @property
    def answered(self) -> int:
        """How many messages have a reply, or have left and asked for none."""
        return self.accepted + self.refused

    def round_trip(self) -> dict[str, float] | None:
        """Percentiles of the time from a message to its reply, in milliseconds."""
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        shown = {f"p{percent}": _percentile(ordered, percent) for percent in (50, 90, 99)}
        shown["max"] = ordered[-1]
        return {name: round(seconds * 1000, 3) for name, seconds in shown.items()}

    def as_object(self, total: int, seconds: float) -> dict[str, Any]:
        """All numbers, for programs.

        Args:
            total: How many messages there were to send.
            seconds: How long it took.
        """
        return {
            "messages": total,
            "accepted": self.accepted,
            "refused": self.refused,
            "not_delivered": self.lost,
            "not_sent": total - self.answered - self.lost,
            "stored": self.stored,
            "unasked": self.unasked,
            "uncertain": self.lost,
            "seconds": round(seconds, 6),
            "per_second": round(self.answered / seconds, 1) if seconds else None,
            "round_trip_ms": self.round_trip(),
        }

    def as_text(self, total: int, seconds: float) -> str:
        """The counts, on one line."""
        unsent = total - self.answered - self.lost
        notes = [
            f"{number} {words}"
            for number, words in (
                (self.stored, "stored without an answer of the application"),
                (self.unasked, "asked for no answer"),
            )
            if number
        ]
        note = f" ({', '.join(notes)})" if notes else ""
        return (
            f"{total} messages in {seconds:.2f} s: {self.accepted} accepted,"
            f" {self.refused} refused, {self.lost} not delivered, {unsent} not sent{note}\n"
        )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank: a time that was measured, not one between two."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[rank - 1]
