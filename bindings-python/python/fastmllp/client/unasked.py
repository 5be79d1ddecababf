"""The fate of messages that ask for no answer: only the end of their connection reveals it."""

import logging
from collections import deque

from fastmllp._native import Stray, read_msa
from fastmllp.ack import ACCEPTED
from fastmllp.client.reply import ConnectionLost
from fastmllp.logging import log_event

__all__ = ["GRACE_SECONDS", "Unasked"]

GRACE_SECONDS = 0.1
"""How long the end of a connection is put off after such messages. A server that refuses us ends
the connection by itself, and one that reads them waits for our end."""

# Answers that are told from their repetitions.
_REMEMBERED = 64


class Unasked:
    """Messages of one client that asked for no answer, over all of its connections.

    Such a message counts as accepted when it has been written. The server has it for certain when
    it answers a later message of the connection, or ends the connection in order after our end.

    Attributes:
        uncertain: Messages of which that was never known: the server may not have read them.
        refused: Messages that the server has refused, unasked.
        waiting: Messages of the present connection of which it is not known yet.
        answered: Messages that were answered all the same while none of them was `waiting`, which
            proves that the server has them.
    """

    def __init__(self, server: str, scan: str) -> None:
        """Begin with none.

        Args:
            server: Host and port, for the log.
            scan: How delimiters are found, as for `Message`.
        """
        self.uncertain = 0
        self.refused = 0
        self.waiting = 0
        self.answered = 0
        self._server = server
        self._scan = scan
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        self._told = 0

    def leave(self) -> int:
        """The connection is given up: how many messages wait for its end, from now on elsewhere."""
        count, self.waiting = self.waiting, 0
        return count

    def ended(self, why: str) -> None:
        """The present connection has ended: in order when `why` is empty."""
        self.lost(self.leave() if why else 0, why)
        self.waiting = 0

    def lost(self, count: int, why: str) -> None:
        """A connection has not ended in order, and the fate of `count` messages is unknown.

        Args:
            count: How many; 0: none is lost.
            why: In words.
        """
        if count:
            self.uncertain += count
            log_event(
                logging.WARNING, "unasked_uncertain", server=self._server, count=count, reason=why
            )

    def refuses(self, stray: Stray) -> bool:
        """Look at a stray answer: whether it refuses a message that asked for none."""
        if stray.why != "unasked":
            return False
        code, control_id = read_msa(stray.payload, scan=self._scan)
        if control_id not in self._answered:
            self._answered.append(control_id)
            if self.waiting:
                self.waiting -= 1
            else:
                self.answered += 1
        if code in ACCEPTED:
            return False
        self.refused += 1
        log_event(logging.WARNING, "unasked_refused", server=self._server, code=code)
        return True

    def conclude(self) -> None:
        """Say once what is uncertain.

        Raises:
            ConnectionLost: Messages have become uncertain since this was last called.
        """
        count, self._told = self.uncertain - self._told, self.uncertain
        if count:
            noun = "message" if count == 1 else "messages"
            raise ConnectionLost(
                f"connection to {self._server} lost:"
                f" {count} {noun} that asked for no answer may not have arrived"
            )
