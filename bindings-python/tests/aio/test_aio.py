"""What only the asyncio side has: coroutines, executors, many messages at a time, cancellation."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import Records
from fastmllp import Ack, ConnectError, ConnectionLost, LinkError, Message, NoReply
from fastmllp.aio import AsyncServer, connect, start_server
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work()

    asyncio.run(bounded())


async def answered(server: AsyncServer, *control_ids: str) -> list[str]:
    """The codes that these messages get, sent together on one connection."""
    async with connect(*server.address, window=64) as client:
        replies = await asyncio.gather(*(client.send(message(name)) for name in control_ids))
    assert [reply.control_id for reply in replies] == list(control_ids)
    return [reply.code for reply in replies]


def test_the_handler_is_a_coroutine() -> None:
    running: list[bytes] = []

    async def handler(message: Message) -> str | None | Ack:
        running.append(message.header.message_control_id)
        name = message.header.message_control_id
        for _ in range(20):  # Turns of the loop, in which another message could begin.
            await asyncio.sleep(0)
        assert running[-1] == name, "the next message did not wait"
        if name == b"C":
            raise ValueError(name)
        return {b"A": "AE", b"B": Ack("AR", text="no bed")}.get(name)

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0) as server:
            assert await answered(server, "A", "B", "C", "D") == ["AE", "AR", "AE", "AA"]

    run(work)
    assert running == [b"A", b"B", b"C", b"D"]


def test_a_plain_function_may_return_a_coroutine() -> None:
    async def later(code: str) -> str:
        await asyncio.sleep(0)
        return code

    def handler(message: Message) -> Any:
        name = message.header.message_control_id
        return later("AE") if name == b"B" else None

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0) as server:
            assert await answered(server, "A", "B", "C") == ["AA", "AE", "AA"]

    run(work)


def test_connections_do_not_wait_for_each_other() -> None:
    proceed = asyncio.Event()

    async def handler(message: Message) -> None:
        if message.header.message_control_id == b"SLOW":
            await proceed.wait()

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0) as server:
            async with connect(*server.address) as slow:
                waiting = asyncio.create_task(slow.send(message("SLOW")))
                assert await answered(server, "A", "B") == ["AA", "AA"]
                assert not waiting.done()
                proceed.set()
                assert (await waiting).accepted

    run(work)


def test_a_plain_handler_in_an_executor_does_not_hold_the_loop() -> None:
    proceed = threading.Event()

    def handler(message: Message) -> None:
        assert threading.current_thread() is not threading.main_thread()
        if message.header.message_control_id == b"SLOW":
            assert proceed.wait(DEADLINE)

    async def work() -> None:
        with ThreadPoolExecutor() as executor:
            async with await start_server(handler, "127.0.0.1", 0, executor=executor) as server:
                async with connect(*server.address) as slow:
                    waiting = asyncio.create_task(slow.send(message("SLOW")))
                    assert await answered(server, "A") == ["AA"]
                    proceed.set()
                    assert (await waiting).accepted

    run(work)


def test_a_handler_that_takes_too_long(records: Records) -> None:
    proceed = asyncio.Event()

    async def handler(message: Message) -> None:
        if message.header.message_control_id == b"SLOW":
            await proceed.wait()

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0, handler_timeout=0.05) as server:
            assert await answered(server, "SLOW", "B") == ["AE", "AA"]
            proceed.set()

    run(work)
    assert records.wait_for("handler_timeout").levelno == logging.ERROR
    records.wait_for("late_result")


def test_a_handler_that_is_cancelled_answers_ae() -> None:
    async def handler(message: Message) -> None:
        raise asyncio.CancelledError

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0) as server:
            assert await answered(server, "A") == ["AE"]

    run(work)


def test_closing_answers_what_a_handler_works_on() -> None:
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def handler(message: Message) -> None:
        entered.set()
        await proceed.wait()

    async def work() -> None:
        server = await start_server(handler, "127.0.0.1", 0)
        async with connect(*server.address) as client:
            reply = asyncio.create_task(client.send(message("A")))
            await entered.wait()
            server.close()
            with pytest.raises(ConnectError):
                async with connect(*server.address):
                    pass
            proceed.set()
            assert (await reply).accepted
            await server.wait_closed()

    run(work)


def test_a_stop_has_a_deadline() -> None:
    entered = asyncio.Event()

    async def handler(message: Message) -> None:
        entered.set()
        await asyncio.Event().wait()

    async def work() -> None:
        server = await start_server(handler, "127.0.0.1", 0, stop_timeout=0.1)
        async with connect(*server.address) as client:
            reply = asyncio.create_task(client.send(message("A")))
            await entered.wait()
            server.close()
            await server.wait_closed()
            with pytest.raises(ConnectionLost):
                await reply

    run(work)


def test_a_handler_may_stop_the_server() -> None:
    servers: list[AsyncServer] = []

    def handler(message: Message) -> None:
        servers[0].close()

    async def work() -> None:
        servers.append(await start_server(handler, "127.0.0.1", 0))
        async with connect(*servers[0].address) as client:
            assert (await client.send(message("A"))).accepted
        await servers[0].serve_forever()

    run(work)


def test_replies_come_in_any_order() -> None:
    def script(peer: Peer) -> None:
        assert [peer.receive_frame() for _ in "ABC"] == [message(name) for name in "ABC"]
        for name in "CAB":
            peer.send(framed(acknowledgment(name)))

    async def work(address: tuple[str, int]) -> None:
        async with connect(*address, window=3) as client:
            replies = await asyncio.gather(*(client.send(message(name)) for name in "ABC"))
        assert [reply.control_id for reply in replies] == ["A", "B", "C"]

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_the_window_is_kept_and_more_messages_wait() -> None:
    def script(peer: Peer) -> None:
        for number in range(200):
            assert peer.receive_frame() == message(str(number))
            # With a window of one, nothing follows before the answer.
            peer.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.socket.recv(1)
            peer.socket.settimeout(DEADLINE)
            peer.send(framed(acknowledgment(str(number))))

    async def work(address: tuple[str, int]) -> None:
        async with connect(*address) as client:
            names = [str(number) for number in range(200)]
            replies = await asyncio.gather(*(client.send(message(name)) for name in names))
        assert [reply.control_id for reply in replies] == names

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_one_name_at_a_time() -> None:
    async def work() -> None:
        async with await start_server(None, "127.0.0.1", 0) as server:
            async with connect(*server.address, window=2) as client:
                first, second = await asyncio.gather(
                    client.send(message("A")), client.send(message("A")), return_exceptions=True
                )
                assert getattr(first, "code", None) == "AA"
                assert isinstance(second, LinkError) and second.code == "id_in_use"
                assert (await client.send(message("A"))).accepted

    run(work)


def test_a_missing_reply_fails_every_message_of_its_connection() -> None:
    def first(peer: Peer) -> None:
        peer.receive_frame()
        peer.receive_frame()
        peer.receive_end()

    def second(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("C")))

    async def work(address: tuple[str, int]) -> None:
        async with connect(*address, window=2, timeout=0.3) as client:
            outcomes = await asyncio.gather(
                client.send(message("A")), client.send(message("B")), return_exceptions=True
            )
            assert all(isinstance(it, NoReply | ConnectionLost) for it in outcomes)
            assert (await client.send(message("C"))).accepted

    with ScriptedServer(first, second) as server:
        run(lambda: work(server.address))


def test_a_cancelled_send_is_forgotten() -> None:
    received, cancelled = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        received.set()
        assert cancelled.wait(DEADLINE)
        peer.send(framed(acknowledgment("A")))
        assert peer.receive_frame() == message("C")
        peer.send(framed(acknowledgment("C")))

    async def work(address: tuple[str, int]) -> None:
        async with connect(*address) as client:
            on_its_way = asyncio.create_task(client.send(message("A")))
            queued = asyncio.create_task(client.send(message("B")))
            await asyncio.to_thread(received.wait, DEADLINE)
            queued.cancel()
            on_its_way.cancel()
            await asyncio.wait({queued, on_its_way})
            cancelled.set()
            assert (await client.send(message("C"))).control_id == "C"

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_close_fails_what_waits() -> None:
    received = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        received.set()
        peer.receive_end()

    async def work(address: tuple[str, int]) -> None:
        client = connect(*address)
        tasks = [asyncio.create_task(client.send(message(name))) for name in "AB"]
        await asyncio.to_thread(received.wait, DEADLINE)
        await client.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ConnectionLost, ConnectionLost]

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


@pytest.mark.parametrize(
    "options", [{"max_connections": 0}, {"timeout": -1}, {"profile": "x"}, {"handler_timeout": -1}]
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    async def work() -> None:
        with pytest.raises(ValueError):
            await start_server(None, "127.0.0.1", 0, **options)

    run(work)
