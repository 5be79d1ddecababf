"""Fixtures: servers that are started and stopped, log records to wait for, the command line."""

import asyncio
import contextlib
import io
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar

import pytest
from certificates import Authority
from fastmllp.aio import AsyncClient, AsyncHandler, start_server
from fastmllp.client import Client
from fastmllp.link import SocketLink
from fastmllp.logging import LOGGER, add_observer, configure, remove_observer
from fastmllp.server import Handler, Server
from peers import DEADLINE, Peer


class Records(logging.Handler):
    """Log records of the package, in order."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._arrived: queue.Queue[logging.LogRecord] = queue.Queue()
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._arrived.put(record)

    def wait_for(self, event: str) -> logging.LogRecord:
        """The first record of that event that was not waited for before."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                record = self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                seen = [record.getMessage() for record in self.seen]
                raise AssertionError(f"no record {event!r} among {seen}") from None
            self.seen.append(record)
            if getattr(record, "event", None) == event:
                return record

    def all(self) -> list[logging.LogRecord]:
        """Every record so far."""
        while not self._arrived.empty():
            self.seen.append(self._arrived.get())
        return self.seen


@pytest.fixture
def records() -> Iterator[Records]:
    logger = logging.getLogger("fastmllp")
    handler = Records()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The events that an observer hears."""
    events: list[str] = []

    def hear(event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        events.append(event)

    add_observer(hear)
    yield events
    remove_observer(hear)


@pytest.fixture
def restored_log() -> Iterator[None]:
    """The logger of the package, afterwards as it was before."""
    handlers, level, propagate = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    yield
    configure(stream=io.StringIO())
    LOGGER.handlers[:] = handlers
    LOGGER.setLevel(level)
    LOGGER.propagate = propagate


Serve = Callable[..., Server]


class AsyncServed:
    """An asyncio server in a thread and a loop of its own, driven like a blocking one."""

    def __init__(self, handler: AsyncHandler | None, **options: Any) -> None:
        self._handler = handler
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(DEADLINE)
        if self._failure is not None:
            self._thread.join(DEADLINE)
            raise self._failure

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            server = await self._listen()
        except BaseException as failure:
            self._failure = failure
            self._started.set()
            return
        self.server = server
        self.address = server.address
        self._started.set()
        await self._run_on()

    async def _listen(self) -> Any:
        host = self._options.pop("host", "127.0.0.1")
        return await start_server(self._handler, host, 0, **self._options)

    async def _run_on(self) -> None:
        await self.server.serve_forever()

    def call(self, work: Callable[[], Any]) -> None:
        """Call a function in the thread of the loop, and wait until it has returned."""

        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(DEADLINE)

    def shutdown(self) -> None:
        with contextlib.suppress(RuntimeError):  # The loop has ended already.
            self._loop.call_soon_threadsafe(self.server.close)
        self.join()

    def join(self) -> None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the server did not stop"


class LinkServed(AsyncServed):
    """A link that listens, driven likewise."""

    async def _listen(self) -> SocketLink:
        host = self._options.pop("host", "127.0.0.1")
        link = SocketLink(self._handler, host, 0, **self._options)
        await link.start()
        return link

    async def _run_on(self) -> None:
        await self.server.run()


Served = TypeVar("Served", bound=AsyncServed)
ClientClass = Callable[..., Client]


class BlockingClient:
    """An asyncio client with a loop in a thread, driven like a blocking one."""

    def __init__(self, *address: Any, **options: Any) -> None:
        self._client = AsyncClient(*address, **options)
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(3 * DEADLINE)

    def __enter__(self) -> "BlockingClient":
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        self._call(self._client.connect())

    def close(self) -> None:
        self._call(self._client.close())

    def send(self, message: Any) -> Any:
        return self._call(self._client.send(message))

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._runner.close()


@pytest.fixture(params=["blocking", "asyncio"])
def client_class(request: pytest.FixtureRequest) -> Iterator[ClientClass]:
    """Either client, as a blocking one."""
    if request.param == "blocking":
        yield Client
        return
    made: list[BlockingClient] = []

    def make(*address: Any, **options: Any) -> Any:
        made.append(BlockingClient(*address, **options))
        return made[-1]

    yield make
    for client in made:
        client.stop()


def _started(kind: type[Served]) -> Iterator[Callable[..., Served]]:
    running: list[Served] = []

    def start(handler: AsyncHandler | None = None, **options: Any) -> Served:
        served = kind(handler, **options)
        served.start()
        running.append(served)
        return served

    yield start
    for served in running:
        served.shutdown()


@pytest.fixture
def serve_async() -> Iterator[Callable[..., AsyncServed]]:
    """Start asyncio servers on the loopback interface; each must stop at the end."""
    yield from _started(AsyncServed)


@pytest.fixture(params=["threads", "asyncio"])
def serve_both(request: pytest.FixtureRequest) -> Serve:
    """Start servers of either kind."""
    name = "serve" if request.param == "threads" else "serve_async"
    start: Serve = request.getfixturevalue(name)
    return start


@pytest.fixture
def serve_link() -> Iterator[Callable[..., LinkServed]]:
    """Start links that listen on the loopback interface; each must stop at the end."""
    yield from _started(LinkServed)


@pytest.fixture(params=["threads", "asyncio", "link"])
def serve_all(request: pytest.FixtureRequest) -> Serve:
    """Start everything that accepts connections."""
    name = {"threads": "serve", "asyncio": "serve_async", "link": "serve_link"}[request.param]
    start: Serve = request.getfixturevalue(name)
    return start


@pytest.fixture(params=["threads", "asyncio"])
def serve_blocking(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Start servers of either kind for a handler that blocks."""
    if request.param == "threads":
        yield request.getfixturevalue("serve")
        return
    start = request.getfixturevalue("serve_async")
    with ThreadPoolExecutor() as executor:
        yield lambda handler, **options: start(handler, executor=executor, **options)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers on the loopback interface; each is stopped, and must stop, at the end."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(handler: Handler | None = None, **options: Any) -> Server:
        server = Server(handler, options.pop("host", "127.0.0.1"), 0, **options)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one that everybody trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody knows."""
    return Authority(tmp_path_factory.mktemp("stranger"))


Undisturbed = Callable[[Server], contextlib.AbstractContextManager[None]]


@pytest.fixture
def undisturbed() -> Undisturbed:
    """A block in which one connection stays open that is answered before, after, and anew."""

    @contextlib.contextmanager
    def bystander(server: Server) -> Iterator[None]:
        with Peer.connect(server.address) as peer:
            peer.exchange("BEFORE")
            yield
            peer.exchange("AFTER")
            with Peer.connect(server.address) as newcomer:
                newcomer.exchange("NEWCOMER")

    return bystander


class Program:
    """``fastmllp serve`` as a process."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "fastmllp", "serve", "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        place = self.first_line.decode().removeprefix("listening ").strip()
        host, _, port = place.rpartition(":")
        self.address = (host, int(port))

    def error_line(self) -> bytes:
        """The next line of standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, bytes, bytes]:
        """Exit status, the rest of standard output, and all of standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


Start = Callable[..., Program]


@pytest.fixture
def program() -> Iterator[Start]:
    started: list[Program] = []

    def start(*options: str) -> Program:
        started.append(Program(*options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate(timeout=DEADLINE)


@pytest.fixture
def full() -> Iterator[BinaryIO]:
    """A file that takes nothing, as one on a full disk."""
    if not os.path.exists("/dev/full") and os.environ.get("CI") != "true":
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb", buffering=0) as file:
        yield file


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run() -> Run:
    """Run ``fastmllp`` to its end."""

    def call(*arguments: object, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "fastmllp", *(os.fspath(str(a)) for a in arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=3 * DEADLINE)

    return call
