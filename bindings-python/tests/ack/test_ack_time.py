"""MSH-7 of acknowledgments: universal time, its offset, and local time."""

import datetime
import re
import time
from collections.abc import Iterator

import fastmllp
import pytest
from fastmllp._native import Arrived, Responder, TooLarge
from peers import framed, message

UTC = datetime.UTC


@pytest.fixture(params=["Asia/Kolkata", "America/St_Johns", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A time zone of the process."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    # A time is written once for each second.
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)
    yield request.param
    monkeypatch.undo()
    time.tzset()


def msh_7(answer: bytes) -> str:
    return fastmllp.Message(answer.strip(b"\x0b\x1c\r")).header.date_time_of_message.decode()


def is_now(text: str) -> bool:
    """Whether a time with an offset is this one, give or take a slow machine."""
    read = datetime.datetime.strptime(text, "%Y%m%d%H%M%S%z")
    return abs(datetime.datetime.now(UTC) - read) < datetime.timedelta(minutes=10)


def local_offset() -> str:
    return time.strftime("%z")


def by_responder(policy: str, local_time: bool, *, direct: bool) -> bytes:
    link = Responder(0.0, policy=policy, local_time=local_time)
    data = framed(message("A"))
    if direct:
        answer, *_ = link.converse(data, 0.0, lambda received: None)
        return answer
    (event,) = link.receive(data, 0.0)
    assert isinstance(event, Arrived)
    link.answer(event.ticket, "AA", 0.0)
    return link.outgoing()


def refused(policy: str, local_time: bool) -> bytes:
    link = Responder(
        0.0, policy=policy, local_time=local_time, max_payload_len=90, over_limit="refuse"
    )
    for event in link.receive(framed(message("A").ljust(200, b"x")), 0.0):
        if isinstance(event, TooLarge):
            link.refuse(event.refusal, "reject", 0.0)
    link.events(0.0)
    return link.outgoing()


def answers(policy: str, local_time: bool) -> Iterator[bytes]:
    """From every place that makes an acknowledgment."""
    yield fastmllp.Ack("AA", policy=policy).encode(message("A"), local_time=local_time)
    yield fastmllp.Ack("AA").encode(message("A"), policy=policy, local_time=local_time)
    yield by_responder(policy, local_time, direct=True)
    yield by_responder(policy, local_time, direct=False)
    yield refused(policy, local_time)
    if policy == "always":
        yield fastmllp.build_ack(message("A"), local_time=local_time)


def test_policy_always_writes_fourteen_digits_of_universal_time(zone: str) -> None:
    for answer in answers("always", local_time=False):
        assert re.fullmatch(r"\d{14}", msh_7(answer))
        assert is_now(msh_7(answer) + "+0000")


def test_policy_conformant_writes_the_offset(zone: str) -> None:
    for answer in answers("conformant", local_time=False):
        assert re.fullmatch(r"\d{14}\+0000", msh_7(answer))
        assert is_now(msh_7(answer))


@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_local_time_has_its_offset(zone: str, policy: str) -> None:
    for answer in answers(policy, local_time=True):
        assert re.fullmatch(r"\d{14}[+-]\d{4}", msh_7(answer))
        assert is_now(msh_7(answer))
        assert msh_7(answer).endswith(local_offset())


def test_given_time_stays_as_it_is() -> None:
    given = fastmllp.Ack("AA", policy="conformant", timestamp="20260101")
    assert msh_7(given.encode(message("A"), local_time=True)) == "20260101"
