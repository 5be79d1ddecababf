"""A link in either mode: what it answers, what it refuses, how it stops."""

import asyncio
import contextlib
import doctest
import inspect
import logging
from typing import Any

import fastmllp
import fastmllp.aio
import fastmllp.link.reconnect
import fastmllp.link.socket_link
import pytest
from conftest import Records
from fastmllp import Message
from fastmllp.link import SocketLink
from link_site import LIMIT, Site, run
from peers import Peer, framed, message

both = pytest.mark.parametrize("mode", ["server", "client"])


@both
def test_messages_are_answered(mode: str) -> None:
    async def handler(message: Message) -> str | None:
        await asyncio.sleep(0)
        return {b"B": "AE"}.get(message.header.message_control_id)

    async def work() -> None:
        async with Site(mode, handler) as site:
            analyzer = await site.analyzer()
            for name, code in (("A", "AA"), ("B", "AE"), ("C", "AA")):
                analyzer.send(framed(message(name)))
                assert await asyncio.to_thread(analyzer.receive_msa) == (code, name)
            assert site.link.state == ("connected" if site.dials else "listening")
            assert site.link.address[1] > 0
        assert site.link.state == "stopped"

    run(work)


def test_two_analyzers_at_once() -> None:
    proceed = asyncio.Event()

    async def handler(message: Message) -> None:
        if message.header.message_control_id == b"SLOW":
            await proceed.wait()

    async def work() -> None:
        async with Site("server", handler) as site:
            slow, quick = await site.analyzer(), await site.analyzer()
            slow.send(framed(message("SLOW")))
            for turn in range(5):
                await asyncio.to_thread(quick.exchange, str(turn))
            proceed.set()
            assert await asyncio.to_thread(slow.receive_msa) == ("AA", "SLOW")

    run(work)


def test_more_analyzers_than_are_allowed(records: Records) -> None:
    async def work() -> None:
        async with Site("server", None, max_connections=1) as site:
            first, second = await site.analyzer(), await site.analyzer()
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.to_thread(second.receive_end) == b""
            await asyncio.to_thread(first.exchange, "A")

    run(work)
    assert records.wait_for("too_many_connections").levelno == logging.WARNING


@both
def test_a_message_of_ten_megabytes_and_one_above(mode: str, records: Records) -> None:
    sizes: list[int] = []

    def handler(message: Message) -> None:
        sizes.append(len(message))

    head = message("LARGE") + b"NTE|1||"

    def send_too_much(analyzer: Peer) -> bytes:
        with contextlib.suppress(OSError):  # The link may close before all is sent.
            analyzer.send(framed(head + b"x" * (LIMIT + 1 - len(head))))
        try:
            return analyzer.receive_end()
        except ConnectionResetError:
            return b""

    async def work() -> None:
        async with Site(mode, handler) as site:
            analyzer = await site.analyzer()
            await asyncio.to_thread(analyzer.send, framed(head + b"x" * (LIMIT - len(head))))
            assert await asyncio.to_thread(analyzer.receive_msa) == ("AA", "LARGE")
            assert await asyncio.to_thread(send_too_much, analyzer) == b""
            # The next connection is as good as any.
            await asyncio.to_thread((await site.analyzer()).exchange, "A")

    run(work)
    records.wait_for("frame_too_large")
    assert sizes == [LIMIT, len(message("A"))]


@both
def test_a_message_that_takes_too_long(mode: str, records: Records) -> None:
    def drip(analyzer: Peer) -> bytes:
        analyzer.send(b"\x0b")
        analyzer.socket.settimeout(0.02)
        while True:
            try:
                received = analyzer.socket.recv(1)
            except TimeoutError:
                analyzer.send(b"x")
            else:
                analyzer.half_close()
                return received

    async def work() -> None:
        async with Site(mode, None, frame_timeout=0.2) as site:
            # Each byte comes in time; the whole does not.
            assert await asyncio.to_thread(drip, await site.analyzer()) == b""
            await asyncio.to_thread((await site.analyzer()).exchange, "A")

    run(work)
    records.wait_for("frame_timeout")


def test_limits_unless_others_are_given() -> None:
    defaults = {
        name: it.default for name, it in inspect.signature(SocketLink.__init__).parameters.items()
    }
    assert defaults["max_size"] == LIMIT and defaults["frame_timeout"] == 60
    assert defaults["timeout"] == 10 and defaults["idle_timeout"] == 0


@both
def test_an_idle_analyzer_stays_connected(mode: str, records: Records) -> None:
    async def work() -> None:
        async with Site(mode, None, timeout=0.1) as site:
            analyzer = await site.analyzer()
            analyzer.socket.settimeout(0.5)
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(analyzer.socket.recv, 1)
            await asyncio.to_thread(analyzer.exchange, "A")
        async with Site(mode, None, idle_timeout=0.1) as site:
            assert await asyncio.to_thread((await site.analyzer()).receive_end) == b""

    run(work)
    records.wait_for("idle_timeout")


@both
def test_stopping_answers_what_a_handler_works_on(mode: str) -> None:
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def handler(message: Message) -> None:
        entered.set()
        await proceed.wait()

    async def work() -> None:
        async with Site(mode, handler) as site:
            analyzer = await site.analyzer()
            analyzer.send(framed(message("A")))
            await entered.wait()
            stops = [asyncio.create_task(site.link.stop()) for _ in range(2)]
            await asyncio.sleep(0)
            assert not any(stop.done() for stop in stops)
            proceed.set()
            assert await asyncio.to_thread(analyzer.receive_msa) == ("AA", "A")
            assert await asyncio.to_thread(analyzer.receive_end) == b""
            analyzer.half_close()
            await asyncio.gather(*stops)
            assert site.link.state == "stopped"

    run(work)


@both
def test_a_stop_has_a_deadline(mode: str) -> None:
    entered = asyncio.Event()

    async def handler(message: Message) -> None:
        entered.set()
        await asyncio.Event().wait()

    async def work() -> None:
        async with Site(mode, handler, stop_timeout=0.1) as site:
            analyzer = await site.analyzer()
            analyzer.send(framed(message("A")))
            await entered.wait()
            await site.link.stop()
            assert site.link.state == "stopped"

    run(work)


@both
def test_a_handler_may_close_the_link(mode: str) -> None:
    async def work() -> None:
        site: Site
        site = Site(mode, lambda message: site.link.close())
        async with site:
            running = asyncio.create_task(site.link.run())
            analyzer = await site.analyzer()
            await asyncio.to_thread(analyzer.exchange, "A")
            assert await asyncio.to_thread(analyzer.receive_end) == b""
            analyzer.half_close()
            await running
            assert site.link.state == "stopped"

    run(work)


@both
def test_cancelling_run_ends_gracefully_and_the_link_starts_again(mode: str) -> None:
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def handler(message: Message) -> None:
        entered.set()
        await proceed.wait()

    async def work() -> None:
        site = Site(mode, handler)
        for turn in "AB":
            entered.clear()
            proceed.clear()
            running = asyncio.create_task(site.link.run())
            while site.link.state == "stopped":
                await asyncio.sleep(0)
            analyzer = await site.analyzer()
            analyzer.send(framed(message(turn)))
            await entered.wait()
            running.cancel()
            await asyncio.sleep(0)
            assert not running.done()
            proceed.set()
            assert await asyncio.to_thread(analyzer.receive_msa) == ("AA", turn)
            analyzer.half_close()
            assert await asyncio.to_thread(analyzer.receive_end) == b""
            with pytest.raises(asyncio.CancelledError):
                await running
            assert site.link.state == "stopped"
        await site.__aexit__()

    run(work)


def test_starting_twice_and_a_port_that_is_taken() -> None:
    async def work() -> None:
        async with SocketLink(None, "127.0.0.1", 0) as link:
            with pytest.raises(RuntimeError):
                await link.start()
            other = SocketLink(None, *link.address)
            with pytest.raises(OSError):
                await other.run()
            assert other.state == "stopped"
            await other.stop()

    run(work)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "both"},
        {"protocol": "x25"},
        {"port": -1},
        {"timeout": -1},
        {"idle_timeout": -1},
        {"frame_timeout": -1},
        {"handler_timeout": -1},
        {"stop_timeout": -1},
        {"max_size": 0},
        {"max_connections": 0},
        {"encoding": "x"},
        {"profile": "x"},
        {"scan": "x"},
    ],
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SocketLink(None, **options)


def test_a_setting_that_is_none() -> None:
    with pytest.raises(TypeError):
        SocketLink(None, parity="even")


@pytest.mark.parametrize("module", [fastmllp.link.socket_link, fastmllp.link.reconnect])
def test_examples(module: Any) -> None:
    names = {"fastmllp": fastmllp, "store": lambda message: None, "result": message("A")}
    result = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0 and result.failed == 0
