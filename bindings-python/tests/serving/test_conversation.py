"""A conversation without a socket: what is answered, sent, kept and ended, and when."""

import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest
from conftest import Records
from fastmllp._native import Message, Ticket
from fastmllp.logging import Log
from fastmllp.serving import conversation, handler
from fastmllp.serving.conversation import Conversation, Terms
from fastmllp.serving.options import ServerOptions
from fastmllp.serving.report import ConnectionReport
from peers import framed, message, msa

Handler = Callable[[Message], object]
OPTIONS = ServerOptions()


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Wire:
    """The host: what has left, and how much more the peer takes."""

    def __init__(self) -> None:
        self.sent = b""
        self.room = 1 << 20
        self.error: OSError | None = None
        self.waiting: list[tuple[Ticket, bytes, Awaitable[object] | None]] = []

    def send(self, data: bytes) -> int:
        if self.error is not None:
            raise self.error
        if not self.room:
            raise BlockingIOError
        part = data[: self.room]
        self.sent, self.room = self.sent + part, self.room - len(part)
        return len(part)

    def wait_for(self, ticket: Ticket, payload: bytes, result: Awaitable[object] | None) -> None:
        self.waiting.append((ticket, payload, result))

    @property
    def answers(self) -> list[tuple[str, str]]:
        """Code and control ID of what has left whole."""
        return [msa(answer[1:]) for answer in self.sent.split(b"\x1c\r")[:-1]]


@pytest.fixture(autouse=True)
def number_as_before() -> Iterator[None]:
    """Handlers are called in the thread of the tests, whose connection has no number afterwards."""
    before = handler.connection_number.set(None)
    yield
    handler.connection_number.reset(before)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(conversation, "time", clock)
    monkeypatch.setattr(handler, "time", clock)
    return clock


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(params=["records", "no records"])
def level(request: pytest.FixtureRequest, records: Records) -> str:
    """Where no record of each message is wanted, the link calls the handler itself."""
    level = logging.INFO if request.param == "records" else logging.WARNING
    logging.getLogger("fastmllp").setLevel(level)
    return str(request.param)


def begin(
    wire: Wire, answer: Handler | None = None, options: ServerOptions = OPTIONS, **more: bool
) -> Conversation:
    """A conversation; `waits` as for `Terms`, `awaits` for a host where messages can wait."""
    answerer = options.new_answerer(answer, Log())
    report = ConnectionReport(1, options.max_size, options.new_gate())
    terms = Terms(answerer, options, more.get("waits", False))
    return Conversation(terms, report, wire, wire.wait_for if more else None)


def several(*names: str) -> bytes:
    return b"".join(framed(message(name)) for name in names)


def accepted(names: str) -> list[tuple[str, str]]:
    return [("AA", name) for name in names]


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("holds", [False, True])
def test_every_message_is_answered_in_its_order(wire: Wire, holds: bool) -> None:
    served = begin(wire)
    served.holds = holds
    data = several(*"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    served.receive(data[:-5])
    assert wire.answers == accepted("ABCDEFGHIJKLMNOPQRSTUVWXY")
    served.receive(data[-5:])
    assert wire.answers[-1] == ("AA", "Z") and not served.is_unsent
    assert served.wants_input and not served.is_finished


@pytest.mark.usefixtures("level")
def test_a_peer_that_takes_its_answers_late_gets_them_all(wire: Wire) -> None:
    handled: list[bytes | None] = []
    served = begin(wire, lambda each: handled.append(each.get("MSH-10")))
    wire.room = 50
    assert not served.receive(several(*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    # Too much is unsent: what follows waits, and so does the peer.
    assert len(wire.sent) == 50 and len(handled) <= 16 and not served.wants_input
    while wire.answers != accepted("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        wire.room = 700
        served.resume()
        assert wire.room < 700, "nothing has left"
    assert len(handled) == 26 and served.wants_input


@pytest.mark.usefixtures("level")
def test_what_a_handler_says_is_the_answer(wire: Wire) -> None:
    def handle(each: Message) -> object:
        if each.get("MSH-10") == b"B":
            raise ValueError
        return {b"A": "AR", b"C": 1, b"D": None}[each.get("MSH-10") or b""]

    served = begin(wire, handle)
    served.receive(several(*"ABCD"))
    assert wire.answers == [("AR", "A"), ("AE", "B"), ("AE", "C"), ("AA", "D")]


@pytest.mark.usefixtures("level")
def test_messages_wait_behind_one_that_is_awaited(wire: Wire) -> None:
    async def later() -> None:
        """Never awaited here."""

    served = begin(wire, lambda each: later() if each.get("MSH-10") == b"B" else None, awaits=True)
    original = wire.wait_for

    def wait_for(ticket: Ticket, payload: bytes, result: Awaitable[object] | None) -> None:
        original(ticket, payload, result)
        served.is_busy = True

    served._wait_for = wait_for
    served.receive(several(*"ABC"))
    served.receive(several("D"))
    assert wire.answers == accepted("A")
    assert [payload for _, payload, _ in wire.waiting] == [message(name) for name in "BCD"]
    (_, _, first), *behind = wire.waiting
    assert first is not None and [result for _, _, result in behind] == [None, None]
    first.close()  # type: ignore[attr-defined]
    for ticket, payload, _ in reversed(wire.waiting):
        served.conclude(ticket, payload, None)
    served.is_busy = False
    served.resume()
    assert wire.answers == accepted("ABCD")


def test_no_message_is_handled_before_its_turn_where_every_handler_waits(wire: Wire) -> None:
    served = begin(wire, lambda each: "AR", waits=True)
    served.receive(several(*"AB"))
    assert wire.sent == b"" and [result for _, _, result in wire.waiting] == [None, None]
    (first, _, _), (second, _, _) = wire.waiting
    served.fail(second, ValueError())
    served.resume()
    assert wire.sent == b""
    served.conclude(first, message("A"), None)
    served.resume()
    assert wire.answers == [("AA", "A"), ("AE", "B")]


@pytest.mark.usefixtures("records")
def test_an_answer_does_not_wait_for_the_next_handler(wire: Wire) -> None:
    before: list[list[tuple[str, str]]] = []
    served = begin(wire, lambda each: before.append(wire.answers))
    served.receive(several(*"ABC"))
    assert before == [[], accepted("A"), accepted("AB")]


def test_a_foreign_peer_gets_no_answer(wire: Wire, level: str, records: Records) -> None:
    served = begin(wire)
    assert not served.receive(b"\x16\x03\x01\x02\x00\x01" + several("A"))
    assert served.is_foreign and wire.sent == b""
    served.leave()
    assert served.reason == "wrong_protocol"
    if level == "records":
        assert "messages=0" in records.wait_for("disconnect").getMessage()


@pytest.mark.usefixtures("level")
def test_messages_are_handled_although_their_sender_has_left(wire: Wire) -> None:
    handled: list[bytes | None] = []
    served = begin(wire, lambda each: handled.append(each.get("MSH-10")))
    wire.error = ConnectionResetError("gone")
    served.receive(several(*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert [name.decode() for name in handled if name] == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert served.loss is wire.error and served.is_lost
    wire.error = None
    served.resume()
    assert wire.sent == b"", "the rest of an answer is none"


@pytest.mark.usefixtures("level")
def test_the_end_of_the_peer(wire: Wire) -> None:
    served = begin(wire)
    wire.room = 0
    served.receive(several("A") + b"\x0bMSH")
    served.end()
    assert served.reason == "end_of_stream" and not served.is_finished
    wire.room = 1000
    served.resume()
    assert wire.answers == accepted("A") and served.is_finished


@pytest.mark.usefixtures("level", "clock")
def test_a_stop_hears_the_peer_out(wire: Wire) -> None:
    served = begin(wire)
    served.receive(several("A") + framed(message("B"))[:-9])
    assert not served.stop(quiet=False) and served.stop_at == 102.0
    served.receive(framed(message("B"))[-9:] + framed(message("C"))[:9])
    assert wire.answers == accepted("AB") and not served.is_finished
    assert served.stop(quiet=True)
    assert served.is_finished and served.reason == "stopped"


@pytest.mark.usefixtures("level")
def test_a_stop_does_not_wait_for_a_peer_without_end(wire: Wire, clock: Clock) -> None:
    served = begin(wire)
    assert not served.stop(quiet=False)
    clock.now = 101.9
    assert not served.stop(quiet=False)
    clock.now = 102.0
    wire.room = 0
    served.receive(several("A"))
    assert served.stop(quiet=False) and not served.is_finished
    served.give_up()
    assert served.reason == "send_timeout"


@pytest.mark.usefixtures("level")
def test_times_end_the_conversation(wire: Wire, clock: Clock) -> None:
    served = begin(wire)
    assert served.next_deadline() == 110.0
    clock.now = 105.0
    served.begin()
    assert served.next_deadline() == 115.0, "they begin with the way to the peer"
    served.receive(b"\x0bMSH")
    clock.now = 115.0
    served.on_time()
    assert served.is_finished and served.reason == "byte_timeout"


@pytest.mark.usefixtures("level")
def test_who_takes_no_answers_is_given_up(wire: Wire, clock: Clock) -> None:
    served = begin(wire)
    wire.room = 0
    served.receive(several("A"))
    deadline = served.next_deadline()
    assert deadline is not None and 110 <= deadline < 111
    clock.now = deadline
    served.on_time()
    assert served.is_finished and served.reason == "send_timeout"


@pytest.mark.usefixtures("level")
def test_a_message_over_the_limit_is_refused(wire: Wire) -> None:
    served = begin(wire, options=ServerOptions(max_size=500, over_limit="refuse"))
    served.receive(framed(message("A") + b"x" * 1000) + several("B"))
    assert wire.answers == [("AR", "A"), ("AA", "B")]
