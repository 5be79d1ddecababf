"""Messages that wait because the link of an asyncio client has no room for them."""

import asyncio

import pytest
from fastmllp import ConnectError, LinkError, Reply
from fastmllp._native import Initiator, Stray, Verdict
from fastmllp.aio.outbox import Outbox

_NOW = 0.0


def _message(control_id: str) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|{control_id}|P|2.5\r".encode()


def _answer(control_id: str) -> bytes:
    return b"\x0bMSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\rMSA|AA|%b|\r\x1c\r" % control_id.encode()


def _outbox(first: str, count: int) -> tuple[Outbox, Initiator, list[asyncio.Future[Reply]]]:
    """More messages than the link has room for, in progress on a connection."""
    loop = asyncio.get_running_loop()
    outbox, link = Outbox(), Initiator()
    link.connected()
    names = [first, *(str(number) for number in range(1, count))]
    futures = [outbox.add(_message(name), loop) for name in names]
    outbox.submit(link, _NOW)
    assert link.open_messages == 64
    return outbox, link, futures


@pytest.mark.parametrize("named", ["1", "63", "64", "99"])
def test_a_nameless_message_takes_no_reply_to_a_waiting_one(named: str) -> None:
    async def check() -> None:
        _, link, _ = _outbox("", 100)
        assert link.take_outgoing(_NOW)
        link.written(0, _NOW)
        (stray,) = link.receive(_answer(named), _NOW)
        assert isinstance(stray, Stray) and stray.why == "foreign"
        (verdict,) = link.receive(_answer("made up"), _NOW)
        assert isinstance(verdict, Verdict) and verdict.handle == 0

    asyncio.run(check())


@pytest.mark.parametrize("name", ["1", "80"])
def test_a_name_is_in_use_while_its_message_waits(name: str) -> None:
    async def check() -> None:
        outbox, link, futures = _outbox("0", 100)
        loop = asyncio.get_running_loop()
        again = outbox.add(_message(name), loop)
        outbox.submit(link, _NOW)
        with pytest.raises(LinkError) as raised:
            again.result()
        assert raised.value.code == "id_in_use"
        outbox.give_up(futures[int(name)], link, None)
        again = outbox.add(_message(name), loop)
        outbox.submit(link, _NOW)
        assert not again.done()

    asyncio.run(check())


def test_all_that_waited_hear_that_no_connection_could_be_opened() -> None:
    async def check() -> None:
        outbox, link, futures = _outbox("0", 200)
        outbox.fail_queued(link, ConnectError("refused"))
        assert all(isinstance(future.exception(), ConnectError) for future in futures)
        assert not outbox
        again = outbox.add(_message("150"), asyncio.get_running_loop())
        outbox.submit(link, _NOW)
        assert not again.done()

    asyncio.run(check())


def test_held_messages_enter_the_link_in_order() -> None:
    async def check() -> None:
        outbox, link, _ = _outbox("0", 70)
        loop = asyncio.get_running_loop()
        outbox.add(_message("last"), loop)
        sent = []
        while outbox or link.open_messages:
            outbox.submit(link, _NOW)
            frame = link.take_outgoing(_NOW)
            link.written(0, _NOW)
            sent.append(frame.split(b"|")[9].decode())
            for handle, _ in link.replies(_answer(sent[-1]), _NOW):
                outbox.take(handle)
        assert sent == [*(str(number) for number in range(70)), "last"]

    asyncio.run(check())
