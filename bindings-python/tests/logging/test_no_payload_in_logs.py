"""Payloads are health data: a marked message leaves no trace in anything that is written."""

import logging
from collections.abc import Callable

import fastmllp
import pytest
from conftest import Program, Records, Serve
from fastmllp import Message
from fastmllp.logging import describe_exception, log_event
from peers import Peer, ScriptedServer, framed

MARK = "MARK4711"
MARKED = f"MSH|^~\\&|{MARK}|{MARK}|{MARK}|{MARK}|{MARK}||ADT^{MARK}|{MARK}|P|2.5\rPID|1||{MARK}\r"


def send_marked(address: tuple[str, int]) -> None:
    """Everything that is logged with a payload at hand: good, cut, junk, fused, too large."""
    payload = MARKED.encode()
    for data in (
        framed(payload) + framed(MARK.encode()),
        MARK.encode() + framed(payload) + MARK.encode(),
        b"\x0b" + payload[:30] + framed(payload)[:-1] + b"\n",
        b"\x0b" + payload[:40],
        b"\x0b" + payload * 1000,
    ):
        with Peer.connect(address) as peer:
            peer.send(data)
            peer.half_close()
            peer.receive_end()


def test_no_mark_in_the_records_of_a_server(serve_both: Serve, records: Records) -> None:
    def handler(message: Message) -> str:
        if message.payload.startswith(b"MARK"):
            return MARK
        raise ValueError(message.payload, message.get("PID-3"))

    server = serve_both(handler, max_size=10_000)
    send_marked(server.address)
    server.shutdown()
    formatter = logging.Formatter("%(message)s %(fields)s")
    text = "\n".join(formatter.format(record) for record in records.all())
    events = {record.event for record in records.all()}  # type: ignore[attr-defined]
    assert {"handler_failed", "handler_result", "discarded", "truncated"} <= events
    assert {"sb_in_payload", "frame_too_large", "message_received", "ack_sent"} <= events
    assert MARK not in text


def test_no_mark_in_the_output_of_the_program(program: Callable[..., Program]) -> None:
    server = program("--log-level", "debug", "--max-size", "10000")
    send_marked(server.address)
    status, out, err = server.stop()
    assert status == 0 and b"event=frame_too_large" in err and b"event=truncated" in err
    assert MARK.encode() not in out + err


def test_no_mark_in_the_records_of_a_client(records: Records) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(MARKED.encode()) + framed(f"MSH|^~\\&|\rMSA|AA|{MARK}|x\r".encode()))

    with ScriptedServer(script) as server, fastmllp.Client(*server.address) as client:
        reply = client.send(MARKED)
        assert reply.control_id == MARK
    records.wait_for("foreign_reply")
    text = "\n".join(record.getMessage() for record in records.all())
    assert MARK not in text + repr(reply) + repr(client) + repr(Message(MARKED.encode()))


def test_no_mark_in_exceptions() -> None:
    payload = MARKED.encode()
    calls: list[Callable[[], object]] = [
        lambda: fastmllp.frame(payload + b"\x1c"),
        lambda: Message(payload[3:]).header,
        lambda: Message(payload[3:]).get("PID-3"),
        lambda: fastmllp.build_ack(payload, "XX"),
        lambda: fastmllp.send("127.0.0.1", 1, payload),
    ]
    for call in calls:
        with pytest.raises(fastmllp.MllpError) as caught:
            call()
        assert MARK not in str(caught.value) + repr(caught.value)


def test_description_of_an_exception_keeps_the_chain_without_the_texts() -> None:
    def inner(value: str) -> None:
        raise KeyError(value)

    try:
        try:
            inner(MARK)
        except KeyError as error:
            raise ValueError(f"unknown {MARK}") from error
    except ValueError as error:
        text = describe_exception(error)
    assert MARK not in text.replace("{MARK}", "").replace("(MARK)", "")
    assert text.index("KeyError") < text.index("ValueError") and "in inner" in text


def test_a_record_stays_on_one_line(records: Records) -> None:
    log_event(logging.WARNING, "test", 7, peer="a b\n2024 ERROR event=forged", length=5)
    record = records.wait_for("test")
    assert record.getMessage() == (
        'event=test connection=7 peer="a b\\n2024 ERROR event=forged" length=5'
    )
    assert record.fields["length"] == 5  # type: ignore[attr-defined]
