"""Sending with several messages on the wire at a time on each connection."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from fastmllp import aio
from fastmllp._native import Message, MessageError
from fastmllp.cli.delivery import Agenda, Outcome
from fastmllp.client import ConnectionLost
from fastmllp.client.options import AsyncClientKeywords, ClientOptions

Report = Callable[[Outcome], None]


def send(
    payload: Callable[[int], bytes],
    agenda: Agenda,
    server: tuple[str, int],
    client: AsyncClientKeywords,
    connections: int,
    report: Report,
) -> None:
    """Send until the agenda has no more, on one thread.

    Args:
        payload: Message by number.
        agenda: Which is next.
        server: Its address and port.
        client: Options for `aio.connect`. The window says how many messages may be without a reply
            on one connection.
        connections: How many connections to open.
        report: Called with what became of each message.
    """

    async def all_connections() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(one_connection())

    async def one_connection() -> None:
        connected = aio.connect(*server, **client)
        try:
            await connected.connect()
            turn = asyncio.Lock()
            on_the_wire: dict[bytes, asyncio.Event] = {}
            async with asyncio.TaskGroup() as group:
                for _ in range(window):
                    group.create_task(one_at_a_time(connected, turn, on_the_wire))
        except Exception as error:
            report(Outcome(None, 0.0, error=error))
        finally:
            with contextlib.suppress(ConnectionLost):  # The outcome tells.
                await connected.close()
            report(Outcome(None, 0.0, unasked=connected.unasked))

    async def one_at_a_time(
        connected: aio.AsyncClient, turn: asyncio.Lock, on_the_wire: dict[bytes, asyncio.Event]
    ) -> None:
        while not connected.unasked.uncertain:
            async with turn:  # Each waits for its time in turn, so that the order is kept.
                place = agenda.reserve()
                while (seconds := agenda.remaining(place)) > 0:
                    await asyncio.sleep(seconds)
                name = b"" if place is None else _control_id(payload(place[0]), scan)
                # The replies to two messages of one name could not be told apart.
                while name and (answered := on_the_wire.get(name)) is not None:
                    await answered.wait()
                number = agenda.begin(place)
                if number is None:
                    return
                answered = on_the_wire[name] = asyncio.Event()
            began = time.perf_counter()
            try:
                reply = await connected.send(payload(number))
            except Exception as error:
                report(Outcome(number, time.perf_counter() - began, error=error))
                return
            finally:
                on_the_wire.pop(name, None)
                answered.set()
            report(Outcome(number, time.perf_counter() - began, reply))

    window = client.get("window", ClientOptions.window)
    scan = client.get("scan", ClientOptions.scan)
    asyncio.run(all_connections())


def _control_id(payload: bytes, scan: str) -> bytes:
    """MSH-10; empty for a message without one."""
    try:
        return Message(payload, scan=scan, lenient=True).get("MSH-10") or b""
    except MessageError:
        return b""
