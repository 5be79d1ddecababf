"""What Prometheus reads, over HTTP, of servers that real peers talk to."""

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from urllib.request import urlopen

import fastmllp.logging.events
import fastmllp.logging.writer
import pytest
from conftest import Records, Serve
from fastmllp import Decoder, Message
from fastmllp.logging import add_observer, log_event, remove_observer
from fastmllp.serving.metrics import _FRAMING_ERRORS, Endpoint, Metrics, start_http_server
from peers import DEADLINE, Peer, acknowledgment, framed, message
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with start_http_server("127.0.0.1", 0) as endpoint:
        yield endpoint


@pytest.fixture
def restored() -> Iterator[None]:
    """The logger of the package as it was before."""
    logger = fastmllp.logging.LOGGER
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    fastmllp.logging.configure(stream=io.StringIO())
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


def read(endpoint: Endpoint) -> str:
    host, port = endpoint.address
    with urlopen(f"http://{host}:{port}/metrics", timeout=DEADLINE) as page:
        text: str = page.read().decode()
    return text


def samples(endpoint: Endpoint) -> Samples:
    """The values of this package that are not 0, by name and label."""
    return {
        (
            sample.name.removeprefix("fastmllp_"),
            *(value for label, value in sample.labels.items() if label != "name" or value),
        ): sample.value
        for family in text_string_to_metric_families(read(endpoint))
        for sample in family.samples
        if family.name.startswith("fastmllp_")
        and sample.value
        and not sample.name.endswith("_created")
    }


def test_a_server(endpoint: Endpoint, serve_both: Serve) -> None:
    def handler(message: Message) -> str | bytes | None:
        name = message.header.message_control_id
        if name == b"RAISES":
            raise ValueError
        return {b"WRONG": "XX", b"REFUSED": "AR", b"OWN": acknowledgment("OWN")}.get(name)

    server = serve_both(handler)
    names = ["A", "B", "REFUSED", "RAISES", "WRONG", "OWN"]
    payloads = [message(name) for name in names]
    with Peer.connect(server.address) as peer:
        for payload in payloads[:-1]:
            peer.send(framed(payload))
            peer.receive_frame()
        now = samples(endpoint)
        assert now["connections_open",] == now["connections_total",] == 1
        peer.send(b"junk" + b"\x0b" + payloads[-1] + b"\x1c" + b"\x0bMSH")
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    found = samples(endpoint)
    assert found.pop(("acknowledgment_bytes_total",)) > 5 * 70
    times = {key: found.pop(key) for key in list(found) if "_seconds_" in key[0]}
    assert times["handler_seconds_count",] == times["answer_seconds_count",] == 6
    assert found == {
        ("connections_total",): 1,
        ("disconnects_total", "end_of_stream"): 1,
        ("messages_total",): 6,
        ("message_bytes_total",): sum(map(len, payloads)),
        ("acknowledgments_total", "AA"): 2,
        ("acknowledgments_total", "AE"): 2,
        ("acknowledgments_total", "AR"): 1,
        ("acknowledgments_total", "own"): 1,
        ("handler_failures_total", "handler_failed"): 1,
        ("handler_failures_total", "handler_result"): 1,
        ("framing_errors_total", "discarded"): 2,
        ("framing_errors_total", "missing_cr"): 1,
        ("framing_errors_total", "truncated"): 1,
        ("discarded_bytes_total",): 8,
    }


def test_what_has_no_metric_of_its_own(endpoint: Endpoint, serve_both: Serve) -> None:
    server = serve_both(max_connections=1)
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        with Peer.connect(server.address) as refused:
            assert refused.receive_end() == b""
        found = samples(endpoint)
        assert found["connections_open",] == 1
        assert found["events_total", "too_many_connections"] == 1


def test_two_servers_with_names(endpoint: Endpoint, serve_both: Serve) -> None:
    for name, count in (("adt-in", 1), ("lab-in", 2)):
        server = serve_both(name=name)
        with Peer.connect(server.address) as peer:
            for _ in range(count):
                peer.exchange("A")
            peer.half_close()
            peer.receive_end()
        server.shutdown()
    found = samples(endpoint)
    for name, count in (("adt-in", 1), ("lab-in", 2)):
        assert found["messages_total", name] == found["acknowledgments_total", "AA", name] == count
        assert found["handler_seconds_count", name] == count
        assert found["connections_total", name] == 1
        assert found["disconnects_total", name, "end_of_stream"] == 1
        # An alert on an increase needs a value to begin with.
        line = f'fastmllp_framing_errors_total{{error="truncated",name="{name}"}} 0.0'
        assert line in read(endpoint)
    assert not [key for key in found if len(key) == 1]


def test_what_the_log_does_not_take(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, restored: None
) -> None:
    reading, writing = os.pipe()
    stream = open(writing, "w")
    monkeypatch.setattr(fastmllp.logging.writer, "MAX_RECORDS", 0)
    fastmllp.logging.configure(stream=stream)
    for _ in range(3):
        log_event(logging.INFO, "message_received", 1, length=5)
    found = samples(endpoint)
    assert found["log_records_dropped_total",] == 3 and found["messages_total",] == 3
    os.close(reading)
    stream.close()


def test_a_count_in_the_log_is_not_counted_again(endpoint: Endpoint) -> None:
    for event in ("too_many_connections", "repeated", "records_dropped"):
        log_event(logging.WARNING, event, count=2)
    assert {key: value for key, value in samples(endpoint).items() if "events" in key[0]} == {
        ("events_total", "too_many_connections"): 1
    }


def test_times(endpoint: Endpoint) -> None:
    for handler_seconds in (2**-12, 2**-2):
        times = {"handler_seconds": handler_seconds, "answer_seconds": 7.0}
        log_event(logging.DEBUG, "ack_sent", 1, code="CA", length=70, **times)
    found = samples(endpoint)
    assert found["handler_seconds_count",] == found["answer_seconds_count",] == 2
    assert found["handler_seconds_sum",] == 2**-12 + 2**-2 and found["answer_seconds_sum",] == 14
    assert found["handler_seconds_bucket", "0.00025"] == 1
    assert found["handler_seconds_bucket", "0.25"] == 2
    assert ("answer_seconds_bucket", "5.0") not in found
    assert found["answer_seconds_bucket", "10.0"] == 2


def test_zeroes_are_shown_and_the_process_too(endpoint: Endpoint) -> None:
    text = read(endpoint)
    for line in (
        'fastmllp_messages_total{name=""} 0.0',
        'fastmllp_acknowledgments_total{code="CR",name=""} 0.0',
        'fastmllp_framing_errors_total{error="sb_in_payload",name=""} 0.0',
        'fastmllp_handler_failures_total{event="handler_failed",name=""} 0.0',
        "fastmllp_log_records_dropped_total 0.0",
    ):
        assert f"\n{line}\n" in text
    assert "python_info" in text


def test_every_framing_error_of_the_decoder_has_its_name() -> None:
    counted = {"frame_too_large" if name == "too_large" else name for name in Decoder().counters}
    between_frames = {"discarded", "wrong_protocol"}
    assert counted - {"frames", "bytes_dropped", "bytes_outside"} | between_frames == set(
        _FRAMING_ERRORS
    )


def test_a_closed_endpoint() -> None:
    before = threading.active_count()
    endpoint = start_http_server()
    endpoint.close()
    endpoint.close()
    assert threading.active_count() == before
    assert not fastmllp.logging.is_heard(logging.DEBUG)
    with pytest.raises(OSError):
        read(endpoint)


def test_a_port_that_is_taken(endpoint: Endpoint) -> None:
    before = fastmllp.logging.events._observations
    with pytest.raises(OSError):
        start_http_server(*endpoint.address)
    assert fastmllp.logging.events._observations == before


def test_a_registry_of_the_program(records: Records) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    add_observer(metrics)
    log_event(logging.INFO, "message_received", 1, length=5)
    remove_observer(metrics)
    log_event(logging.INFO, "message_received", 1, length=5)
    assert registry.get_sample_value("fastmllp_messages_total", {"name": ""}) == 1
    with pytest.raises(ValueError):
        Metrics(registry)


def python(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_package_does_without_the_extra() -> None:
    program = "import sys, fastmllp.cli; print('prometheus_client' in sys.modules)"
    assert python(program) == "False\n"


def test_without_the_extra() -> None:
    # None in its place makes every import fail, as if it were not installed.
    program = """
import sys
sys.modules["prometheus_client"] = None
try:
    import fastmllp.serving.metrics
except ModuleNotFoundError as error:
    print(error, error.name)
"""
    expected = "fastmllp.serving.metrics needs prometheus-client: pip install 'fastmllp[metrics]'"
    assert python(program) == f"{expected} prometheus_client\n"
