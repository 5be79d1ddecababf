"""One message through a graph: what `check` and `dryrun` show is what the engine would do."""

from pathlib import Path

import pytest
from fastmllp_engine.graph import Run, load, run, second_run_differs
from feeds import write
from graph_messages import adt

CHAIN = """
    from fastmllp_engine import MLLP, PassThrough, Send, handler, inbound, outbound, router

    inbound("IB", MLLP(port=2600), router="first")
    inbound("HOP", PassThrough(), router="second")
    outbound("OB", MLLP(host="lab", port=2601))

    @router("first")
    def first(msg):
        return ["h0", "h0"]

    @router("second")
    def second(msg):
        return "last"

    @handler("last")
    def last(msg):
        return Send("OB", msg)

    @handler("h0")
    def h0(msg):
        return Send("h1", msg)
"""


def chain(length: int, end: str) -> str:
    """Handlers h0 to hLENGTH, each of which sends to the next, the last to `end`."""
    more = [
        f'@handler("h{at}")\ndef h{at}(msg):\n    return Send("{end if at == length else ""}'
        f'{"" if at == length else f"h{at + 1}"}", msg)\n'
        for at in range(1, length + 1)
    ]
    indented = "\n".join(more).replace("\n", "\n    ")
    return f"{CHAIN}\n    {indented}"


def ran(folder: Path, code: str) -> Run:
    registry = load(write(folder, {"feed.py": code}), variables={})
    return run(registry, registry.inbounds["IB"], adt())


@pytest.mark.parametrize(("length", "is_too_deep"), [(8, False), (9, True)])
def test_a_message_goes_eight_times_from_handler_to_handler(
    tmp_path: Path, length: int, is_too_deep: bool
) -> None:
    made = ran(tmp_path, chain(length, "OB"))
    assert [it.handler for it in made.sent] == ([] if is_too_deep else ["h8"])
    wanted = ["handler h8: more than 8 hops from handler to handler"] if is_too_deep else []
    assert made.failures == wanted
    assert made.disposition == ("ERROR" if is_too_deep else "PROCESSED")


def test_what_is_passed_on_is_routed_again(tmp_path: Path) -> None:
    made = ran(tmp_path, chain(1, "HOP"))
    assert [(it.router, it.handlers) for it in made.routed] == [
        ("first", ("h0",)),
        ("second", ("last",)),
    ]
    assert [(it.handler, it.to, it.payload) for it in made.sent] == [("last", "OB", adt())]


@pytest.mark.parametrize(
    ("first", "second", "disposition"),
    [
        ('"h0" if msg["MSH-4"] == "?" else None', '"last"', "UNROUTED"),
        ('["h0", "h0"]', '"last" if msg["MSH-4"] == "?" else None', "FILTERED"),
        ('["h0", "h0"]', '"last"', "PROCESSED"),
    ],
)
def test_it_is_unrouted_only_where_it_was_received(
    tmp_path: Path, first: str, second: str, disposition: str
) -> None:
    code = chain(1, "HOP").replace('return ["h0", "h0"]', f"return {first}")
    made = ran(tmp_path, code.replace('return "last"', f"return {second}"))
    assert made.disposition == disposition


def test_what_is_passed_on_keeps_the_kind_that_it_was_received_as(tmp_path: Path) -> None:
    code = chain(1, "HOP").replace('PassThrough(encoding="latin-1")', "PassThrough()")
    code = code.replace("MLLP(port=2600)", 'MLLP(port=2600, encoding="latin-1")')
    reads = 'return Send("OB", msg) if msg["PID-5.2"] == "J\xfcrg" else None'
    code = code.replace('return Send("OB", msg)', reads)
    registry = load(write(tmp_path, {"feed.py": code}), variables={})
    made = run(registry, registry.inbounds["IB"], adt().replace(b"JANE", b"J\xfcrg"))
    assert (made.disposition, made.failures) == ("PROCESSED", [])


@pytest.mark.parametrize(
    ("body", "disposition", "failures"),
    [
        ("return None", "FILTERED", []),
        ("return Send('OB', msg)", "PROCESSED", []),
        ("return [Send('OB', msg), Send('O' + msg['MSH-3'], msg)]", "ERROR", None),
        ("raise SystemExit(msg['PID-5'])", "ERROR", ["SystemExit at feed.py:21 in h0"]),
    ],
)
def test_one_send_that_leads_nowhere_takes_the_others_of_its_handler_with_it(
    tmp_path: Path, body: str, disposition: str, failures: list[str] | None
) -> None:
    made = ran(tmp_path, CHAIN.replace('return Send("h1", msg)', body))
    assert made.disposition == disposition
    assert bool(made.sent) == (disposition == "PROCESSED")
    assert failures is None or made.failures == failures


def test_a_second_run_is_alike_if_functions_read_the_clock_of_the_message(tmp_path: Path) -> None:
    clock = 'msg["MSH-7"] = msg.ingest_time().strftime("%Y%m%d"); return Send("OB", msg)'
    code = CHAIN.replace('return Send("h1", msg)', clock)
    first, second = ran(tmp_path, code), ran(tmp_path, code)
    assert b"|20260101|" in first.sent[0].payload
    assert list(second_run_differs(first, second, "utf-8")) == []
