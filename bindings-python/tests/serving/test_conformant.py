"""The policy `conformant`: one answer for each message, by the tables of chapter 2."""

import logging

import pytest
from conftest import Records, Serve
from fastmllp import Ack, ErrorDetail, Message, MessageError, Reply
from fastmllp.serving.conformant import conformant_answer
from peers import Peer, acknowledgment, framed

FIELDS = ("", "AL", "NE", "ER", "SU")
# MSH-15, and for each MSH-16 in the order above what goes back after AA, AE and AR. Spec 2.2, with
# one answer on this connection: of two, the accept acknowledgment.
TABLE = {
    "": ("AA AE AR", "AA AE AR", "- - -", "- AE AR", "AA - -"),
    "AL": ("CA CE CR", "CA CE CR", "CA CE CR", "CA CE CR", "CA CE CR"),
    "NE": ("- - -", "AA AE AR", "- - -", "- AE AR", "AA - -"),
    "ER": ("- CE CR", "AA CE CR", "- CE CR", "- CE CR", "AA CE CR"),
    "SU": ("CA - -", "CA AE AR", "CA - -", "CA AE AR", "CA - -"),
}
ROWS = [
    (accept, application, code, "" if expected == "-" else expected)
    for accept, row in TABLE.items()
    for application, cell in zip(FIELDS, row, strict=True)
    for code, expected in zip(("AA", "AE", "AR"), cell.split(), strict=True)
]


def asking(accept: str, application: str, control_id: str = "A", rest: str = "PID|1\r") -> bytes:
    """A message with MSH-15 and MSH-16."""
    return (
        f"MSH|^~\\&|S|SF|R|RF|20240131||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r{rest}"
    ).encode()


@pytest.mark.parametrize(("accept", "application", "code", "expected"), ROWS)
def test_every_row_of_the_table(accept: str, application: str, code: str, expected: str) -> None:
    message = Message(asking(accept, application))
    answer = conformant_answer(message, code)
    assert (answer.code, answer.errors) == (expected, [])
    # The handler may speak of either level: what counts is what it says.
    assert conformant_answer(message, code.replace("A", "C", 1)).code == expected


@pytest.mark.parametrize("accept", FIELDS)
@pytest.mark.parametrize("application", FIELDS)
def test_application_acknowledgment_that_is_due_elsewhere(accept: str, application: str) -> None:
    message = Message(asking(accept, application))
    due = "AA" if accept in ("AL", "SU") and application in ("AL", "SU") else ""
    assert conformant_answer(message, "AA").due == due
    # What was refused is refused once; of what was only stored nothing more is known yet.
    for code in ("AE", "AR", "CA", "CE", "CR"):
        assert conformant_answer(message, code).due == ""


@pytest.mark.parametrize("accept", FIELDS)
@pytest.mark.parametrize("msa", ["AA", "AE", "CA", "CR", "XX", ""])
def test_acknowledgments_are_not_acknowledged(accept: str, msa: str) -> None:
    """But for an application acknowledgment that asks for an accept acknowledgment (2.8.3.2)."""
    message = Message(asking(accept, "NE" if accept else "", rest=f"MSA|{msa}|1\r"))
    expected = "CA" if accept in ("AL", "SU") and not msa.startswith("C") else ""
    assert conformant_answer(message, "AA").code == expected


BATCH = b"FHS|^~\\&|S\rBHS|^~\\&|S\r" + asking("", "")
FUSED = asking("", "", "CUT")[:60] + b"\x0b" + asking("", "")


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (BATCH, 200),
        (asking("", "") + asking("", "", "B"), 200),
        (asking("", "", ""), 101),
        (FUSED, 207),
    ],
)
def test_what_must_not_be_accepted(payload: bytes, number: int) -> None:
    message = Message(payload)
    for code in ("AA", "CA"):
        answer = conformant_answer(message, code)
        assert answer.code == "AR" and answer.errors[0].code == number
    for code in ("AE", "AR"):
        answer = conformant_answer(message, code)
        assert (answer.code, answer.errors) == (code, [])


def test_what_must_not_be_accepted_in_enhanced_mode() -> None:
    assert conformant_answer(Message(asking("AL", "AL", "")), "AA").code == "CR"
    assert conformant_answer(Message(asking("NE", "ER", "")), "AA").code == "AR"
    # Nobody wants to hear of it; and nothing says that it was accepted.
    assert conformant_answer(Message(asking("SU", "SU", "")), "AA").code == ""
    assert conformant_answer(Message(asking("NE", "NE", "")), "AA").code == ""


@pytest.mark.parametrize("payload", [b"", b"PID|1\r", b"MSH|", b"no header"])
def test_payload_without_a_header(payload: bytes) -> None:
    with pytest.raises(MessageError):
        conformant_answer(Message(payload), "AA")


def test_name_that_holds_the_byte_of_a_separator() -> None:
    """In Shift_JIS the second byte of a letter may be the field separator's."""
    name = "ポ".encode("shift_jis")
    assert name.endswith(b"|")
    payload = b"MSH|^~\\&|" + name + b"|SF|R|RF|20240131||ADT^A01|A|P|2.5|||AL|NE\r"
    # By the bytes alone AL would be in MSH-16.
    for asks, expected in ((b"AL|NE", "CA"), (b"NE|NE", ""), (b"|", "AA")):
        message = Message(payload.replace(b"AL|NE", asks), scan="shift_jis")
        answer = conformant_answer(message, "AA", "shift_jis")
        assert (answer.code, answer.errors) == (expected, [])


@pytest.mark.parametrize("code", ["", "XX", "aa", "AAA"])
def test_code_that_is_none(code: str) -> None:
    with pytest.raises(KeyError, match=repr(code)):
        conformant_answer(Message(asking("", "")), code)


# Over a server.


@pytest.mark.parametrize(
    "payload", [BATCH, asking("", "", ""), FUSED], ids=["batch", "nameless", "fused"]
)
def test_the_header_of_a_handler_is_kept_when_its_message_must_not_be_accepted(
    serve_both: Serve, payload: bytes
) -> None:
    said = Ack(
        "AA",
        text="für Łukasz",
        errors=[ErrorDetail(0, severity="I", user_message="noted")],
        message_structure="ACK_A01",
        character_set="8859/2",
        message_profile_identifier="OWN",
        sending_facility="Łódź",
    )
    server = serve_both(lambda _: said, policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        raw = peer.receive_frame()
    answer = Message(raw)
    assert (answer.get("MSA-1"), answer.get("MSH-9.3")) == (b"AR", b"ACK_A01")
    assert (answer.get("MSH-18"), answer.get("MSH-21")) == (b"8859/2", b"OWN")
    assert answer.text("MSH-4") == "Łódź"
    # What it said of an accepted message would mislead: the reasons go back instead.
    reasons = conformant_answer(Message(payload), "AA").errors
    assert len(Reply.from_payload(raw).errors) == len(reasons) > 0
    for number, reason in enumerate(reasons, 1):
        assert answer.get(f"ERR[{number}]-3.1") == str(reason.code).encode()
    assert b"ukasz" not in raw and b"noted" not in raw


def test_answers_on_the_wire(serve_both: Serve, records: Records) -> None:
    codes = {b"B": "AE", b"C": "AE", b"E": "AR"}
    server = serve_both(
        lambda message: codes.get(message.header.message_control_id), policy="conformant"
    )
    with Peer.connect(server.address) as peer:
        peer.send(
            framed(asking("", "", "A"))
            + framed(asking("AL", "NE", "B"))
            + framed(asking("NE", "SU", "C"))  # Nothing.
            + framed(asking("NE", "NE", "D"))  # Nothing.
            + framed(asking("NE", "AL", "E"))
            + framed(asking("AL", "AL", "F"))
        )
        answers = [peer.receive_msa() for _ in range(4)]
        assert answers == [("AA", "A"), ("CE", "B"), ("AR", "E"), ("CA", "F")]
        # A message that gets no answer holds up no later one.
        peer.send(framed(asking("NE", "NE", "G")) + framed(asking("", "", "H")))
        answer = Message(peer.receive_frame())
        assert answer.get("MSA-2") == b"H" and answer.get("MSH-9") == b"ACK^A01^ACK"
        peer.half_close()
        assert peer.receive_end() == b""
    fields = records.wait_for("disconnect").fields  # type: ignore[attr-defined]
    assert fields["messages"] == 8
    seen = [(r.event, r.fields) for r in records.all()]  # type: ignore[attr-defined]
    assert seen.count(("no_answer", {"reason": "not_wanted"})) == 3
    assert seen.count(("ack_due", {"code": "AA"})) == 1
    sent = [fields["code"] for event, fields in seen if event == "ack_sent"]
    assert sent == ["AA", "CE", "AR", "CA", "AA"]


@pytest.mark.parametrize("with_handler", [False, True])
@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (BATCH, b"200^Unsupported message type^HL70357"),
        (asking("", "", ""), b"101^Required field missing^HL70357"),
        (FUSED, b"207^Application internal error^HL70357"),
    ],
)
def test_positive_code_becomes_a_rejection(
    serve_both: Serve, with_handler: bool, payload: bytes, error: bytes
) -> None:
    server = serve_both((lambda message: "AA") if with_handler else None, policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        answer = Message(peer.receive_frame())
        assert answer.get("MSA-1") == b"AR" and answer.get("ERR-3") == error
        peer.exchange("NEXT")


@pytest.mark.parametrize("result", [None, "AE", Ack("AR"), ValueError])
@pytest.mark.parametrize("payload", [b"", b"no header", b"FHS|^~\\&|A\r", b"MSH|"])
def test_payload_without_a_header_gets_no_answer(
    serve_both: Serve, records: Records, payload: bytes, result: object
) -> None:
    seen: list[bytes] = []

    def handler(message: Message) -> object:
        seen.append(message.payload)
        if message.payload == payload and isinstance(result, type):
            raise result(payload)
        return result if message.payload == payload else None

    server = serve_both(handler, policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(payload))
        # The next answer is the next message's.
        peer.exchange("NEXT")
    assert seen[0] == payload
    record = records.wait_for("no_answer")
    assert record.levelno == logging.WARNING
    assert "no" in record.fields["reason"]  # type: ignore[attr-defined]


def test_handler_describes_the_acknowledgment(serve_both: Serve) -> None:
    """The server decides on the level and on the form, the handler on the rest."""
    missing = Ack("AE", text="PID-5 missing", errors=[ErrorDetail(101, "PID", 1, 5)])
    server = serve_both(lambda message: missing, policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(asking("AL", "NE", "A")) + framed(asking("NE", "SU", "B")))
        peer.send(framed(asking("", "", "C")))
        for code, control_id in ((b"CE", b"A"), (b"AE", b"C")):
            answer = Message(peer.receive_frame())
            assert (answer.get("MSA-1"), answer.get("MSA-2")) == (code, control_id)
            assert answer.get("ERR-2") == b"PID^1^5" and answer.get("MSA-3") == b"PID-5 missing"
            assert answer.get("MSH-9") == b"ACK^A01^ACK"


def test_acknowledgment_of_the_handler_accepts_nothing_that_must_not_be(serve_both: Serve) -> None:
    server = serve_both(lambda message: Ack("AA", text="taken"), policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(BATCH))
        answer = Message(peer.receive_frame())
        assert answer.get("MSA-1") == b"AR" and answer.get("MSA-3") is None


def test_whole_acknowledgment_of_the_handler_goes_as_it_is(serve_both: Serve) -> None:
    server = serve_both(lambda message: acknowledgment("A"), policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(asking("NE", "NE", "A")) + framed(b"no header"))
        assert [peer.receive_frame(), peer.receive_frame()] == [acknowledgment("A")] * 2


@pytest.mark.parametrize("wrong", ["XX", 7, b""])
def test_wrong_result_becomes_an_error(serve_both: Serve, wrong: object) -> None:
    server = serve_both(lambda message: wrong, policy="conformant")
    with Peer.connect(server.address) as peer:
        peer.send(framed(asking("", "", "A")) + framed(asking("AL", "", "B")))
        peer.send(framed(asking("NE", "NE", "C")) + framed(asking("", "", "D")))
        answers = [peer.receive_msa() for _ in range(3)]
        assert answers == [("AE", "A"), ("CE", "B"), ("AE", "D")]


def test_always_is_not_disturbed(serve_both: Serve) -> None:
    server = serve_both()
    with Peer.connect(server.address) as peer:
        for payload in (asking("NE", "NE"), asking("", "", rest="MSA|AA|1\r"), BATCH, b""):
            peer.send(framed(payload))
            assert peer.receive_msa()[0] == "AA"
