"""Counts for Prometheus. Needs the extra: ``pip install 'fastmllp[metrics]'``.

`start_http_server` is all that most programs call. A program that shows metrics of its own adds the
ones of this package to its registry with `Metrics`. Both listen to the events of
`fastmllp.logging`, so they count all servers of the process, whatever is logged. Begin before the
servers do: a connection that was open before is not counted as open.

===================================== ========== ==================================================
Metric                                Label      Counts
===================================== ========== ==================================================
fastmllp_connections_total                       connections accepted
fastmllp_connections_open                        those that are not closed yet
fastmllp_disconnects_total            reason     those that are, by the reason in the log
fastmllp_messages_total                          complete frames received
fastmllp_message_bytes_total                     their payloads
fastmllp_acknowledgments_total        code       sent, by code of table 0008; ``own``: bytes that a
                                                 handler made itself
fastmllp_acknowledgment_bytes_total              the same, framing included
fastmllp_handler_failures_total       event      messages whose handler had no usable result
fastmllp_framing_errors_total         error      faults and deviations of the senders' framing
fastmllp_discarded_bytes_total                   bytes that belong to no complete frame
fastmllp_events_total                 event      what else is in the log, such as refused peers
fastmllp_handler_seconds                         histogram: the time in the handler
fastmllp_answer_seconds                          histogram: from a complete frame until the system
                                                 has taken the last byte of its acknowledgment
===================================== ========== ==================================================
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from fastmllp.ack import AckCode
from fastmllp.logging import add_observer, remove_observer

try:
    from prometheus_client import (
        CollectorRegistry,
        Counter,
        Gauge,
        GCCollector,
        Histogram,
        PlatformCollector,
        ProcessCollector,
    )
    from prometheus_client import start_http_server as _start_http_server
except ModuleNotFoundError as error:
    if error.name != "prometheus_client":
        raise
    text = "fastmllp.metrics needs prometheus-client: pip install 'fastmllp[metrics]'"
    raise ModuleNotFoundError(text, name=error.name) from error

__all__ = ["Endpoint", "Metrics", "start_http_server"]

# Those that the decoder counts, as the log calls them, and what is seen between frames.
_FRAMING_ERRORS = (
    "discarded",
    "frame_too_large",
    "fs_in_payload",
    "illegal_byte",
    "lf_for_cr",
    "missing_cr",
    "sb_in_block",
    "sb_in_payload",
    "truncated",
    "wrong_protocol",
)
_HANDLER_FAILURES = ("handler_failed", "handler_result", "handler_timeout")
# From a handler that only counts to one that waits for another system, in seconds.
_BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


class Metrics:
    """An observer that counts events in a registry of the program.

    Example:
        >>> import logging
        >>> from fastmllp.logging import log_event
        >>> registry = CollectorRegistry()
        >>> metrics = Metrics(registry)
        >>> add_observer(metrics)
        >>> log_event(logging.INFO, "message_received", 1, length=120)
        >>> remove_observer(metrics)
        >>> registry.get_sample_value("fastmllp_message_bytes_total")
        120.0
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics; `fastmllp.logging.add_observer` then begins the count.

        Args:
            registry: Where they go, for example `prometheus_client.REGISTRY`.

        Raises:
            ValueError: The registry has them already.
        """

        def counter(name: str, text: str, label: str = "", *values: str) -> Counter:
            counter = Counter(f"fastmllp_{name}", text, [label] if label else [], registry=registry)
            for value in values:
                # Shown as 0 from the start: an alert on an increase needs a value to begin with.
                counter.labels(value)
            return counter

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"fastmllp_{name}", text, registry=registry, buckets=_BUCKETS)

        self._connections = counter("connections", "Connections accepted.")
        self._open = Gauge(
            "fastmllp_connections_open", "Connections not closed yet.", registry=registry
        )
        self._disconnects = counter("disconnects", "Connections closed.", "reason")
        self._messages = counter("messages", "Complete frames received.")
        self._message_bytes = counter("message_bytes", "Payload bytes of the messages.")
        self._acknowledgments = counter(
            "acknowledgments", "Acknowledgments sent.", "code", *AckCode, "own"
        )
        self._acknowledgment_bytes = counter("acknowledgment_bytes", "Their bytes, framed.")
        self._handler_failures = counter(
            "handler_failures", "Handlers without a usable result.", "event", *_HANDLER_FAILURES
        )
        self._framing_errors = counter(
            "framing_errors", "Faults and deviations of framing.", "error", *_FRAMING_ERRORS
        )
        self._discarded_bytes = counter("discarded_bytes", "Bytes that are in no message.")
        self._events = counter("events", "Other events of the log.", "event")
        self._handler_seconds = histogram("handler_seconds", "Time in the handler.")
        self._answer_seconds = histogram("answer_seconds", "Time from message to answer sent.")

    def __call__(self, event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        """Count one event; what `fastmllp.logging` calls."""
        if event == "message_received":
            self._messages.inc()
            self._message_bytes.inc(fields["length"])
        elif event == "ack_sent":
            self._acknowledgments.labels(fields["code"]).inc()
            self._acknowledgment_bytes.inc(fields["length"])
            if "handler_seconds" in fields:
                self._handler_seconds.observe(fields["handler_seconds"])
            if "answer_seconds" in fields:
                self._answer_seconds.observe(fields["answer_seconds"])
        elif event == "connect":
            self._connections.inc()
            self._open.inc()
        elif event == "disconnect":
            self._open.dec()
            self._disconnects.labels(fields["reason"]).inc()
        elif event in _HANDLER_FAILURES:
            self._handler_failures.labels(event).inc()
        elif event in _FRAMING_ERRORS:
            self._framing_errors.labels(event).inc()
            if event == "discarded":
                self._discarded_bytes.inc(fields["length"])
        else:
            self._events.labels(event).inc()


class Endpoint:
    """A page of metrics for Prometheus to read; `start_http_server` makes it."""

    def __init__(self, host: str, port: int) -> None:
        registry = CollectorRegistry()
        # What prometheus_client shows of every process: memory, descriptors, collections.
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._metrics = Metrics(registry)
        self._server, self._thread = _start_http_server(port, host, registry)
        add_observer(self._metrics)
        self.address: tuple[str, int] = (host, self._server.server_port)
        """Host and port that it listens on."""

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and counting. May be called more than once."""
        remove_observer(self._metrics)
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def start_http_server(host: str = "127.0.0.1", port: int = 0) -> Endpoint:
    """Count from now on, and show the counts at ``http://HOST:PORT/metrics``.

    The page is plain HTTP for everybody who reaches the port. It names no peer and holds no
    payload, only numbers. Besides the metrics of this package it has those of the process.

    Args:
        host: Address or name to listen on.
        port: TCP port to listen on; 0 takes a free one, see `Endpoint.address`.

    Returns:
        The endpoint, which a thread of its own serves until it is closed.

    Raises:
        OSError: The address cannot be resolved or bound.

    Example:
        >>> import logging
        >>> from fastmllp.logging import log_event
        >>> from urllib.request import urlopen
        >>> with start_http_server("127.0.0.1", 0) as endpoint:
        ...     log_event(logging.INFO, "message_received", 1, length=120)
        ...     with urlopen("http://{}:{}/metrics".format(*endpoint.address)) as page:
        ...         text = page.read().decode()
        >>> "fastmllp_messages_total 1.0" in text
        True
    """
    return Endpoint(host, port)
