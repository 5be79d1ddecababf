"""What both clients make of replies, without a socket."""

import pytest
from conftest import Records
from fastmllp._native import InitiatorEvent
from fastmllp.client.exchange import Exchange
from fastmllp.client.settings import ClientSettings
from fastmllp.client.unasked import Unasked
from fastmllp.serving.sockets.back_off import BackOff
from peers import acknowledgment, framed

NOW = 0.0


def begin(wait_for: str = "application") -> Exchange:
    settings = ClientSettings(wait_for=wait_for, back_off=BackOff(first=5, jitter=0))  # type: ignore[arg-type]
    return Exchange(settings, Unasked(settings.server, settings.scan))


def send(exchange: Exchange, control_id: str, accept: str = "", application: str = "") -> int:
    """A message with this MSH-15 and MSH-16 that has been written."""
    header = f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r"
    payload = header.encode()
    exchange.begin(payload)
    handle = exchange.link.submit(payload, NOW)
    exchange.dialed()
    exchange.opened()
    assert exchange.link.take_outgoing(NOW)
    exchange.link.written(0, NOW)
    return handle


def take(exchange: Exchange, data: bytes, *, waits: bool = True) -> list[InitiatorEvent]:
    exchange.note(data)
    events = exchange.link.receive(data, NOW)
    for event in events:
        exchange.happened(event, waits=waits)
    return events


def test_what_is_stored_is_the_reply_when_nothing_better_can_come() -> None:
    exchange = begin()
    handle = send(exchange, "A", "AL", "AL")
    take(exchange, framed(acknowledgment("A", "CA")))
    assert exchange.stored == {handle: acknowledgment("A", "CA")}
    assert not exchange.is_enough(connected=True)
    assert exchange.is_enough(connected=False)
    assert exchange.reply(exchange.stored[handle]).stored
    exchange.renew()
    assert not exchange.stored and not exchange.is_enough(connected=False)
    assert exchange.link.open_messages == 0


def test_what_is_stored_is_enough_for_who_waits_for_no_more() -> None:
    exchange = begin("accept")
    assert not exchange.is_enough(connected=True)
    send(exchange, "A", "AL", "AL")
    take(exchange, framed(acknowledgment("A", "CA")))
    assert exchange.is_enough(connected=True)


@pytest.mark.parametrize(("waits", "name"), [(True, "foreign_reply"), (False, "stale_reply")])
def test_a_reply_to_no_message_is_on_record_and_no_success(
    waits: bool, name: str, records: Records
) -> None:
    exchange = begin()
    send(exchange, "A")
    take(exchange, framed(acknowledgment("B")), waits=waits)
    assert "reason=foreign" in records.wait_for(name).getMessage()
    assert exchange.link.open_messages == 1 and not exchange.stored


def test_a_refusal_that_nobody_asked_for_is_counted(records: Records) -> None:
    exchange = begin()
    send(exchange, "A", "NE", "NE")
    exchange.link.events(NOW)
    exchange.unasked.waiting = 1
    take(exchange, framed(acknowledgment("A", "AE")), waits=False)
    assert (exchange.unasked.refused, exchange.unasked.waiting) == (1, 0)
    assert records.wait_for("unasked_refused")
    assert "stale_reply" not in [getattr(record, "event", "") for record in records.all()]


def test_a_reply_proves_that_the_server_speaks_mllp_and_has_read_what_came_before() -> None:
    exchange = begin()
    exchange.unasked.waiting = 3
    exchange.note(b"HTTP/1.1 400 Bad Request\r\n")
    assert exchange.hint.startswith("; ")
    assert exchange.reply(acknowledgment("A")).accepted
    assert exchange.unasked.waiting == 0 and not exchange.hint
    exchange.dialed()
    exchange.hear(b"HTTP/1.1 400 Bad Request\r\n")
    assert exchange.hint.startswith("; "), "each connection is judged by its own bytes"
    assert exchange.ended(None, None).endswith(exchange.hint)


def test_an_open_connection_ends_the_waiting_between_attempts() -> None:
    exchange = begin()
    attempts = exchange._settings.attempts
    attempts.failed()
    assert attempts.remaining() > 0
    exchange.dialed()
    assert attempts.remaining() > 0
    exchange.opened()
    assert attempts.remaining() == 0
