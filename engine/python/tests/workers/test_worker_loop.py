"""The loop of a worker process, driven from the engine's end of its socket."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_side import HANDLER, ROUTER, Dead, WorkerProcess

PROGRAM = str(Path(__file__).parent / "functions_program.py")
ADT = b"MSH|^~\\&|A||twice none||||ADT^A01|1|P|2.5\rPID|1||SECRET||M\xfcller|||F\r"


@pytest.fixture(scope="module")
def running() -> Iterator[WorkerProcess]:
    with WorkerProcess(PROGRAM) as worker:
        kind, version, routers, handlers = worker.said()
        assert (kind, version) == ("hello", 1)
        assert routers[0] == "by_path" and handlers[0] == "unchanged"
        yield worker


def test_a_router_names_handlers(running: WorkerProcess) -> None:
    assert running.answer(ROUTER, "by_path", ADT) == ("handlers", 0, ["twice", "none"])
    assert running.answer(ROUTER, "none", ADT) == ("handlers", 0, [])
    assert running.answer(ROUTER, "one", ADT) == ("handlers", 0, ["unchanged"])


def test_a_handler_that_does_not_accept_the_message_is_left_out(running: WorkerProcess) -> None:
    # It sees the message as it was received, whatever the router has made of it.
    assert running.answer(ROUTER, "picky", ADT) == ("handlers", 0, ["only_f", "unchanged"])
    male = ADT.replace(b"|F\r", b"|M\r")
    assert running.answer(ROUTER, "picky", male) == ("handlers", 0, ["unchanged"])


def test_what_was_not_changed_is_not_sent_back(running: WorkerProcess) -> None:
    assert running.answer(HANDLER, "unchanged", ADT) == ("sends", 0, [("OB", None)])
    assert running.answer(HANDLER, "copies", ADT) == ("sends", 0, [("OB", None)])
    for name in ("none", "empty"):
        assert running.answer(HANDLER, name, ADT) == ("sends", 0, [])


def test_two_sends_with_a_change_between_are_two_messages(running: WorkerProcess) -> None:
    male = ADT.replace(b"|F\r", b"|M\r")
    sent = running.answer(HANDLER, "twice", ADT)
    assert sent == ("sends", 0, [("OB_A", None), ("OB_B", male)])


def test_a_change_reaches_no_other_call(running: WorkerProcess) -> None:
    running.call(HANDLER, "twice", ADT, ADT)
    first, second = running.said(), running.said()
    assert first[2] == second[2] and (first[1], second[1]) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "name", "note"),
    [
        (
            ROUTER,
            "int",
            "router int returned int; return a name of a handler, an iterable of names",
        ),
        (ROUTER, "bytes", "router bytes returned bytes; return a name of a handler, an iterable"),
        (ROUTER, "ints", "router ints returned int in an iterable; return a name of a handler"),
        (HANDLER, "int", "handler int returned int; return Send, an iterable of Sends or None"),
        (HANDLER, "str", "handler str returned str; return Send, an iterable of Sends or None"),
        (HANDLER, "dict", "handler dict returned str in an iterable; return Send, an iterable"),
        (HANDLER, "type", "handler type returned type; return Send, an iterable of Sends or None"),
        (HANDLER, "endless", "handler endless sends more than 100000 messages for one"),
    ],
)
def test_any_other_return_value_is_an_error(
    running: WorkerProcess, kind: int, name: str, note: str
) -> None:
    said, _, is_ours, told, trace = running.answer(kind, name, ADT)
    assert (said, is_ours, told[: len(note)]) == ("failed", False, note)
    assert trace == told


@pytest.mark.parametrize(
    ("kind", "name", "note", "lines"),
    [
        (HANDLER, "middle", "ValueError at ", ["in raises_in_the_middle", "ValueError"]),
        (HANDLER, "from", "LookupError at ", ["LookupError", "raised from", "KeyError"]),
        (HANDLER, "text_code", "RuntimeError at ", ["in raises_text_code", "RuntimeError"]),
        (HANDLER, "exits", "SystemExit at ", ["SystemExit"]),
        (HANDLER, "interrupts", "KeyboardInterrupt at ", ["KeyboardInterrupt"]),
        (HANDLER, "deep", "RecursionError at ", ["more ...", "RecursionError"]),
        (ROUTER, "deep", "RecursionError at ", ["in deep"]),
        (HANDLER, "hostile", "", [""]),
    ],
)
def test_an_exception_is_told_without_the_message(
    running: WorkerProcess, kind: int, name: str, note: str, lines: list[str]
) -> None:
    said, _, is_ours, told, trace = running.answer(kind, name, ADT)
    assert (said, is_ours) == ("failed", False)
    assert told.startswith(note)
    if note:
        assert f"{note}functions_program.py:" in told
    assert all(line in trace for line in lines)
    assert "SECRET" not in told + trace and len(trace) < 16 << 10
    # The worker goes on.
    assert running.answer(HANDLER, "unchanged", ADT) == ("sends", 0, [("OB", None)])


def test_messages_come_in_the_set_and_kind_of_their_inbound(running: WorkerProcess) -> None:
    latin = running.answer(HANDLER, "reads", ADT, inbound="IB_LATIN")
    assert latin == ("sends", 0, [("OB", "Müller".encode())])
    json = '{"a": "ü"}'.encode("utf-16")
    text = 'RawMessage {"a": "ü"} 1'
    assert running.answer(HANDLER, "raw", json, inbound="IB_JSON")[2] == [("OB", text.encode())]
    same = running.answer(HANDLER, "unchanged", json, inbound="IB_JSON")
    assert same == ("sends", 0, [("OB", None)])


def test_control_ids_are_those_of_the_message_s_number(running: WorkerProcess) -> None:
    first = running.answer(HANDLER, "new_ids", ADT, number=41)
    assert first == running.answer(HANDLER, "new_ids", ADT, number=41)
    assert first != running.answer(HANDLER, "new_ids", ADT, number=42)
    one, other = first[2][0][1].decode().split()
    assert one != other and len(other) <= 20


def test_what_is_no_hl7_is_told_by_its_exception(running: WorkerProcess) -> None:
    told = running.answer(HANDLER, "reads", b"SECRET")[3]
    assert told.startswith("MessageError at functions_program.py:")


def test_prints_and_reads_go_nowhere_near_the_engine(running: WorkerProcess) -> None:
    assert running.answer(HANDLER, "prints", ADT) == ("sends", 0, [])
    assert running.answer(HANDLER, "collects", ADT)[0] == "sends"
    running.probe()
    assert running.said() == ("alive",)


def test_a_batch_is_answered_in_order(running: WorkerProcess) -> None:
    payloads = [ADT.replace(b"||F", b"|%d|F" % at) for at in range(500)]
    running.call(HANDLER, "unchanged", *payloads)
    assert [running.said()[1] for _ in payloads] == list(range(500))


def test_a_large_message_is_fetched_whole(running: WorkerProcess) -> None:
    large = ADT.replace(b"|F\r", b"|F\rOBX|1|TX|||" + b"x" * 300_000 + b"\r")
    running.call(HANDLER, "twice", large)
    assert running.said() == ("rest", 0)
    running.give_rest(large)
    male = large.replace(b"|F\r", b"|M\r")
    assert running.said() == ("sends", 0, [("OB_A", None), ("OB_B", male)])


def test_a_large_message_that_cannot_be_read_is_no_fault_of_its_own(running: WorkerProcess) -> None:
    running.call(HANDLER, "unchanged", ADT + b"x" * 300_000, ADT)
    assert running.said() == ("rest", 0)
    running.give_rest(None)
    said, index, is_ours, *_ = running.said()
    assert (said, index, is_ours) == ("failed", 0, True)
    assert running.said() == ("sends", 1, [("OB", None)])


def test_a_thread_left_behind_does_not_hold_the_process() -> None:
    with WorkerProcess(PROGRAM) as worker:
        worker.said()
        assert worker.answer(HANDLER, "thread", ADT) == ("sends", 0, [])
        assert worker.end() == 0


def test_a_function_that_ends_the_process_ends_it() -> None:
    with WorkerProcess(PROGRAM) as worker:
        worker.said()
        with pytest.raises(Dead):
            worker.answer(HANDLER, "dies", ADT)
        assert worker.process.wait(30) == 7


def test_a_forked_copy_does_not_answer() -> None:
    with WorkerProcess(PROGRAM) as worker:
        worker.said()
        assert worker.answer(HANDLER, "forks", ADT) == ("sends", 0, [("OB", b"parent")])
        assert worker.end() == 0


def test_the_end_of_the_engine_is_the_end_of_the_worker() -> None:
    with WorkerProcess(PROGRAM) as worker:
        worker.said()
        worker.close()
        worker.process.wait(30)


def test_a_process_that_no_engine_has_started_is_told_so() -> None:
    program = "from fastmllp_engine._native import Worker; Worker()"
    done = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 1 and b"started by the engine" in done.stderr


def test_the_clock_of_functions_is_when_their_message_was_received(running: WorkerProcess) -> None:
    for number in (1, 2):
        sent = running.answer(HANDLER, "received", ADT, number=number)[2]
        assert sent == [("OB", b"2023-11-14T22:13:20+00:00")]
    json = running.answer(HANDLER, "received", b"{}", inbound="IB_JSON")[2]
    assert json == [("OB", b"2023-11-14T22:13:20+00:00")]
