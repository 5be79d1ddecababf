"""One native call for each read: which answers leave when, and what a handler may do meanwhile."""

import sys
import time

import pytest
from fastmllp._native import Message, Raised, Responder, Returned, Unusual
from peers import framed, message, msa, told

NOW = 1.0
LONG = "NAME" * 200


def answered(answers: bytes) -> list[str]:
    """MSA-2 of each answer."""
    return [msa(answer[1:])[1] for answer in answers.split(b"\x1c\r")[:-1]]


def accept(message: Message) -> None:
    """Take it."""


def test_answers_of_one_read_leave_together() -> None:
    link = Responder(NOW)
    data = b"".join(framed(message(str(at))) for at in range(40))
    answers, _, events, deadline, more = link.converse(data[:-5], NOW, accept)
    assert answered(answers) == [str(at) for at in range(39)]
    assert events is None and deadline is not None and not more
    answers, *_ = link.converse(data[-5:], NOW, accept)
    assert answered(answers) == ["39"] and link.unsent == 0 and link.waiting == 0


def test_finished_answers_do_not_wait_for_handlers_that_take_their_time() -> None:
    link, began = Responder(NOW), []

    def work(message: Message) -> None:
        began.append(message.header.message_control_id)
        while time.perf_counter() < start + 0.002:
            pass

    start = time.perf_counter()
    data, rounds, more = framed(message("A")) + framed(message("B")), [], True
    while more:
        start = time.perf_counter()
        answers, _, events, _, more = link.converse(data, NOW, work)
        assert events is None
        rounds.append(answered(answers))
        data = b""
    assert rounds[:2] == [["A"], ["B"]] and began == [b"A", b"B"]


@pytest.mark.parametrize("hold", [False, True])
def test_held_answers_stay_in_their_order(hold: bool) -> None:
    link = Responder(NOW)
    data = framed(message("A")) + framed(message("B"))
    answers, *_ = link.converse(data, NOW, accept, hold)
    assert answered(answers) == ([] if hold else ["A", "B"])
    assert answered(link.outgoing()) == (["A", "B"] if hold else [])
    answers, *_ = link.converse(framed(message("C")), NOW, accept)
    assert answered(answers) == (["A", "B", "C"] if hold else ["C"])


def test_control_ids_are_unique() -> None:
    ids = []
    for _ in range(3):
        link, data, answers, more = Responder(NOW), framed(message("A")) * 300, b"", True
        while more:  # Where the machine is busy, the handlers take their time.
            part, _, _, _, more = link.converse(data, NOW, accept)
            answers, data = answers + part, b""
        ids += [header.split(b"|")[9] for header in answers.split(b"\x0b")[1:]]
    assert len(ids) == len(set(ids)) == 900
    assert all(len(name) == 32 and int(name, 16) for name in ids)


def test_message_that_is_kept_does_not_keep_its_read() -> None:
    link, kept = Responder(NOW), []
    wanted = message("B", LONG)
    data = framed(message("A", LONG)) + framed(wanted) + framed(message("C", LONG))
    before = sys.getrefcount(data)

    def keep(message: Message) -> None:
        assert sys.getrefcount(data) > before, "read where it lies"
        assert message.get("MSH-10") is not None
        if message.get("MSH-10") == b"B":
            kept.append(message)

    link.converse(data, NOW, keep)
    assert sys.getrefcount(data) == before
    assert kept[0].payload == wanted and kept[0].payload is kept[0].payload
    assert kept[0] == Message(wanted) and hash(kept[0]) == hash(Message(wanted))


@pytest.mark.parametrize("name", ["SHORT", LONG])
def test_message_reads_the_same_wherever_it_lies(name: str) -> None:
    link, seen = Responder(NOW), []
    payload = message("A", name)
    data = framed(payload) + framed(payload)

    def look(found: Message) -> None:
        other = Message(payload)
        assert (found.delimiters, found.kind) == (other.delimiters, other.kind)
        assert found.text("PID-5") == other.text("PID-5") and found.leaf("PID-5.1") is not None
        assert found.status("PID-5") == "value" and found.character_set == other.character_set
        assert len(found) == len(payload) and repr(found) == repr(other) and found == other
        assert [each.raw for each in found] == [each.raw for each in other]
        assert found.header.message_control_id == b"A" and bytes(found) == payload
        seen.append(found)

    _, _, events, _, _ = link.converse(data[:-3], NOW, look)
    assert events is None
    _, _, events, _, _ = link.converse(data[-3:], NOW, look)
    assert events is None and len(seen) == 2


def test_handler_that_raises_or_returns_something_else_leaves_it_to_the_host() -> None:
    link = Responder(NOW)
    error = ValueError("no")

    def handle(message: Message) -> object:
        if message.get("MSH-10") == b"A":
            raise error
        return b"own"

    data = framed(message("A", LONG)) + framed(message("B", LONG))
    answers, _, events, _, more = link.converse(data, NOW, handle)
    assert answers == b"" and events is not None and more
    (raised,) = events
    assert isinstance(raised, Raised) and raised.message.payload == message("A", LONG)
    assert raised.error is error and raised.ticket.payload == message("A", LONG)
    link.answer(raised.ticket, "AE", NOW)
    answers, _, events, _, more = link.converse(b"", NOW, handle)
    assert answered(answers) == ["A"] and events is not None
    (returned,) = events
    assert isinstance(returned, Returned) and returned.ticket.payload == message("B", LONG)
    assert returned.result == b"own" and returned.message.payload == message("B", LONG)


def test_bytes_that_a_handler_gives_come_behind_those_of_the_call() -> None:
    link, seen = Responder(NOW), []

    def handle(found: Message) -> None:
        seen.append(found.get("MSH-10"))
        if len(seen) == 1:
            inner = link.converse(framed(message("C")), NOW, handle)
            assert inner[:3] == (b"", (), None) and not inner[4]
            assert link.receive(framed(message("D")), NOW) == []
            link.peer_closed(NOW)

    answers, _, events, _, more = link.converse(
        framed(message("A")) + framed(message("B")), NOW, handle
    )
    while more:
        more_answers, _, events, _, more = link.converse(b"", NOW, handle)
        answers += more_answers
    assert seen == [b"A", b"B", b"C", b"D"] and answered(answers) == ["A", "B", "C", "D"]
    assert events is not None and link.is_finished
    assert [told(event) for event in events] == [("Closing", "end_of_stream")]


@pytest.mark.parametrize("hold", [False, True])
def test_a_host_that_keeps_records_gets_the_length_of_each_answer(hold: bool) -> None:
    link, names = Responder(NOW), ["A", "LONGER" * 30, "B" * 9]
    data = b"".join(framed(message(name)) for name in names)
    answers, lengths, events, _, more = link.converse(data, NOW, accept, hold, pause=True)
    answers += link.outgoing()
    assert answered(answers) == names and events is None and not more
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    parts = [answers[at : at + length] for at, length in zip(starts, lengths, strict=True)]
    assert b"".join(parts) == answers and [answered(part) for part in parts] == [[n] for n in names]
    assert link.converse(data, NOW, accept, hold)[1] == (), "nobody has asked"


def test_lengths_end_where_the_host_has_something_to_do() -> None:
    link, results = Responder(NOW), iter(["AA", b"own", None])
    data = b"".join(framed(message(name)) for name in "AB") + framed(b"MSH|x")
    data += framed(message("C"))
    answers, lengths, events, _, more = link.converse(
        data, NOW, lambda _: next(results), pause=True
    )
    assert lengths == (len(answers),) and answered(answers) == ["A"] and more
    assert events is not None and isinstance(events[-1], Returned)
    link.answer(events[-1].ticket, "AE", NOW)
    answers, lengths, events, _, more = link.converse(b"", NOW, lambda _: next(results), pause=True)
    # The answer of the host leaves first, and is not among the lengths.
    assert lengths == (len(answers.split(b"\x1c\r")[1]) + 2,)
    assert events is not None and isinstance(events[0], Unusual)
    assert events[0].deviations == ("bad_encoding_characters",) and events[0].length == 5 and more
