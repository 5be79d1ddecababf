"""What is declared is checked where it is written."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fastmllp_engine import connectors, graph
from fastmllp_engine._native import Message
from fastmllp_engine.connectors import MLLP, File, Loopback, PassThrough, Tcp, Timer
from fastmllp_engine.graph import (
    AckMode,
    ConfigurationError,
    RetryPolicy,
    Send,
    env,
    handler,
    inbound,
    message_type_of,
    outbound,
    router,
)
from graph_messages import adt

PACKAGE = Path(graph.__file__).parents[2]


def complaints(declare: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        declare()
    return [finding.text for finding in caught.value.findings]


def test_a_declaration_knows_its_line() -> None:
    line = inspect.stack()[0].lineno + 1
    spec = MLLP(port=2575)
    assert (Path(spec.place.file), spec.place.line) == (Path(__file__), line)


def test_everything_that_is_wrong_with_a_declaration_is_said_at_once() -> None:
    assert complaints(
        lambda: MLLP(  # type: ignore[call-arg]
            port=70_000,
            max_conections=3,
            timeout_seconds="soon",  # type: ignore[arg-type]
            profile="resink",  # type: ignore[arg-type]
            persistent=False,  # type: ignore[arg-type]
            tls_verify=False,
        )
    ) == [
        "MLLP: persistent must be true, is false",
        "MLLP: port must be from 0 to 65535, is 70000",
        'MLLP: profile must be one of "permissive", "resync", "strict"; did you mean "resync"?',
        'MLLP: the parameter "tls_verify" is not supported by this version: '
        "the certificate of a partner is always verified",
        "MLLP: timeout_seconds must be a number, is a text",
        'MLLP: unknown parameter "max_conections"; did you mean "max_connections"?',
    ]


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        (lambda: MLLP(), 'MLLP: the parameter "port" is missing'),  # type: ignore[call-arg]
        (lambda: MLLP(port=True), "MLLP: port must be a whole number, is true"),
        (
            lambda: MLLP(port=1, tls_ca_file="x"),
            "MLLP: there are options of TLS, but not tls = true",
        ),
        (
            lambda: MLLP(port=1, trailer=0x0B),
            "MLLP: start_block, end_block and trailer must differ",
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", ack_mode="orginal"),  # type: ignore[arg-type]
            'inbound IB: ack_mode must be one of "original", "enhanced", "none"; '
            'did you mean "original"?',
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", index="PID-3"),
            "inbound IB: index must be a list, is a text",
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", index=["PID"]),
            'inbound IB: index must be a field such as "PID-3.1"',
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", bodies_days=-1),
            "inbound IB: bodies_days must be from 0 to 36500, is -1",
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", source_ip_allowlist=["10.1.0.1/16"]),
            'inbound IB: source_ip_allowlist must be a network such as "10.1.0.0/16": '
            "10.1.0.1/16 has host bits set",
        ),
        (
            lambda: inbound(
                "IB", MLLP(port=1), router="r", ack_after="delivered", deduplicate=False
            ),
            'inbound IB: ack_after "delivered" needs duplicates to be recognised',
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", ack_after="delivered", ack_mode="none"),
            'inbound IB: ack_after "delivered" needs ack_mode "original"',
        ),
        (
            lambda: inbound("IB", Loopback(), router="r", bind_address="0.0.0.0"),
            "inbound IB: Loopback does not listen",
        ),
        (
            lambda: inbound("IB", MLLP(port=1), router="r", strict=True),  # type: ignore[call-arg]
            'inbound IB: the parameter "strict" is not supported by this version: '
            "strict validation: it belongs to a later version",
        ),
        (
            lambda: inbound("IB", PassThrough(), router="r", index=["PID-3"]),
            "inbound IB: PassThrough takes what handlers send: "
            "this is for what is received from outside",
        ),
        (
            lambda: inbound("IB", Loopback(), router="r", capacity_messages=9),
            "inbound IB: Loopback takes what handlers send: "
            "this is for what is received from outside",
        ),
        (
            lambda: inbound("a/b", Loopback(), router="r"),
            "inbound a/b: name must be letters, digits, _ . and -, at most 100",
        ),
        (lambda: outbound("OB", MLLP(port=1)), "outbound OB: MLLP of an outbound needs a host"),
        (lambda: outbound("OB", Timer(body="x", run_once=True)), "outbound OB: Timer cannot send"),
        (
            lambda: outbound("OB", File(directory="x"), ordering="key"),
            'outbound OB: ordering "key" needs a key, such as key = "PID-3.1"',
        ),
        (
            lambda: outbound("OB", File(directory="x"), ordering="fifo", key="PID-3.1"),
            'outbound OB: a key needs ordering "key", not "fifo"',
        ),
        (
            lambda: outbound("OB", File(directory="x"), also="MRG-1.1"),
            "outbound OB: also needs a key",
        ),
        (
            lambda: outbound("OB", File(directory="x"), key="PID-3.1", connections=2),
            "outbound OB: connections must be at most 1 with File",
        ),
        (
            lambda: outbound("OB", MLLP(host="lab", port=1), connections=2),
            "outbound OB: more than one connection needs a key, or no order",
        ),
        (
            lambda: outbound("OB", File(directory="x"), window=65),
            "outbound OB: window must be from 1 to 64, is 65",
        ),
        (
            lambda: outbound("OB", File(directory="x"), retry=3),  # type: ignore[arg-type]
            "outbound OB: retry must be RetryPolicy(...) or nothing, is a whole number",
        ),
        (
            lambda: RetryPolicy(max_attempts="always"),  # type: ignore[arg-type]
            'RetryPolicy: max_attempts must be a whole number or "forever", is a text',
        ),
        (lambda: Timer(body="x"), "Timer: Timer needs either interval_seconds or run_once"),
        (lambda: Tcp(port=1, start=3), "Tcp: start, end and trailer must differ"),
        (
            lambda: MLLP(port=1, capture_response=True),  # type: ignore[call-arg]
            'MLLP: the parameter "capture_response" is not supported by this version: '
            "captured replies: it belongs to a later version",
        ),
        (
            lambda: handler("h", state="ns"),  # type: ignore[call-arg]
            'handler h: the parameter "state" is not supported by this version: '
            "state: it belongs to a later version",
        ),
    ],
)
def test_a_wrong_parameter_is_refused(declare: Callable[[], object], complaint: str) -> None:
    assert complaints(declare) == [complaint]


def test_texts_become_enumerations_and_one_of_key_and_order_implies_the_other() -> None:
    assert inbound("IB", MLLP(port=1), router="r", ack_mode="none").ack_mode is AckMode.NONE
    by_key = outbound("OB", MLLP(host="lab", port=1), key="PID-3.1", also="MRG-1.1", connections=4)
    assert (by_key.ordering, by_key.keys) == ("key", ("PID-3.1", "MRG-1.1"))
    assert outbound("OB", File(directory="x")).ordering == "fifo"


def test_a_send_takes_a_snapshot_and_shows_no_payload() -> None:
    message = Message(adt(patient="1001"))
    first = Send("OB", message)
    message["PID-3.1"] = "1002"
    second = Send("OB", message)
    assert (b"1001" in first.payload, b"1002" in second.payload) == (True, True)
    assert "1001" not in repr(first)
    data = bytearray(b"before")
    third = Send("OB", bytes(data))
    data[:] = b"after!"
    assert third.payload == b"before"
    with pytest.raises(TypeError, match="not int"):
        Send("OB", 7)  # type: ignore[arg-type]


def test_functions_stay_what_they_are() -> None:
    def route(msg: Message) -> list[str]:
        return ["h"]

    assert router("r")(route) is route
    accepts = message_type_of("ADT^A01", "ORU")
    assert [accepts(Message(adt(event))) for event in ("A01", "A08")] == [True, False]
    with pytest.raises(ValueError, match='"ADT\\^" is not a type'):
        message_type_of("ADT^")


def test_outside_of_a_configuration_values_come_from_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FASTMLLP_VALUE_LAB_PORT", "2600")
    assert env("lab.port", cast=int) == 2600
    assert env("other", default="x") == "x"
    with pytest.raises(ConfigurationError, match='no value for "other"'):
        env("other")
    monkeypatch.setenv("FASTMLLP_VALUE_FLAG", "false")
    assert env("flag", cast=bool) is False
    monkeypatch.setenv("FASTMLLP_VALUE_LAB_PORT", "secret")
    with pytest.raises(ConfigurationError) as caught:
        env("lab_port", cast=int)
    assert "secret" not in str(caught.value)


GOOD = """
from fastmllp_engine import MLLP, File, Send, AckMode, RetryPolicy, env, handler, inbound
from fastmllp_engine import message_type_of, outbound, router
from typing import Any

inbound("IB", MLLP(port=2600), router="r", ack_mode=AckMode.ENHANCED, index=["PID-3.1"])
inbound("IB2", MLLP(port=2601), router="r", ack_mode="none", bodies_days="forever")
outbound("OB", MLLP(host=env("h"), port=env("p", cast=int)), retry=RetryPolicy(max_attempts=3))
outbound("OB2", File(directory="x"), key="PID-3.1", also=("MRG-1.1",), then="held")

@router("r")
def route(msg: Any) -> list[str]:
    return ["h"]

@handler("h", accepts=message_type_of("ADT"))
def handle(msg: Any) -> Send | None:
    return Send("OB", msg)

@handler("many")
def many(msg: Any) -> list[Send]:
    return [Send("OB", msg), Send("OB2", b"x")]
"""

BAD = """
from fastmllp_engine import MLLP, RetryPolicy, Send, env, handler, inbound, outbound, router
from typing import Any

inbound("IB", MLLP(port="2600"), router="r")
inbound("IB", MLLP(port=2600, prot=1), router="r")
inbound("IB", MLLP(port=2600), router="r", ack_mode="orginal")
inbound("IB", MLLP(port=2600))
outbound("OB", MLLP(host=env("host"), port=env("port")))
outbound("OB", MLLP(host="h", port=1), windw=3)
outbound("OB", MLLP(host="h", port=1), ordering="random")
RetryPolicy(max_attempts="always")

@router("r")
def route(msg: Any) -> int:
    return 3

@handler("h")
def handle(msg: Any) -> str:
    return "OB"

@handler("h", capacity=3)
def other(msg: Any) -> None:
    return None
"""


def test_mypy_finds_a_wrong_parameter_in_a_module_of_a_user(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    wanted = [
        str(at)
        for at, line in enumerate(BAD.splitlines(), 1)
        if line.startswith(("inbound", "outbound", "RetryPolicy", "@router", "@handler"))
    ]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "good.py", "bad.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
    )
    errors = [line.split(":") for line in found.stdout.splitlines() if ": error:" in line]
    lines = {line for file, line, *_ in errors if file == "bad.py"}
    assert "good.py" not in found.stdout, found.stdout
    assert lines == set(wanted), found.stdout + found.stderr


def test_each_connector_says_what_it_is() -> None:
    specs = [getattr(connectors, name) for name in connectors.__all__]
    specs = [it for it in specs if isinstance(it, type) and hasattr(it, "transport")]
    assert len(specs) == 6
    for spec in specs:
        name = spec.__name__
        assert spec.transport == name.lower() and (spec.receives or spec.sends), name
