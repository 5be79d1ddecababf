"""The vectors about acknowledgments, through the Python package."""

import json
import pathlib
from typing import Any

import fastmllp
import pytest
from fastmllp import ack

VECTORS = pathlib.Path(__file__).parents[3] / "vectors"
ACK: dict[str, Any] = json.loads((VECTORS / "ack.json").read_text())
TABLES: dict[str, Any] = json.loads((VECTORS / "tables.json").read_text())


def detail(error: dict[str, Any]) -> fastmllp.ErrorDetail:
    return fastmllp.ErrorDetail(
        error["code"],
        *error.get("loc", []),
        severity=error.get("severity", "E"),
        application=error.get("app", []),
        diagnostic=error.get("diag", ""),
        user_message=error.get("user", ""),
    )


@pytest.mark.parametrize("case", ACK["build"], ids=lambda case: case["id"])
def test_acknowledgment_by_the_policy_conformant(case: dict[str, Any]) -> None:
    args = case["args"]
    application, facility = args.get("app", (None, None))
    answer = fastmllp.Ack(
        case["code"],
        policy="conformant",
        control_id=case["control_id"],
        timestamp=case["now"],
        text=args.get("text", ""),
        errors=[detail(error) for error in args.get("errors", [])],
        expected_sequence_number=args.get("seq"),
        sending_application=application,
        sending_facility=facility,
        accept_acknowledgment_type=args.get("accept_type", ""),
        application_acknowledgment_type=(
            "NE" if args.get("phase") == "application_enhanced" else ""
        ),
        message_structure=args.get("structure", ""),
        character_set=args.get("charset"),
        message_profile_identifier=args.get("profile", ""),
    )
    encoded = answer.encode(case["inbound"].encode("latin-1"))
    assert encoded.decode("latin-1") == case["ack"]
    read = fastmllp.Message(encoded)
    for path, value in case["fields"].items():
        assert (read.get(path) or b"").decode("latin-1") == value, path


DECISIONS = [*ACK["decision"], *ACK["decision_edge"], *ACK["decision_response"]]


@pytest.mark.parametrize("case", DECISIONS)
def test_decisions(case: dict[str, Any]) -> None:
    accept, application = case["msh15"].encode(), case["msh16"].encode()
    msa_1 = case["inbound_msa1"].encode() if "inbound_msa1" in case else None
    decision = ack.decide(accept, application, case["outcome"], msa_1=msa_1)
    assert decision.mode == case["mode"]
    assert decision.accept_ack == case["accept_ack"]
    assert decision.application_ack == case["application_ack"]
    reply = ack.always_one_reply(accept, application, case["outcome"], msa_1=msa_1)
    code = {"accept": "AA", "error": "AE", "reject": "AR"}[case["outcome"]]
    assert reply == (None if msa_1 else case["accept_ack"] or code)


@pytest.mark.parametrize("case", ACK["validate"], ids=lambda case: case["id"])
def test_header_checks(case: dict[str, Any]) -> None:
    lists = ACK["accept_lists"]
    payload = case["inbound"].encode("latin-1")
    errors = ack.check(
        payload,
        message_types=lists["types"],
        versions=lists["versions"],
        processing_ids=lists["processing"],
    )
    found = [{"code": e.code, "loc": [e.location[0], *e.location[1]]} for e in errors]
    assert found == case["errors"]
    header = fastmllp.Message(payload).header
    decision = ack.decide(
        header.accept_acknowledgment_type,
        header.application_acknowledgment_type,
        "reject" if errors else "accept",
        refused=bool(errors),
    )
    assert (decision.mode, decision.accept_ack, decision.application_ack) == (
        case["mode"],
        case["accept_ack"],
        case["application_ack"],
    )


def test_what_forbids_a_positive_answer() -> None:
    msh = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|%s|P|2.5\r"
    assert ack.check(msh % b"M1") == []
    assert [error.code for error in ack.check(msh % b"")] == [101]
    assert [error.code for error in ack.check(msh % b"M1" + msh % b"M2")] == [200]
    assert [error.code for error in ack.check(msh % b"M1", damaged=True)] == [207]
    with pytest.raises(fastmllp.MessageError):
        ack.check(b"PID|1\r")
    positive = fastmllp.Ack("AA", policy="conformant")
    negative = fastmllp.Ack("AE", policy="conformant")
    for payload, code in [(msh % b"", "no_control_id"), (msh % b"M1" + msh % b"M2", "batch")]:
        with pytest.raises(fastmllp.AckError) as refused:
            positive.encode(payload)
        assert refused.value.code == code
        assert b"MSA|AE|" in negative.encode(payload)
    for headless in (b"PID|1\r", b""):
        with pytest.raises(fastmllp.MessageError):
            negative.encode(headless)
    with pytest.raises(fastmllp.AckError) as refused:
        negative.encode(b"BHS|^~\\&|S\rBTS|0\r")
    assert refused.value.code == "no_header"


@pytest.mark.parametrize("case", ACK["sequence"])
def test_sequence_numbers(case: dict[str, Any]) -> None:
    receiver = ack.SequenceReceiver(case["expected"])
    fits, msa_4 = receiver.receive(str(case["msh13"]).encode())
    assert (fits, msa_4) == (case["code"] == "AA", case["msa4"])
    assert receiver.expected == case["new_expected"]


REFUSED = [
    case
    for case in ACK["sequence"]
    if case["code"] == "AR" and isinstance(case["msh13"], int) and case["msh13"] > 0
]


@pytest.mark.parametrize("case", REFUSED)
def test_after_a_refusal_the_sender_goes_where_the_receiver_is(case: dict[str, Any]) -> None:
    action = ack.SequenceAction.after_refusal(case["msh13"], str(case["msa4"]).encode())
    going_on = {"continue": case["msh13"] + 1, "restart_from": action.number, "freeze": None}
    number = going_on[action.name]
    if number is None:
        # The receiver waits for a message that was never sent.
        assert case["expected"] > case["msh13"] + 1
    else:
        receiver = ack.SequenceReceiver(case["expected"])
        assert receiver.receive(str(number).encode()) == (True, number)


def test_the_table_of_error_codes() -> None:
    for code, row in TABLES["0357"].items():
        assert fastmllp.ErrorDetail(int(code)).text == row["text"]


def test_timestamps() -> None:
    assert ack.timestamp(1_767_323_045) == "20260102030405"
    assert ack.timestamp(1_767_323_045, offset_minutes=-330) == "20260101213405-0530"
    assert len(ack.timestamp()) == 14


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: fastmllp.ErrorDetail(999),
        lambda: fastmllp.ErrorDetail(101, severity="X"),
        lambda: fastmllp.ErrorDetail(101, "PID", 1, 2, 3, 4, 5, 6),
        lambda: fastmllp.ErrorDetail(101, application=["1", "2", "3", "4"]),
        lambda: fastmllp.Ack("AA", policy="sometimes"),
        lambda: ack.decide(b"", b"", "maybe"),
        lambda: fastmllp.Decoder(profile="loose"),
        lambda: fastmllp.Message(b"", scan="ebcdic"),
    ],
)
def test_wrong_arguments_are_value_errors(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|not in table|has (five|three)"):
        wrong()
    with pytest.raises(fastmllp.AckError) as raised:
        fastmllp.Ack("XX")
    assert raised.value.code == "bad_ack_code"


def test_server_decides_on_code_and_policy() -> None:
    payload = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|M1|P|2.5\r"
    described = fastmllp.Ack("AE", text="no bed")
    answer = fastmllp.Message(described.encode(payload, code="CE", policy="conformant"))
    assert answer.get("MSA-1") == b"CE" and answer.get("MSA-3") == b"no bed"
    assert answer.get("MSH-9") == b"ACK^A01^ACK"
    assert fastmllp.Message(described.encode(payload)).get("MSA-1") == b"AE"
    with pytest.raises(fastmllp.AckError):
        described.encode(payload, code="XX")
    with pytest.raises(ValueError):
        described.encode(payload, policy="x")
    with pytest.raises(fastmllp.AckError):
        described.encode(payload + payload, code="AA", policy="conformant")


def test_header_checks_find_delimiters_as_they_are_told() -> None:
    name = "\u30dd".encode("shift_jis")
    payload = b"MSH|^~\\&|A|" + name + b"|C|D|2026||ADT^A01||P|2.5\r"
    assert [error.code for error in ack.check(payload)] == []
    assert [error.code for error in ack.check(payload, scan="shift_jis")] == [101]
