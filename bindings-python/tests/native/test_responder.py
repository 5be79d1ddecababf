"""The receiving end of a link without a socket, as a host with a loop of its own drives it."""

from typing import Any, cast

import pytest
from fastmllp import Ack, AckError, FrameError, LinkError, MessageError
from fastmllp._native import Arrived, Discard, Responder, TooLarge
from peers import framed, message, msa, told


def arrive(link: Responder, *payloads: bytes) -> list[Arrived]:
    """Give the link these messages at once, and take nothing else from it."""
    events = link.receive(b"".join(framed(payload) for payload in payloads), 0)
    assert all(isinstance(event, Arrived) for event in events)
    return cast(list[Arrived], events)


def send(link: Responder, now: float = 0.0) -> list[tuple[str, str]]:
    """Code and control ID of every answer that leaves now."""
    answers = b""
    # Answers that were not given in order lie in different places.
    while part := link.outgoing(1 << 30):
        answers += part
        link.sent(len(part), now)
    assert link.unsent == 0
    return [msa(answer[1:]) for answer in answers.split(b"\x1c\r")[:-1]]


def test_answers_leave_in_the_order_of_the_messages() -> None:
    link = Responder(0)
    events = link.receive(framed(message("A")) + framed(message("B"))[:30], 0)
    events += link.receive(framed(message("B"))[30:] + framed(message("C")), 0)
    arrived = [event for event in events if isinstance(event, Arrived)]
    assert [event.payload for event in arrived] == [message(name) for name in "ABC"]
    first, second, third = (event.ticket for event in arrived)
    link.answer(third, "AR", 1)
    link.answer(second, "AE", 1)
    assert link.outgoing() == b"" and link.waiting == 1
    link.answer_with(first, b"MSH|^~\\&|\rMSA|AA|A\r", 1)
    assert not link.is_settled(first.number)
    assert send(link) == [("AA", "A"), ("AE", "B"), ("AR", "C")]
    assert all(link.is_settled(ticket.number) for ticket in (first, second, third))


def test_a_ticket_is_good_for_one_answer() -> None:
    link = Responder(0)
    (event,) = arrive(link, message("A"))
    ticket = event.ticket
    with pytest.raises(AckError):
        link.answer(ticket, "XX", 0)
    with pytest.raises(FrameError):
        link.answer_with(ticket, b"A\x1cB", 0)
    link.answer(ticket, "AA", 0)
    for again in (
        lambda: link.answer(ticket, "AE", 0),
        lambda: link.answer_with(ticket, b"MSH", 0),
        lambda: link.leave_unanswered(ticket, 0),
        lambda: link.commit(ticket, 0),
        lambda: link.refuse_commit(ticket, 0),
    ):
        with pytest.raises(LinkError) as used:
            again()
        assert used.value.code == "answered"
    assert send(link) == [("AA", "A")]


def test_the_conformant_policy_has_no_answer_for_everything() -> None:
    link = Responder(0, policy="conformant")
    nothing, nameless = arrive(link, b"no header", message(""))
    with pytest.raises(MessageError):
        link.answer(nothing.ticket, "AA", 0)
    link.leave_unanswered(nothing.ticket, 0)
    with pytest.raises(AckError) as caught:
        link.answer(nameless.ticket, "AA", 0)
    assert caught.value.code == "no_control_id"
    link.answer(nameless.ticket, "AR", 0)
    (batch,) = arrive(link, message("A") + message("B"))
    with pytest.raises(AckError) as caught:
        link.answer(batch.ticket, "AA", 0)
    assert caught.value.code == "batch"
    link.answer(batch.ticket, "AR", 0)
    assert send(link) == [("AR", ""), ("AR", "A")]


def test_a_text_cannot_begin_a_segment() -> None:
    link = Responder(0)
    (event,) = arrive(link, message("A"))
    ack = Ack("AE", text="no|bed\rMSA|AA|A")
    link.answer_with(event.ticket, ack.encode(event.payload), 0)
    assert b"no\\F\\bed" in link.outgoing() and send(link) == [("AE", "A")]


def test_too_much_unanswered_is_not_read() -> None:
    link = Responder(0)
    events = arrive(link, *[message("A")] * 20)
    assert len(events) == 16 and not link.wants_input
    # Whoever reads all the same loses nothing, not even at the end of the stream.
    assert link.receive(framed(message("B"))[:20], 0) == []
    assert link.receive(framed(message("B"))[20:], 0) == []
    link.peer_closed(0)
    for event in events:
        link.answer(event.ticket, "AA", 0)
    assert len(send(link)) == 16
    *rest, closing = link.events(0)
    assert [type(event) for event in rest] == [Arrived] * 5
    assert told(rest[4])[2] == message("B") and told(closing) == ("Closing", "end_of_stream")


def test_times() -> None:
    link = Responder(100, idle=1, byte=2, frame=3, send=4, trailer=0)
    assert link.next_deadline() == 101
    link.receive(b"\x0bMSH", 100.5)
    assert link.next_deadline() == 102.5 and link.pending == 4
    link.receive(b"|", 102)
    assert link.next_deadline() == 103.5
    link.on_time(103.4)
    assert link.events(103.4) == []
    link.on_time(103.5)
    error, discard, closing = link.events(103.5)
    assert told(error)[:2] == ("Fault", "truncated") and link.is_finished
    assert told(discard) == ("Discard", 0, 5, "dropped", False)
    assert told(closing) == ("Closing", "frame_timeout")


def test_who_takes_no_answers_is_given_up() -> None:
    link = Responder(0, send=4)
    (event,) = arrive(link, message("A"))
    link.answer(event.ticket, "AA", 1)
    assert link.next_deadline() == 5
    link.on_time(5)
    assert [told(event) for event in link.events(5)] == [
        ("AnswersLost", 1),
        ("Closing", "send_timeout"),
    ]
    assert link.is_finished and link.unsent == 0


def test_a_pause_ends_a_frame_without_its_trailer() -> None:
    link = Responder(0, profile="resync")
    assert link.receive(framed(message("A"))[:-1], 1) == []
    assert link.next_deadline() == 1.25
    link.on_time(1.25)
    (event,) = link.events(1.25)
    assert isinstance(event, Arrived)
    assert (event.payload, event.deviations) == (message("A"), ("missing_cr",))


def test_over_the_limit() -> None:
    payload = message("A") + b"x" * 1000
    link = Responder(0, max_payload_len=500)
    error, closing = link.receive(framed(payload), 0)
    assert told(error)[:2] == ("Fault", "too_large") and told(closing) == ("Closing", "too_large")

    link = Responder(0, max_payload_len=500, over_limit="refuse")
    (event,) = link.receive(framed(payload) + framed(message("B")), 0)
    assert isinstance(event, TooLarge) and event.payload.startswith(b"MSH|^~\\&|SENDER")
    link.refuse(event.refusal, "reject", 0)
    discard, following = link.events(0)
    assert isinstance(discard, Discard) and isinstance(following, Arrived)
    link.answer(following.ticket, "AA", 0)
    assert send(link) == [("AR", "A"), ("AA", "B")]
    with pytest.raises(LinkError):
        link.leave_unrefused(event.refusal, 0)
    with pytest.raises(TypeError):
        link.answer(event.refusal, "AA", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "level", "code"),
    [
        ("error", "application", "AE"),
        ("reject", "application", "AR"),
        ("error", "accept", "CE"),
        ("reject", "accept", "CR"),
    ],
)
def test_a_refusal_has_the_level_that_was_asked_for(how: str, level: str, code: str) -> None:
    link = Responder(0, max_payload_len=500, over_limit="refuse", policy="conformant")
    (event,) = link.receive(framed(message("A") + b"x" * 1000), 0)
    assert isinstance(event, TooLarge)
    with pytest.raises(ValueError, match="level"):
        link.refuse(event.refusal, how, 0, level="x")
    link.refuse(event.refusal, how, 0, level=level)
    link.events(0)
    assert send(link) == [(code, "A")]


def test_commit_blocks() -> None:
    link = Responder(0, commit_blocks=True)
    first, second = arrive(link, message("A"), message("B"))
    link.commit(first.ticket, 0)
    assert link.outgoing() == framed(b"\x06")
    link.answer(first.ticket, "AA", 0)
    link.refuse_commit(second.ticket, 0)
    assert link.outgoing().startswith(framed(b"\x06")) and link.outgoing().endswith(framed(b"\x15"))
    (commit,) = link.receive(framed(b"\x06"), 0)
    assert told(commit) == ("Commit", True)


@pytest.mark.parametrize(
    ("first", "protocol", "foreign"),
    [
        (b"\x16\x03\x01\x02\x00\x01", "tls", True),
        (b"GET / HTTP/1.1\r\n", "http", True),
        (b"PROXY TCP4 192.0.2.7 192.0.2.2 40000 2575\r\n", "proxy_v1", True),
        (b"MSH|^~\\&|A\r", "hl7_unframed", False),
    ],
)
def test_another_protocol_is_named(first: bytes, protocol: str, foreign: bool) -> None:
    link = Responder(0)
    events = link.receive(first, 0)
    assert told(events[0]) == ("OtherProtocol", protocol, foreign)


def test_the_end_of_the_stream() -> None:
    link = Responder(0)
    (event,) = link.receive(framed(message("A")) + framed(message("B"))[:20], 0)
    link.peer_closed(0)
    assert [told(each)[0] for each in link.events(0)] == ["Fault", "Discard", "Closing"]
    assert not link.is_finished and isinstance(event, Arrived)
    link.answer(event.ticket, "AA", 0)
    assert send(link) == [("AA", "A")] and link.is_finished
    assert link.counters["frames"] == 1


@pytest.mark.parametrize(
    "options", [{"profile": "x"}, {"policy": "x"}, {"over_limit": "x"}, {"scan": "x"}]
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Responder(0, **options)
