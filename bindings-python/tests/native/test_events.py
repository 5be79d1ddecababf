"""Events of the native module as Python has them: classes for `match`, and no way to change one."""

from types import UnionType
from typing import Any

import pytest
from fastmllp import _native
from fastmllp._native import Decoder, Initiator, Responder
from peers import acknowledgment, framed, message, told

MARK = "MARKED"


def given() -> list[Any]:
    """Events of every giver, with payloads, results and exceptions in them."""
    marked = framed(message("A", MARK))
    decoder, responder, initiator = Decoder(), Responder(0), Initiator()
    found: list[Any] = decoder.events(b"junk" + marked) + decoder.events(b"\x0bMSH")
    found += decoder.finish_events()
    found += responder.receive(b"\r\n" + marked[:-1] + b"\n" + marked, 0)
    results = iter([MARK.encode()])
    for _ in range(2):
        found += Responder(0).converse(marked, 0, lambda _: next(results))[2] or []
    limited = Responder(0, max_payload_len=90, over_limit="refuse")
    found += limited.receive(framed(message("A", MARK * 9)), 0)
    for name in "ABC":
        initiator.submit(message(name), 0)
    initiator.connected()
    initiator.take_outgoing(0)
    initiator.written(0, 0)
    replies = framed(acknowledgment(MARK)) + framed(acknowledgment("A"))
    found += initiator.receive(replies, 0)
    initiator.disconnected(1)
    return found + initiator.events(1)


def test_fields_go_by_position_and_by_name() -> None:
    for union in (_native.DecoderEvent, _native.ResponderEvent, _native.InitiatorEvent):
        assert isinstance(union, UnionType)
        assert {_native.Deviation, _native.Fault, _native.Discard} < set(union.__args__)
        for event in union.__args__:
            assert all(hasattr(event, name) for name in event.__match_args__)
    (event,) = Decoder().events(framed(message("A")))
    match event:
        case _native.Frame(0, payload, "content", deviations=()):
            assert payload == message("A")
        case _:
            pytest.fail(f"no match: {event}")


@pytest.mark.parametrize(
    ("payload", "kind"),
    [(message("A"), "content"), (b"", "empty"), (b"\x06", "commit_ack"), (b"\x15", "commit_nak")],
)
def test_what_a_payload_is_and_where_it_began(payload: bytes, kind: str) -> None:
    data = b"zz" + framed(payload)
    for *_, event in (Responder(0).receive(data, 0), Decoder().events(data)):
        assert isinstance(event, _native.Arrived | _native.Frame)
        assert (event.kind, event.offset) == (kind, 2)


def test_an_event_stays_as_it_is() -> None:
    for event in given():
        for name in event.__match_args__:
            with pytest.raises(AttributeError):
                setattr(event, name, None)
        with pytest.raises(TypeError):
            type(event)()


def test_what_is_shown_of_an_event_has_no_payload() -> None:
    shown = [repr(event) for event in given()]
    assert not [line for line in shown if MARK in line]
    names = {line.partition("(")[0] for line in shown}
    assert {"Frame", "Arrived", "Returned", "Raised", "TooLarge", "Stray", "Verdict"} <= names
    assert "Discard(offset=0, length=4, why='outside', is_blank=False)" in shown
    (arrived,) = Responder(0).receive(framed(message("A")), 0)
    length = len(message("A"))
    kind = f"<Ticket>, payload=<{length} bytes>, offset=0, kind='content', deviations=()"
    assert repr(arrived) == f"Arrived(ticket={kind})" and told(arrived)[0] == "Arrived"
