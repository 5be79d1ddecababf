"""The places of an asyncio pool: which connection a message takes, and until when."""

import asyncio
import queue
import threading

import fastmllp.aio
import fastmllp.aio.pool
import fastmllp.client
import fastmllp.client.pool
import pytest
from fastmllp import ConnectionLost
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, answering, framed, message, silent
from threaded_server import Address, ThreadedServer, faithful


def test_the_least_busy_connection_is_taken() -> None:
    everything, proceed = threading.Barrier(3), threading.Event()

    def script(server: ThreadedServer, peer: Peer) -> None:
        names = [server.receive(peer), server.receive(peer)]
        everything.wait(DEADLINE)
        assert proceed.wait(DEADLINE)
        for name in names:
            peer.send(framed(acknowledgment(name)))
        faithful(server, peer)

    async def work(address: Address) -> None:
        async with fastmllp.aio.Pool(*address, size=2, window=2) as pool:
            sends = [asyncio.create_task(pool.send(message(name))) for name in "ABCDE"]
            # Two messages on each connection; the fifth waits.
            await asyncio.to_thread(everything.wait, DEADLINE)
            proceed.set()
            assert [reply.control_id for reply in await asyncio.gather(*sends)] == list("ABCDE")

    with ThreadedServer(script) as server:
        asyncio.run(work(server.address))
        assert server.accepted == 2


def test_a_cancelled_message_keeps_its_place_until_it_is_answered() -> None:
    received: queue.SimpleQueue[str] = queue.SimpleQueue()
    proceed = {"A": threading.Event(), "B": threading.Event()}

    def script(server: ThreadedServer, peer: Peer) -> None:
        while True:
            name = server.receive(peer)
            received.put(name)
            if name in proceed:
                assert proceed[name].wait(DEADLINE)
            peer.send(framed(acknowledgment(name)))

    async def work(address: Address) -> None:
        async with asyncio.timeout(DEADLINE), fastmllp.aio.Pool(*address, size=2) as pool:
            cancelled = asyncio.create_task(pool.send(message("A")))
            assert await asyncio.to_thread(received.get) == "A"
            slow = asyncio.create_task(pool.send(message("B")))
            assert await asyncio.to_thread(received.get) == "B"
            cancelled.cancel()
            await asyncio.wait({cancelled})
            # There is no room: neither connection is free before one of them has its answer.
            third = asyncio.create_task(pool.send(message("C")))
            await asyncio.sleep(0)
            proceed["B"].set()
            assert (await slow).accepted and (await third).accepted
            proceed["A"].set()
            # The answer to the first one makes room: two messages go at the same time again.
            while any(pool._places.busy.values()):
                await asyncio.sleep(0)
            assert pool._places.room._value == 2
            replies = await asyncio.gather(*(pool.send(message(name)) for name in "DE"))
            assert [reply.control_id for reply in replies] == ["D", "E"]

    with ThreadedServer(script) as server:
        asyncio.run(work(server.address))


def test_a_message_that_is_cancelled_before_it_leaves_has_no_place() -> None:
    received, proceed = threading.Event(), threading.Event()

    def script(server: ThreadedServer, peer: Peer) -> None:
        assert server.receive(peer) == "A"
        received.set()
        assert proceed.wait(DEADLINE)
        peer.send(framed(acknowledgment("A")))
        faithful(server, peer)

    async def work(address: Address) -> None:
        async with asyncio.timeout(DEADLINE), fastmllp.aio.Pool(*address, size=1) as pool:
            sends = [asyncio.create_task(pool.send(message(name))) for name in "ABC"]
            await asyncio.to_thread(received.wait, DEADLINE)
            sends[1].cancel()
            await asyncio.wait({sends[1]})
            proceed.set()
            assert (await sends[0]).accepted and (await sends[2]).accepted
            # Taken back by its client, before it was written.
            early = asyncio.create_task(pool.send(message("D")))
            await asyncio.sleep(0)
            early.cancel()
            await asyncio.wait({early})
            with pytest.raises(fastmllp.FrameError):
                await pool.send(b"\x1c")
            with pytest.raises(TypeError):
                await pool.send(7)  # type: ignore[arg-type]
            assert (await pool.send(message("E"))).accepted
            assert list(pool._places.busy.values()) == [0] and pool._places.room._value == 1

    with ThreadedServer(script) as server:
        asyncio.run(work(server.address))
        assert message("B") not in server.received and message("D") not in server.received


def test_closing_ends_what_was_cancelled_on_its_way() -> None:
    received = threading.Event()

    async def work(address: Address) -> None:
        async with asyncio.timeout(DEADLINE):
            pool = fastmllp.aio.Pool(*address, size=1)
            cancelled = asyncio.create_task(pool.send(message("A")))
            await asyncio.to_thread(received.wait, DEADLINE)
            cancelled.cancel()
            await asyncio.wait({cancelled})
            await pool.close()
            assert (await pool.send(message("B"))).accepted
            await pool.close()

    with ScriptedServer(silent(received), answering("B")) as server:
        asyncio.run(work(server.address))


def test_closing_fails_what_waits_for_a_connection_too() -> None:
    received = threading.Event()

    async def work(address: Address) -> None:
        pool = fastmllp.aio.Pool(*address, size=1)
        sends = [asyncio.create_task(pool.send(message(name))) for name in "AB"]
        await asyncio.to_thread(received.wait, DEADLINE)
        await pool.close()
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ConnectionLost, ConnectionLost]
        assert (await pool.send(message("C"))).accepted
        await pool.close()

    with ScriptedServer(silent(received), answering("C")) as server:
        asyncio.run(work(server.address))
