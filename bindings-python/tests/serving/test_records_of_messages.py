"""The two records of each message, whoever calls the handler and however many come at a time."""

import asyncio
import time
from typing import Any

import pytest
from conftest import Records, Serve
from fastmllp import Ack, Message
from fastmllp.aio import connect, start_server
from peers import Peer, framed, message

OWN = b"MSH|^~\\&|own\rMSA|AA|OWN\r"


def handler(message: Message) -> Any:
    results = {b"AE": "AE", b"OWN": OWN, b"ACK": Ack("AR", text="no bed"), b"ODD": 7}
    name = message.header.message_control_id
    if name == b"BAD":
        raise ValueError(name)
    return results.get(name)


def fields(records: Records, event: str) -> list[dict[str, Any]]:
    found = [record.__dict__ for record in records.all() if record.__dict__["event"] == event]
    assert {record["connection"] for record in found} <= {1}
    return [record["fields"] for record in found]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("last", ["A", "BAD", "OWN", "ODD"])
def test_codes_and_lengths(serve_both: Serve, records: Records, together: bool, last: str) -> None:
    names = ["A", "AE", "BAD", "B", "OWN", "ACK", "C", "ODD", "D", last]
    server = serve_both(handler)
    answers = []
    with Peer.connect(server.address) as peer:
        if together:
            peer.send(b"".join(framed(message(name)) for name in names))
        for name in names:
            if not together:
                peer.send(framed(message(name)))
            answers.append(framed(peer.receive_frame()))
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    received = fields(records, "message_received")
    assert [it["length"] for it in received] == [len(message(name)) for name in names]
    sent = fields(records, "ack_sent")
    assert [it["length"] for it in sent] == [len(answer) for answer in answers]
    codes = {"AE": "AE", "BAD": "AE", "OWN": "own", "ACK": "AR", "ODD": "AE"}
    assert [it["code"] for it in sent] == [codes.get(name, "AA") for name in names]
    for it in sent:
        assert set(it) == {"code", "length", "handler_seconds", "answer_seconds"}
        assert 0 <= it["handler_seconds"] <= it["answer_seconds"]


def test_a_message_is_on_record_before_its_handler_runs(
    serve_both: Serve, records: Records
) -> None:
    seen: list[list[str]] = []

    def look(message: Message) -> None:
        seen.append([record.__dict__["event"] for record in records.all()])

    server = serve_both(look)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        peer.receive_frame()
        peer.receive_frame()
    server.shutdown()
    first, second = seen
    assert first == ["connect", "message_received"]
    assert second.count("message_received") == 2 and second[-1] == "message_received"


def test_the_time_of_the_handler_is_on_record(serve_both: Serve, records: Records) -> None:
    names = ["A", "BAD", "OWN", "AE"]
    times: list[float] = []

    def work(message: Message) -> Any:
        began = time.monotonic()
        try:
            sum(range(100_000))
            return handler(message)
        finally:
            times.append(time.monotonic() - began)

    server = serve_both(work)
    with Peer.connect(server.address) as peer:
        peer.send(b"".join(framed(message(name)) for name in names))
        for _ in names:
            peer.receive_frame()
    server.shutdown()
    recorded = [it["handler_seconds"] for it in fields(records, "ack_sent")]
    for taken, written in zip(times, recorded, strict=True):
        assert written >= round(taken, 6) > 0


def test_a_handler_that_answers_later(records: Records) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "CE"

    def work(message: Message) -> Any:
        return later() if message.header.message_control_id == b"B" else None

    async def main() -> None:
        async with await start_server(work, "127.0.0.1", 0) as server:
            async with connect(*server.address, window=3) as client:
                sends = (client.send(message(name)) for name in "ABC")
                assert [it.code for it in await asyncio.gather(*sends)] == ["AA", "CE", "AA"]

    asyncio.run(main())
    assert [it["code"] for it in fields(records, "ack_sent")] == ["AA", "CE", "AA"]


def test_records_with_whole_messages(
    serve_both: Serve, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmllp.logging.events._log_message", True)
    server = serve_both(handler)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("OWN")))
        answers = [peer.receive_frame(), peer.receive_frame()]
    server.shutdown()
    received = [it["payload"] for it in fields(records, "message_received")]
    assert received == [message("A"), message("OWN")]
    assert [it["payload"] for it in fields(records, "ack_sent")] == answers
