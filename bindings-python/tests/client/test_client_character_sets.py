"""What clients do about character sets: a wrong label of a text, and a scan that ignores a set."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import fastmllp
import fastmllp.aio
import pytest
from conftest import ClientClass, Records, Serve
from fastmllp import EncodingError, Reply
from two_byte_sets import CHINESE, message

Send = Callable[..., Reply]
TEXT = "MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|T1|P|2.5||||||%s\rPID|1||7||%s\r"


def send_by_client(address: tuple[str, int], payload: Any, **options: Any) -> Reply:
    with fastmllp.Client(*address, **options) as client:
        return client.send(payload)


def send_by_pool(address: tuple[str, int], payload: Any, **options: Any) -> Reply:
    with fastmllp.Pool(*address, **options) as pool:
        return pool.send(payload)


def send_by_async_client(address: tuple[str, int], payload: Any, **options: Any) -> Reply:
    async def send() -> Reply:
        async with fastmllp.aio.AsyncClient(*address, **options) as client:
            return await client.send(payload)

    return asyncio.run(send())


def send_by_async_pool(address: tuple[str, int], payload: Any, **options: Any) -> Reply:
    async def send() -> Reply:
        async with fastmllp.aio.Pool(*address, **options) as pool:
            return await pool.send(payload)

    return asyncio.run(send())


@pytest.fixture(
    params=[send_by_client, send_by_pool, send_by_async_client, send_by_async_pool],
    ids=lambda send: send.__name__,
)
def send(request: pytest.FixtureRequest) -> Send:
    """One message with each thing that sends."""
    chosen: Send = request.param
    return chosen


def warned(records: Records, event: str) -> list[logging.LogRecord]:
    return [
        record
        for record in records.all()
        if getattr(record, "event", None) == event and record.levelno == logging.WARNING
    ]


@pytest.mark.parametrize(
    ("sets", "name", "encoding", "is_wrong"),
    [
        ("8859/1", "Müller", "utf-8", True),
        ("UNICODE UTF-8", "Müller", "latin-1", True),
        ("GB 18030-2000", "张", "utf-8", True),
        ("8859/1", "Müller", "latin-1", False),
        ("8859/1", "Mueller", "utf-8", False),
        ("", "Müller", "utf-8", False),
        ("EBCDIC", "Müller", "utf-8", False),
    ],
)
def test_a_text_whose_msh_18_names_another_set(
    serve: Serve,
    records: Records,
    send: Send,
    sets: str,
    name: str,
    encoding: str,
    is_wrong: bool,
) -> None:
    received: list[bytes] = []
    server = serve(lambda message: received.append(message.payload))
    text = TEXT % (sets, name)
    assert send(server.address, text, encoding=encoding).accepted
    assert received == [text.encode(encoding)]
    found = warned(records, "wrong_character_set")
    assert [record.fields for record in found] == (  # type: ignore[attr-defined]
        [{"encoding": encoding}] if is_wrong else []
    )
    if is_wrong:
        with pytest.raises(EncodingError) as caught:
            send(server.address, text, encoding=encoding, strict=True)
        assert name not in str(caught.value)
    else:
        assert send(server.address, text, encoding=encoding, strict=True).accepted
    assert len(received) == (1 if is_wrong else 2)


def test_a_scan_that_ignores_a_set_is_told_once_for_each_connection(
    serve: Serve, records: Records, client_class: ClientClass
) -> None:
    server = serve(scan="auto")
    client = client_class(*server.address)
    for number in (1, 2):
        for payload in (message("A", "", "ascii"), CHINESE, CHINESE):
            # A plain reading loses the control ID of these, so any reply will do.
            client.send(payload.replace(b"ADT^A01", b""))
        client.close()
        assert len(warned(records, "scan_mismatch")) == number


def test_a_reply_in_a_set_that_the_scan_ignores(
    serve: Serve, records: Records, client_class: ClientClass
) -> None:
    own = "MSH|^~\\&|HIS|H|LAB|L|20260101||ACK|R1|P|2.5||||||GB 18030-2000\rMSA|AA|A|亅\r"
    server = serve(lambda _: own.encode("gb18030"))
    with client_class(*server.address) as client:
        assert client.send(message("A", "", "ascii")).accepted
        assert client.send(message("A", "", "ascii")).accepted
    assert len(warned(records, "scan_mismatch")) == 1
    with client_class(*server.address, scan="auto") as client:
        assert client.send(message("A", "", "ascii")).text == "亅"
    assert len(warned(records, "scan_mismatch")) == 1


def test_a_reply_belongs_to_a_message_by_the_scan_of_the_reply() -> None:
    reply = "MSH|^~\\&|HIS|H|LAB|L|2026||ACK|R1|P|2.5||||||GB 18030-2000\rMSA|AA|A亅 \r"
    payload = reply.encode("gb18030")
    control_id = "A亅".encode("gb18030")
    assert Reply.from_payload(payload, "auto").answers(control_id)
    assert Reply.from_payload(payload, "auto").answers(control_id + b"  ")
