"""The sending end of a link without a socket, as a host with a loop of its own drives it."""

from typing import Any

import pytest
from fastmllp import FrameError, LinkError
from fastmllp._native import (
    Initiator,
    InitiatorEvent,
    Reconnect,
    Retry,
    Stray,
    Verdict,
    answers,
    read_msa,
)
from peers import acknowledgment, framed, message, told


def sent(link: Initiator, control_id: str, now: float = 0.0) -> int:
    """A message that has been written."""
    handle = link.submit(message(control_id), now)
    if link.wants_connection(now):
        link.connected()
    assert link.next_to_send(now) == (handle, framed(message(control_id)))
    link.sent(handle, now)
    return handle


def only(events: list[InitiatorEvent]) -> Any:
    assert len(events) == 1, events
    return events[0]


def test_a_message_and_its_reply() -> None:
    link = Initiator()
    handle = sent(link, "A")
    assert link.next_to_send(0) is None and link.open_messages == 1
    reply = framed(acknowledgment("A"))
    assert link.receive(reply[:9], 1) == []
    verdict = only(link.receive(reply[9:], 1))
    assert told(verdict) == (
        "Verdict",
        handle,
        "answered",
        acknowledgment("A"),
        "AA",
        "accept",
        False,
        None,
        "AA: accept by the built-in rule (accept=accept)",
    )
    fields = f"handle={handle}, fate='answered', payload=<{len(acknowledgment('A'))} bytes>"
    assert repr(verdict).startswith(f"Verdict({fields}, reply='AA', action='accept', warn=False")
    assert link.open_messages == 0 and link.next_deadline() is None


def test_replies_of_others_are_no_verdicts() -> None:
    link = Initiator(reply=5)
    sent(link, "A")
    strays = (
        framed(acknowledgment("B")) + framed(b"OK") + framed(b"MSH|^~\\&|x\r") + framed(b"\x06")
    )
    events = link.receive(strays, 1)
    assert [told(event)[:2] for event in events] == [
        ("Stray", "foreign"),
        ("Stray", "not_hl7"),
        ("Stray", "no_msa"),
        ("Stray", "commit_block"),
    ]
    assert link.next_deadline() == 5
    link.on_time(5)
    verdict, reconnect = link.events(5)
    assert isinstance(verdict, Verdict) and told(reconnect) == ("Reconnect",)
    assert (verdict.reply, verdict.action) == ("no-msa", "suspend") and link.is_suspended


def test_a_message_is_sent_again_with_the_same_name() -> None:
    link = Initiator(reply=5, back_off=2, max_attempts=2)
    handle = sent(link, "A")
    link.on_time(5)
    retry, reconnect = link.events(5)
    assert isinstance(retry, Retry) and isinstance(reconnect, Reconnect)
    assert told(retry)[1:4] == (handle, 7, "no-reply")
    assert link.next_deadline() == 7
    link.connected()
    assert link.next_to_send(6.9) is None
    assert link.next_to_send(7) == (handle, framed(message("A")))
    link.disconnected(7)
    verdict = only(link.events(7))
    assert isinstance(verdict, Verdict)
    assert (verdict.action, verdict.payload) == ("retry", None)


def test_rules_decide() -> None:
    link = Initiator(rules="AE=suspend+warn # look at it")
    sent(link, "A")
    verdict = only(link.receive(framed(acknowledgment("A", "AE")), 1))
    assert (verdict.action, verdict.warn, verdict.rule) == ("suspend", True, 1)
    assert link.is_suspended
    link.submit(message("B"), 1)
    assert link.next_to_send(1) is None
    link.resume()
    assert link.next_to_send(1) is not None


def test_two_messages_wait_for_replies() -> None:
    link = Initiator(window=2)
    first, second = sent(link, "A"), sent(link, "B")
    link.submit(message("C"), 0)
    assert link.next_to_send(0) is None
    events = link.receive(framed(acknowledgment("B")) + framed(acknowledgment("A", "AE")), 1)
    assert [(told(event)[1], told(event)[4]) for event in events] == [
        (second, "AA"),
        (first, "AE"),
    ]


def test_the_accept_acknowledgment_is_not_the_end() -> None:
    payload = message("A").replace(b"|P|2.5", b"|P|2.5|||AL|AL", 1)
    link = Initiator()
    handle = link.submit(payload, 0)
    link.connected()
    link.next_to_send(0)
    link.sent(handle, 0)
    stored = only(link.receive(framed(acknowledgment("A", "CA")), 1))
    assert told(stored) == ("Stored", handle, acknowledgment("A", "CA"))
    assert isinstance(only(link.receive(framed(acknowledgment("A", "AA")), 2)), Verdict)


def test_a_message_is_taken_back() -> None:
    link = Initiator(reply=5)
    queued, under_way = link.submit(message("A"), 0), link.submit(message("B"), 0)
    assert link.withdraw(queued) and not link.withdraw(queued)
    link.connected()
    assert link.next_to_send(0) == (under_way, framed(message("B")))
    assert not link.withdraw(under_way) and link.open_messages == 1
    link.disconnected(1)
    assert isinstance(only(link.events(1)), Retry)
    assert link.withdraw(under_way) and link.open_messages == 0 and link.events(100) == []


def test_what_is_not_taken() -> None:
    link = Initiator()
    with pytest.raises(FrameError) as framing:
        link.submit(b"A\x0bB", 0)
    assert framing.value.code == "reserved_byte"
    link.submit(message("A"), 0)
    with pytest.raises(LinkError) as in_use:
        link.submit(message("A"), 0)
    assert in_use.value.code == "id_in_use"
    with pytest.raises(LinkError) as too_long:
        link.submit(message("x" * 257), 0)
    assert too_long.value.code == "id_too_long" and "xxx" not in str(too_long.value)
    for number in range(63):
        link.submit(message(f"N{number}"), 0)
    with pytest.raises(LinkError) as full:
        link.submit(message("B"), 0)
    assert full.value.code == "full"


@pytest.mark.parametrize(
    "options",
    [{"rules": "AA=maybe"}, {"window": 0}, {"window": 65}, {"profile": "x"}, {"scan": "x"}],
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Initiator(**options)


def test_messages_that_leave_in_one_piece() -> None:
    link = Initiator(window=3, send=5)
    handles = [link.submit(message(name), 0) for name in "ABCD"]
    assert link.take_outgoing(0) == b""
    link.connected()
    frames = [framed(message(name)) for name in "ABC"]
    assert link.take_outgoing(0) == b"".join(frames)
    assert link.take_outgoing(0) == b"", "the window is full"
    # All but the end of the second message have left, and the first is answered.
    link.written(len(frames[2]) + 1, 4)
    assert link.next_deadline() == 9
    early = framed(acknowledgment("B"))
    answered, stray = link.replies(framed(acknowledgment("A")) + early, 4)
    assert answered == (handles[0], acknowledgment("A"))
    assert told(stray) == ("Stray", "early", acknowledgment("B"))
    link.written(len(frames[2]), 5)
    assert link.replies(early, 5) == [(handles[1], acknowledgment("B"))]
    link.written(len(frames[2]) * 2, 5)
    assert told(only(link.replies(framed(acknowledgment("C")), 5)))[:2] == ("Stray", "early")
    link.written(0, 5)
    assert link.replies(framed(acknowledgment("C")), 5) == [(handles[2], acknowledgment("C"))]
    assert link.take_outgoing(6) == framed(message("D"))


def test_a_piece_has_a_limit_and_at_least_one_message() -> None:
    link = Initiator(window=4)
    for name in "ABCD":
        link.submit(message(name), 0)
    link.connected()
    frame = framed(message("A"))
    assert link.take_outgoing(0, 0) == frame
    assert len(link.take_outgoing(0, len(frame) + 1)) == 2 * len(frame)
    link.written(0, 0)
    assert len(link.take_outgoing(0)) == len(frame)


def test_what_was_written_on_a_connection_that_is_gone() -> None:
    link = Initiator(window=2, max_attempts=2, back_off=0)
    for name in "AB":
        link.submit(message(name), 0)
    link.connected()
    both = link.take_outgoing(0)
    link.written(1, 0)
    link.disconnected(1)
    assert [type(event) for event in link.replies(b"", 1)] == [Retry, Retry]
    link.connected()
    assert link.take_outgoing(1) == both
    # As many bytes as on the first connection, and not one message has left.
    link.written(len(both), 1)
    stray, *_ = link.replies(framed(acknowledgment("A")), 1)
    assert isinstance(stray, Stray) and stray.why == "early"


def test_a_verdict_without_a_reply_has_no_payload() -> None:
    link = Initiator(reply=5, max_attempts=1)
    handle = sent(link, "A")
    link.on_time(5)
    verdict, reconnect = link.replies(b"", 5)
    assert isinstance(verdict, Verdict) and told(reconnect) == ("Reconnect",)
    assert (verdict.handle, verdict.payload) == (handle, None)
    assert verdict.fate == "uncertain"


def asking(link: Initiator, control_id: str, accept: str, application: str) -> int:
    """Submit a message with this MSH-15 and MSH-16."""
    payload = f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r"
    return link.submit(payload.encode(), 0)


def test_a_stored_message_that_waits_in_vain_is_accepted() -> None:
    link = Initiator(application=5)
    link.connected()
    handle = asking(link, "A", "AL", "AL")
    link.take_outgoing(0)
    link.written(0, 0)
    stored = acknowledgment("A", "CA")
    assert told(only(link.replies(framed(stored), 1))) == ("Stored", handle, stored)
    link.on_time(6)
    verdict = only(link.events(6))
    assert (verdict.action, verdict.fate, verdict.payload) == ("accept", "stored", None)


def test_a_message_that_asks_for_no_answer_has_its_verdict_when_it_is_written() -> None:
    link = Initiator()
    link.connected()
    asking(link, "A", "NE", "NE")
    frames = link.take_outgoing(0)
    link.written(1, 0)
    assert link.events(0) == []
    link.written(0, 0)
    assert link.next_deadline() == 0, "there is an event to take"
    verdict = only(link.events(0))
    assert (verdict.action, verdict.fate) == ("accept", "unasked")
    assert verdict.text == "no-reply: accept, since no answer was asked for"
    assert frames and link.next_deadline() is None
    stray = only(link.receive(framed(acknowledgment("A")), 1))
    assert isinstance(stray, Stray) and stray.why == "unasked"


def test_only_what_has_not_left_at_all_is_not_sent() -> None:
    link = Initiator(window=3, max_attempts=1)
    link.connected()
    for control_id in ("A", "B", "C"):
        link.submit(message(control_id), 0)
    frames = link.take_outgoing(0)
    third = len(frames) // 3
    link.not_written(third + 1)  # one byte of the second is among what has left
    link.disconnected(1)
    fates = [event.fate for event in link.events(1) if isinstance(event, Verdict)]
    assert fates == ["uncertain", "uncertain", "not_sent"]
    link.connected()
    link.submit(message("D"), 2)
    handed_out = link.next_to_send(2)
    assert handed_out is not None
    link.not_sent(handed_out[0])
    link.disconnected(2)
    assert only(link.events(2)).fate == "not_sent"


def test_trailing_blanks_do_not_count() -> None:
    link = Initiator()
    for control_id, reply in [("A", acknowledgment("A   ")), ("A  ", acknowledgment("A", "AA "))]:
        handle = sent(link, control_id)
        assert link.replies(framed(reply), 1) == [(handle, reply)]
        assert read_msa(reply) == ("AA", "A") and answers(reply, control_id.encode())
    assert not answers(acknowledgment("A"), b" A")
