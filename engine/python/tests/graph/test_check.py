"""`check`: golden tests compared field by field, and functions that are not pure."""

from pathlib import Path

import pytest
from fastmllp_engine.graph import check
from fastmllp_engine.graph.fields import differences
from feeds import ADT, write
from graph_messages import adt


def lines(folder: Path, files: dict[str, str | bytes]) -> tuple[list[str], int]:
    """What `check` prints, with places below the folder, and its status."""
    report = check(write(folder, files), variables={})
    return [line.removeprefix(f"{folder}/") for line in report.lines()], report.status


SENT = adt(patient="1001")


def test_what_is_sent_is_compared_field_by_field(tmp_path: Path) -> None:
    as_edited = adt(patient="1002").replace(b"\r", b"\r\n")
    assert lines(
        tmp_path,
        {
            "adt.py": ADT,
            "tests/IB_ADT/a01.hl7": SENT,
            "tests/IB_ADT/a01.expected/OB_LAB.hl7": SENT.replace(b"\r", b"\n"),
            "tests/IB_ADT/a40.hl7": as_edited,
            "tests/IB_ADT/a40.expected/OB_LAB.hl7": SENT,
        },
    ) == (
        [
            'tests/IB_ADT/a40.hl7: OB_LAB: PID-3.1 is "1002", expected "1001" '
            "(a40.expected/OB_LAB.hl7:2)",
            "1 error",
        ],
        1,
    )


def test_everything_that_is_sent_is_expected_and_nothing_else(tmp_path: Path) -> None:
    twice = ADT.replace("return Send", 'yield Send("OB_LAB", msg); yield Send')
    assert lines(
        tmp_path,
        {
            "adt.py": twice,
            "tests/IB_ADT/both.hl7": SENT,
            "tests/IB_ADT/both.expected/OB_LAB.hl7": SENT,
            "tests/IB_ADT/both.expected/OB_LAB.2.hl7": SENT,
            "tests/IB_ADT/more.hl7": SENT,
            "tests/IB_ADT/more.expected/OB_LAB.hl7": SENT,
            "tests/IB_ADT/more.expected/OB_LAB.2.hl7": SENT,
            "tests/IB_ADT/more.expected/OB_LAB.3.hl7": SENT,
            "tests/IB_ADT/more.expected/OB_LABB.hl7": SENT,
            "tests/IB_ADT/nothing.hl7": SENT,
        },
    ) == (
        [
            "tests/IB_ADT/more.hl7: OB_LAB: nothing is sent, expected more.expected/OB_LAB.3.hl7",
            "tests/IB_ADT/more.hl7: OB_LABB: nothing is sent, expected more.expected/OB_LABB.hl7; "
            'did you mean "OB_LAB"?',
            "tests/IB_ADT/nothing.hl7: OB_LAB: a message is sent that is not expected",
            "tests/IB_ADT/nothing.hl7: OB_LAB: message 2 is sent that is not expected",
            "4 errors",
        ],
        1,
    )


WANTED = "return Send, an iterable of Sends or None"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", f"handler to_lab returned int; {WANTED}"),
        ('return "OB_LAB"', f"handler to_lab returned str; {WANTED}"),
        ("return [3]", f"handler to_lab returned int in an iterable; {WANTED}"),
        ('raise KeyError(msg["PID-3"])', "KeyError at adt.py:12 in handle"),
        (
            'return Send("OB_" + msg["MSH-3"], msg)',
            'handler to_lab sends to "OB_A", which is no outbound or handler; '
            'did you mean "OB_LAB"?',
        ),
        (
            "return Send('OB_' + (msg['ZZZ-1'] or 'LAP'), msg)",
            'handler to_lab sends to "OB_LAP", which is no outbound or handler; '
            'did you mean "OB_LAB"?',
        ),
        (
            'return Send(msg["PID-3"], msg)',
            "handler to_lab sends to a name that is no outbound or handler",
        ),
    ],
)
def test_a_handler_that_fails_is_named_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    files = {"adt.py": ADT.replace('return Send("OB_LAB", msg)', body), "tests/IB_ADT/a.hl7": SENT}
    printed, status = lines(tmp_path, files)
    assert f"tests/IB_ADT/a.hl7: {said}" in printed
    assert status == 1


def test_a_router_that_computes_a_name_is_resolved_by_the_golden_test(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT.replace('return ["to_lab"]', 'return "to_" + msg["MSH-3"]'),
        "tests/IB_ADT/a.hl7": SENT,
    }
    assert lines(tmp_path, files) == (
        [
            "adt.py:8: note: router adt names handlers by names that are computed",
            "adt.py:10: note: handler to_lab: no router names it, and no handler sends to it",
            'tests/IB_ADT/a.hl7: router adt names "to_A", which is no handler; '
            'did you mean "to_lab"?',
            "1 error",
        ],
        1,
    )


def test_accepts_chains_and_pass_throughs_are_followed(tmp_path: Path) -> None:
    files = {
        "adt.py": """
            from fastmllp_engine import (
                MLLP, PassThrough, Send, handler, inbound, message_type_of, outbound, router,
            )

            inbound("IB", MLLP(port=2600), router="first")
            inbound("HOP", PassThrough(), router="second")
            outbound("OB", MLLP(host="lab", port=2601))

            @router("first")
            def first(msg):
                return ["only_a01", "to_chain"]

            @router("second")
            def second(msg):
                return "last"

            @handler("only_a01", accepts=message_type_of("ADT^A01"))
            def only_a01(msg):
                return Send("OB", msg)

            @handler("to_chain")
            def to_chain(msg):
                msg["MSH-5"] = "X"
                return Send("chain", msg)

            @handler("chain")
            def chain(msg):
                return Send("HOP", msg)

            @handler("last")
            def last(msg):
                msg["MSH-6"] = msg["MSH-5"] + "Y"
                return Send("OB", msg)
        """,
        "tests/IB/a08.hl7": adt("A08"),
        "tests/IB/a08.expected/OB.hl7": adt("A08").replace(b"|C|D|", b"|X|XY|"),
    }
    assert lines(tmp_path, files) == (
        ["3 connections, 2 routers, 4 handlers, 1 golden test"],
        0,
    )


def test_a_function_that_is_not_pure_is_found(tmp_path: Path) -> None:
    impure = ADT.replace(
        "return Send(", 'seen.append(1); msg["PV1-19"] = str(len(seen)); return Send('
    )
    files = {
        "adt.py": impure + "\n    seen = []\n",
        "tests/IB_ADT/a.hl7": SENT,
        "tests/IB_ADT/a.expected/OB_LAB.hl7": SENT.replace(b"|I|W1", b"|I|W1||||||||||||||||1"),
    }
    assert lines(tmp_path, files) == (
        [
            "tests/IB_ADT/a.hl7: OB_LAB: a second run sends something else: PV1-19 "
            "(handler to_lab)",
            "1 error",
        ],
        1,
    )
    assert check(tmp_path, variables={}, twice=False).status == 0


def test_tests_of_nothing_are_errors(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT,
        "tests/IB_ADX/a.hl7": SENT,
        "tests/IB_ADT/gone.expected/OB_LAB.hl7": SENT,
        "tests/README": "text",
    }
    assert lines(tmp_path, files) == (
        [
            "tests/IB_ADT/gone.expected: there is no gone.hl7 that this is expected of",
            'tests/IB_ADX: golden tests of "IB_ADX", which is no inbound; did you mean "IB_ADT"?',
            "2 errors",
        ],
        2,
    )


def test_golden_tests_run_beside_errors_of_the_wiring(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT,
        "more.py": """
            from fastmllp_engine import MLLP, inbound
            inbound("IB_X", MLLP(port=2600), router="adx")
        """,
        "tests/IB_ADT/a.hl7": SENT,
    }
    assert lines(tmp_path, files) == (
        [
            f"more.py:2: inbound IB_X: port 2600 is also the port of inbound IB_ADT "
            f"({tmp_path}/adt.py:3)",
            'more.py:2: inbound IB_X: unknown router "adx"; did you mean "adt"?',
            "tests/IB_ADT/a.hl7: OB_LAB: a message is sent that is not expected",
            "3 errors",
        ],
        2,
    )


@pytest.mark.parametrize(
    ("sent", "expected", "found"),
    [
        ("PID|1|A^B", "PID|1|A^C", ['PID-2.2 is "B", expected "C"']),
        ("PID|1|A", "PID|1|B", ['PID-2 is "A", expected "B"']),
        ("PID|1|A^B", "PID|1|A", ['PID-2.2 is "B", expected empty']),
        ("PID|1|A~B", "PID|1|A~C", ['PID-2[2] is "B", expected "C"']),
        ("PID|1|A&B^C", "PID|1|A&X^C", ['PID-2.1.2 is "B", expected "X"']),
        ("PID|1||", "PID|1", []),
        ("OBX|1\rOBX|2", "OBX|1\rOBX|3", ['OBX[2]-1 is "2", expected "3"']),
        ("OBX|1\rNTE|x", "OBX|1", ["segment NTE is not expected"]),
        ("OBX|1", "OBX|1\rNTE|x", ["segment NTE is missing"]),
        ("PID|1\rPV1|1", "PID|1\rZZZ|1", ["a segment is PV1, expected ZZZ"]),
        (
            "MSH|^~\\&|A|B^C\rPID|1|A~B",
            "MSH#*@!%#A#B*X\rPID#1#A@B",
            ['MSH-4.2 is "C", expected "X"'],
        ),
    ],
)
def test_differences_name_the_field(sent: str, expected: str, found: list[str]) -> None:
    assert [it.text for it in differences(sent, expected)] == found
