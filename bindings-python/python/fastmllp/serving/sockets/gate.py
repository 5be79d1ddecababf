"""Who may connect to a server, and how often it is said that somebody may not."""

import logging
import operator
import threading
import time
from typing import Any

from fastmllp.config.allow import AllowList
from fastmllp.logging import Log
from fastmllp.logging.limit import LimitedEvent

__all__ = ["Gate"]

# A peer chooses how often it is refused, and for a TLS alert also why. Beyond so many kinds the
# rest is counted together.
_MAX_KINDS = 64
# Fields that make a kind of their own, so that one does not hide the other.
_KINDS = ("reason", "protocol")


class Gate:
    """The limits of one listener. May be used by several threads at once.

    Anyone who reaches the port can cause a refusal, as often as they like. So the log has one
    record of each kind in a minute, with a count of the rest; observers and metrics hear of every
    one.

    Attributes:
        log: Where the records go.
        max_connections: How many connections are served at a time.
    """

    def __init__(self, log: Log, allow: AllowList, max_connections: int) -> None:
        """Check the limit.

        Raises:
            ValueError: Fewer connections than 1.
            TypeError: The number is not an integer.
        """
        self.log = log
        self.max_connections = operator.index(max_connections)
        if self.max_connections < 1:
            raise ValueError(f"max_connections must be at least 1, not {max_connections}")
        self._allow = allow
        self._lock = threading.Lock()
        self._has_seen_http = False
        self._refused: dict[tuple[str, ...], LimitedEvent] = {}

    def is_allowed(self, host: str) -> bool:
        """Whether a peer with that address may connect."""
        return self._allow.allows(host)

    def allows(self, host: str, number: int, **peer: str) -> bool:
        """Whether a peer may connect; one that may not is on record.

        Args:
            host: Its address.
            number: Number of its connection.
            peer: What the record says about it.
        """
        if self.is_allowed(host):
            return True
        self.refuse("peer_not_allowed", number, **peer)
        return False

    def has_room(self, open_connections: int, number: int, **peer: str) -> bool:
        """Whether one more connection may be served. As `allows` for the rest."""
        if open_connections < self.max_connections:
            return True
        self.refuse("too_many_connections", number, **peer)
        return False

    def refuse(self, event: str, number: int, **fields: Any) -> None:
        """A peer was refused.

        Args:
            event: Name of the event.
            number: Number of the connection.
            fields: As for `Log.event`. Those with another ``reason`` or ``protocol`` are of another
                kind.
        """
        common = {key: fields[key] for key in _KINDS if key in fields}
        with self._lock:
            kind = event, *common.values()
            if kind not in self._refused and len(self._refused) >= _MAX_KINDS:
                kind, common = (event,), {}
            limited = self._refused.get(kind)
            if limited is None:
                limited = LimitedEvent(self.log, logging.WARNING, event, **common)
                self._refused[kind] = limited
            limited.happened(time.monotonic(), number, **fields)

    def http_probe(self, number: int) -> None:
        """A peer has asked something over HTTP, as load balancers do to see whether a server is up.

        The first is a warning, because it can be a sender with a wrong port. A balancer goes on for
        as long as the server runs.
        """
        level = logging.INFO if self._has_seen_http else logging.WARNING
        self._has_seen_http = True
        self.log.event(level, "wrong_protocol", number, protocol="http")

    def stop_timed_out(self, connections: int, handlers: int) -> None:
        """The time for a graceful stop was over.

        Args:
            connections: How many had not ended and were aborted. What they had received and not
                answered is for their senders to send again.
            handlers: How many of them did not end even then, because a handler goes on.
        """
        self.log.event(logging.WARNING, "stop_timeout", connections=connections, handlers=handlers)

    def on_time(self) -> None:
        """Write the counts of the minutes that are over. To be called now and then."""
        if self._refused:
            now = time.monotonic()
            with self._lock:
                for limited in self._refused.values():
                    limited.on_time(now)

    def finish(self) -> None:
        """The server stops: write the counts that are left."""
        with self._lock:
            for limited in self._refused.values():
                limited.finish()
