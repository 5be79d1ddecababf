"""Counts for Prometheus. Needs the extra: ``pip install 'fastmllp[metrics]'``.

`start_http_server` is all that most programs call. A program that shows metrics of its own adds the
ones of this package to its registry with `Metrics`. Both listen to the events of
`fastmllp.logging`, so they count all servers of the process, whatever is logged. Begin before the
servers do: a connection that was open before is not counted as open.

Each metric of a server has the label ``name``, which is empty for a server without a name: to
Prometheus that is the same as no label.

======================================== ========== ===============================================
Metric                                   Label      Counts
======================================== ========== ===============================================
fastmllp_connections_total               name       connections accepted
fastmllp_connections_open                name       those that are not closed yet
fastmllp_disconnects_total               reason     those that are, by the reason in the log
fastmllp_messages_total                  name       complete frames received
fastmllp_message_bytes_total             name       their payloads
fastmllp_acknowledgments_total           code       sent, by code of table 0008; ``own``: bytes
                                                    that a handler made itself
fastmllp_acknowledgment_bytes_total      name       the same, framing included
fastmllp_handler_failures_total          event      messages whose handler had no usable result
fastmllp_framing_errors_total            error      faults and deviations of the senders' framing
fastmllp_discarded_bytes_total           name       bytes that belong to no complete frame
fastmllp_events_total                    event      what else is in the log, such as refused peers
fastmllp_handler_seconds                 name       histogram: the time in the handler
fastmllp_answer_seconds                  name       histogram: from a complete frame until the
                                                    system has taken the last byte of its
                                                    acknowledgment
fastmllp_log_records_dropped_total                  records that the log of this process did not
                                                    take
======================================== ========== ===============================================

Those with another label have ``name`` as well. Counters with a fixed set of labels are shown as 0
from the first event of a server.
"""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from fastmllp.ack import AckCode
from fastmllp.logging import add_observer, records_dropped, remove_observer
from fastmllp.serving.page_server import PageServer

try:
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        Counter,
        Gauge,
        GCCollector,
        Histogram,
        PlatformCollector,
        ProcessCollector,
        generate_latest,
    )
    from prometheus_client.core import CounterMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    if error.name != "prometheus_client":
        raise
    text = "fastmllp.serving.metrics needs prometheus-client: pip install 'fastmllp[metrics]'"
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
# About other events, each of which is counted already.
_SUMMARIES = ("records_dropped", "repeated")
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
        >>> registry.get_sample_value("fastmllp_message_bytes_total", {"name": ""})
        120.0
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics; `fastmllp.logging.add_observer` then begins the count.

        Args:
            registry: Where they go, for example `prometheus_client.REGISTRY`.

        Raises:
            ValueError: The registry has them already.
        """

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"fastmllp_{name}", text, ["name", *labels], registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            name = f"fastmllp_{name}"
            return Histogram(name, text, ["name"], registry=registry, buckets=_BUCKETS)

        self._of_each_server = _Server(
            counter("connections", "Connections accepted."),
            Gauge("fastmllp_connections_open", "Not closed yet.", ["name"], registry=registry),
            counter("messages", "Complete frames received."),
            counter("message_bytes", "Payload bytes of the messages."),
            counter("acknowledgment_bytes", "Bytes of the acknowledgments, framed."),
            counter("discarded_bytes", "Bytes that are in no message."),
            histogram("handler_seconds", "Time in the handler."),
            histogram("answer_seconds", "Time from message to answer sent."),
        )
        self._disconnects = counter("disconnects", "Connections closed.", "reason")
        self._acknowledgments = counter("acknowledgments", "Acknowledgments sent.", "code")
        self._handler_failures = counter(
            "handler_failures", "Handlers without a usable result.", "event"
        )
        self._framing_errors = counter(
            "framing_errors", "Faults and deviations of framing.", "error"
        )
        self._events = counter("events", "Other events of the log.", "event")
        registry.register(_DroppedRecords())
        self._servers: dict[str, _Server] = {}
        self._begin("")

    def __call__(self, event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        """Count one event; what `fastmllp.logging` calls."""
        name = fields.get("name", "")
        server = self._servers.get(name) or self._begin(name)
        if event == "message_received":
            server.messages.inc()
            server.message_bytes.inc(fields["length"])
        elif event == "ack_sent":
            self._acknowledgments.labels(name, fields["code"]).inc()
            server.acknowledgment_bytes.inc(fields["length"])
            if "handler_seconds" in fields:
                server.handler_seconds.observe(fields["handler_seconds"])
            if "answer_seconds" in fields:
                server.answer_seconds.observe(fields["answer_seconds"])
        elif event == "connect":
            server.connections.inc()
            server.open.inc()
        elif event == "disconnect":
            server.open.dec()
            self._disconnects.labels(name, fields["reason"]).inc()
        elif event in _HANDLER_FAILURES:
            self._handler_failures.labels(name, event).inc()
        elif event in _FRAMING_ERRORS:
            self._framing_errors.labels(name, event).inc()
            if event == "discarded":
                server.discarded_bytes.inc(fields["length"])
        elif event not in _SUMMARIES:
            self._events.labels(name, event).inc()

    def _begin(self, name: str) -> "_Server":
        """Begin all counts of a server: an alert on an increase needs a value to begin with."""
        for counter, values in (
            (self._acknowledgments, (*AckCode, "own")),
            (self._handler_failures, _HANDLER_FAILURES),
            (self._framing_errors, _FRAMING_ERRORS),
        ):
            for value in values:
                counter.labels(name, value)
        parents = self._of_each_server
        server = _Server(
            parents.connections.labels(name),
            parents.open.labels(name),
            parents.messages.labels(name),
            parents.message_bytes.labels(name),
            parents.acknowledgment_bytes.labels(name),
            parents.discarded_bytes.labels(name),
            parents.handler_seconds.labels(name),
            parents.answer_seconds.labels(name),
        )
        self._servers[name] = server
        return server


class _Server(NamedTuple):
    """Metrics with the label ``name`` alone: those of one server, found once, or their parents."""

    connections: Counter
    open: Gauge
    messages: Counter
    message_bytes: Counter
    acknowledgment_bytes: Counter
    discarded_bytes: Counter
    handler_seconds: Histogram
    answer_seconds: Histogram


class _DroppedRecords(Collector):
    """Read when the page is: while the log takes nothing, no event could tell."""

    def describe(self) -> Iterable[Metric]:
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        text = "Records that the log did not take."
        yield CounterMetricFamily("fastmllp_log_records_dropped", text, records_dropped())


class Endpoint:
    """A page of metrics for Prometheus to read; `start_http_server` makes it."""

    def __init__(self, host: str, port: int) -> None:
        registry = CollectorRegistry()
        # What prometheus_client shows of every process: memory, descriptors, collections.
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._metrics = Metrics(registry)
        self._server = PageServer(
            host, port, CONTENT_TYPE_LATEST, lambda: generate_latest(registry)
        )
        add_observer(self._metrics)
        self.address: tuple[str, int] = (host, self._server.port)
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
        self._server.close()


def start_http_server(host: str = "127.0.0.1", port: int = 0) -> Endpoint:
    """Count from now on, and show the counts at ``http://HOST:PORT/metrics``.

    The page is plain HTTP for anyone who reaches the port. It names no peer and holds no
    payload, only numbers. Besides the metrics of this package it has those of the process.

    One thread serves the page, to eight connections at a time; one more ends the oldest of them.
    A connection may last five seconds and send 8 KiB, and requests take a quarter of a processor at
    most, so requests for the page cannot take the process from those who send messages.

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
        >>> 'fastmllp_messages_total{name=""} 1.0' in text
        True
    """
    return Endpoint(host, port)
