"""The server: order of answers, what a handler may say, and one connection beside another."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

import pytest
from conftest import Records, Serve, Undisturbed
from fastmllp import Ack, AckCode, ErrorDetail, Message
from fastmllp.server import Server
from peers import DEADLINE, Peer, acknowledgment, framed, message


def test_without_a_handler_everything_is_accepted(serve_both: Serve) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("MSG00001")))
        answer = peer.receive_frame()
    msh, msa, rest = answer.split(b"\r")
    assert msa == b"MSA|AA|MSG00001" and rest == b""
    fields = msh.split(b"|")
    assert fields[2:6] == [b"RECEIVER", b"RFAC", b"SENDER", b"SFAC"]
    assert fields[8] == b"ACK^A01" and fields[10:12] == [b"P", b"2.5"]


@pytest.mark.parametrize("with_handler", [False, True])
def test_two_hundred_messages_in_flight_are_answered_in_order(
    serve_both: Serve, with_handler: bool
) -> None:
    server = serve_both((lambda message: None) if with_handler else None)
    control_ids = [f"MSG{number:05}" for number in range(200)]
    with Peer.connect(server.address) as peer:
        peer.send(b"".join(framed(message(control_id)) for control_id in control_ids))
        assert [peer.receive_msa() for _ in control_ids] == [("AA", c) for c in control_ids]


def test_handler_gets_the_message(serve_both: Serve) -> None:
    seen: list[Message] = []
    server = serve_both(seen.append)
    payload = message("A").replace(b"EVE", b"\xe9\x00\xff")
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        assert peer.receive_msa() == ("AA", "A")
    assert seen[0].payload == payload
    assert seen[0].header.message_control_id == b"A"
    assert seen[0].get("PID-3") == b"4711"


@pytest.mark.parametrize("code", ["AA", "AE", "AR", "CA", "CE", "CR", AckCode.AR])
def test_handler_chooses_the_code(serve_both: Serve, code: str) -> None:
    server = serve_both(lambda message: code)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert peer.receive_msa() == (str(code), "A")


def test_handler_describes_the_acknowledgment(serve_both: Serve) -> None:
    missing = ErrorDetail(101, "PID", 1, 5)
    results = {
        b"A": Ack("AE", text="PID-5 missing", errors=[missing]),
        b"B": Ack("AR", policy="conformant"),
    }
    server = serve_both(lambda message: results[message.header.message_control_id])
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        answer = Message(peer.receive_frame())
        assert (answer.get("MSA-1"), answer.get("MSA-2")) == (b"AE", b"A")
        assert answer.get("MSA-3") == b"PID-5 missing"
        assert answer.get("ERR-2") == b"PID^1^5"
        answer = Message(peer.receive_frame())
        assert (answer.get("MSA-1"), answer.get("MSA-2")) == (b"AR", b"B")
        assert answer.get("MSH-9") == b"ACK^A01^ACK"


def test_an_acknowledgment_that_cannot_be_built_becomes_an_error(
    serve_both: Serve, records: Records
) -> None:
    server = serve_both(lambda message: Ack("AA", policy="conformant"))
    with Peer.connect(server.address) as peer:
        peer.send(framed(b"no header") + framed(message("B")))
        assert peer.receive_msa()[0] == "AE"
        assert peer.receive_msa() == ("AA", "B")
    assert records.wait_for("handler_result").levelno == logging.ERROR


@pytest.mark.parametrize("own", [acknowledgment("A", "AR"), acknowledgment("A", "AR").decode()])
def test_handler_returns_an_acknowledgment_of_its_own(serve_both: Serve, own: bytes | str) -> None:
    server = serve_both(lambda message: own)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert peer.receive_frame() == acknowledgment("A", "AR")


def test_encoding_of_an_acknowledgment_given_as_text(serve_both: Serve) -> None:
    server = serve_both(
        lambda message: "MSH|^~\\&|LABOR MÜNCHEN 山\rMSA|AA|A\r", encoding="latin-1"
    )
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert peer.receive_frame() == b"MSH|^~\\&|LABOR M\xdcNCHEN ?\rMSA|AA|A\r"


@pytest.mark.parametrize("wrong", ["XX", "", "aa", b"", 7, True, object(), b"MSA\x1c|", ["AA"]])
def test_wrong_result_of_a_handler_becomes_an_error(
    serve_both: Serve, records: Records, wrong: object
) -> None:
    results = [wrong, None]
    server = serve_both(lambda message: results.pop(0))
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert [peer.receive_msa(), peer.receive_msa()] == [("AE", "A"), ("AA", "B")]
    assert records.wait_for("handler_result").levelno == logging.ERROR


def released() -> memoryview:
    view = memoryview(b"MSH|^~\\&|")
    view.release()
    return view


class Treacherous(str):
    """Looks like an acknowledgment, and quotes it when it is asked for its bytes."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise KeyboardInterrupt(self)


@pytest.mark.parametrize(
    "wrong",
    [memoryview(b"MSH|").cast("H"), released(), Treacherous("MSH|MARK4711")],
    ids=["wide", "released", "treacherous"],
)
def test_result_that_cannot_be_read_becomes_an_error(
    serve_both: Serve, records: Records, wrong: object
) -> None:
    results = [wrong, None]
    server = serve_both(lambda message: results.pop(0))
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert [peer.receive_msa(), peer.receive_msa()] == [("AE", "A"), ("AA", "B")]
    record = records.wait_for("handler_result")
    assert record.levelno == logging.ERROR and type(wrong).__name__ in record.getMessage()
    assert "MARK4711" not in record.getMessage()


def test_codec_that_fails_later_becomes_an_error(serve: Serve, records: Records) -> None:
    """Even if the check of the setting should let one pass."""
    server = serve(lambda message: "MSH|^~\\&|")
    server._terms.answerer._encoding = "hex"
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert peer.receive_msa() == ("AE", "A")
    assert "LookupError" in records.wait_for("handler_result").getMessage()


class Panic(BaseException):
    """Like that of native code: no Exception."""


FAILURES = [
    ValueError,
    KeyError,
    SystemExit,
    RecursionError,
    KeyboardInterrupt,
    GeneratorExit,
    asyncio.CancelledError,
    Panic,
]


@pytest.mark.parametrize("failure", FAILURES)
def test_exception_of_a_handler_becomes_an_error(
    serve_both: Serve, undisturbed: Undisturbed, records: Records, failure: type[BaseException]
) -> None:
    def handler(message: Message) -> None:
        name = message.get("PID-5.1") or b""
        if name.startswith(b"MARK"):
            raise failure(name, message.payload) from KeyError(name)

    server = serve_both(handler)
    with undisturbed(server), Peer.connect(server.address) as peer:
        peer.send(framed(message("A", "MARK" + "4711")) + framed(message("B")))
        assert [peer.receive_msa(), peer.receive_msa()] == [("AE", "A"), ("AA", "B")]
        text = records.wait_for("handler_failed").getMessage()
    # Enough to find the line, nothing of what the exceptions quote.
    assert failure.__name__ in text and "KeyError" in text
    assert "test_server.py" in text and "in handler" in text
    assert "MARK4711" not in text


def test_coroutine_function_is_refused_as_handler() -> None:
    async def handler(message: Message) -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        Server(handler, "127.0.0.1", 0)  # type: ignore[arg-type]


def test_acknowledgment_leaves_after_its_handler_and_before_the_next(serve_blocking: Serve) -> None:
    proceed = {"A": threading.Event(), "B": threading.Event()}
    entered = threading.Event()

    def handler(message: Message) -> None:
        entered.set()
        assert proceed[message.header.message_control_id.decode()].wait(DEADLINE)

    server = serve_blocking(handler)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert entered.wait(DEADLINE)
        peer.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            peer.socket.recv(1)
        peer.socket.settimeout(DEADLINE)
        proceed["A"].set()
        assert peer.receive_msa() == ("AA", "A")
        proceed["B"].set()
        assert peer.receive_msa() == ("AA", "B")


def test_connection_waits_for_no_other(serve_blocking: Serve, undisturbed: Undisturbed) -> None:
    proceed, entered = threading.Event(), threading.Event()

    def handler(message: Message) -> None:
        if message.header.message_control_id == b"SLOW":
            entered.set()
            assert proceed.wait(DEADLINE)

    server = serve_blocking(handler)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("SLOW")))
        assert entered.wait(DEADLINE)
        with undisturbed(server):
            pass
        proceed.set()
        assert peer.receive_msa() == ("AA", "SLOW")


def test_half_closed_connection_is_answered_and_closed(serve_both: Serve) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        peer.half_close()
        assert [peer.receive_msa(), peer.receive_msa()] == [("AA", "A"), ("AA", "B")]
        assert peer.receive_end() == b""


def test_connections_have_increasing_numbers(serve_both: Serve, records: Records) -> None:
    server = serve_both()
    for number in (1, 2, 3):
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
        assert records.wait_for("connect").connection == number  # type: ignore[attr-defined]
        assert records.wait_for("disconnect").connection == number  # type: ignore[attr-defined]


def test_large_message_comes_back_to_the_handler_whole(serve_both: Serve) -> None:
    seen: list[bytes] = []

    def keep(message: Message) -> None:
        seen.append(message.payload)

    server = serve_both(keep, max_size=20_000_000)
    payload = message("A").ljust(15_000_000, b"x")
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        assert peer.receive_msa() == ("AA", "A")
    assert seen == [payload]


def test_address_is_known_before_serving() -> None:
    with Server(port=0) as server:
        host, port = server.address
        assert host == "0.0.0.0" and port > 0
        # The backlog takes connections already.
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()


def test_name_as_host(serve_both: Serve) -> None:
    with Server(host="localhost", port=0) as server:
        assert server.address[0] == "127.0.0.1"


def test_name_with_addresses_of_both_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [(socket.AF_INET6, ("::1", 0, 0, 0)), (socket.AF_INET, ("127.0.0.1", 0))]
    found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in kinds]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    with Server(host="both.invalid", port=0) as server:
        assert server.address[0] == "127.0.0.1"


def test_port_in_use() -> None:
    with Server(host="127.0.0.1", port=0) as server, pytest.raises(OSError, match="in use"):
        Server(host="127.0.0.1", port=server.address[1])


BAD_SETTINGS: list[Callable[[], Server]] = [
    lambda: Server(port=70000),
    lambda: Server(port=0, timeout=-1),
    lambda: Server(port=0, timeout=float("nan")),
    lambda: Server(port=0, frame_timeout=float("inf")),
    lambda: Server(port=0, max_size=0),
    lambda: Server(port=0, max_connections=0),
    lambda: Server(port=0, encoding="no such encoding"),
    lambda: Server(port=0, encoding="hex"),
    lambda: Server(port=0, encoding="rot13"),
    lambda: Server(port=0, encoding="idna"),  # It takes no replacement for what it does not have.
    lambda: Server(port=0, encoding="undefined"),
    lambda: Server(port=0, profile="no such profile"),
]


@pytest.mark.parametrize("construct", BAD_SETTINGS)
def test_settings_out_of_bounds(construct: Callable[[], Server]) -> None:
    with pytest.raises(ValueError):
        construct()


WRONG_SETTINGS: list[Callable[[], Server]] = [
    lambda: Server(port=0, max_size=1e6),  # type: ignore[arg-type]
    lambda: Server(port=0.0),  # type: ignore[arg-type]
    lambda: Server(port="0"),  # type: ignore[arg-type]
    lambda: Server(port=0, max_connections=1e3),  # type: ignore[arg-type]
    lambda: Server(port=0, encoding=7),  # type: ignore[arg-type]
    lambda: Server(port=0, profile=7),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("construct", WRONG_SETTINGS)
def test_settings_of_a_wrong_type(construct: Callable[[], Server]) -> None:
    with pytest.raises(TypeError):
        construct()


class Whole:
    """An integer that is none of Python's own, as those of NumPy are."""

    def __index__(self) -> int:
        return 1000


def test_settings_that_are_integers_in_disguise(serve_both: Serve) -> None:
    server = serve_both(max_size=Whole(), max_connections=Whole())
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
