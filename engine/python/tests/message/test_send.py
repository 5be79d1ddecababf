"""`Send` takes the message as it is when it is made."""

import pytest
from fastmllp_engine import Message, RawMessage, Send

ADT = b"MSH|^~\\&|A||||||ADT^A01|1|P|2.5\rPID|1||2|||||F\r"


def test_a_change_between_two_sends_gives_two_messages() -> None:
    msg = Message(ADT)
    first = Send("OB_A", msg)
    msg["PID-8"] = "M"
    second = Send("OB_B", msg)
    msg["PID-8"] = "U"
    third = Send("OB_B", msg)
    assert [sent.payload[-2:-1] for sent in (first, second, third)] == [b"F", b"M", b"U"]
    assert first.payload is ADT
    assert (first.to, second.to) == ("OB_A", "OB_B")


def test_what_is_sent_cannot_be_changed_from_outside() -> None:
    sent = Send("OB", Message(ADT))
    message = sent.message
    assert isinstance(message, Message)
    message["PID-8"] = "M"
    for segment in message.segments("PID"):
        segment["3"] = "9"
    assert sent.payload == ADT
    with pytest.raises(AttributeError):
        sent.to = "OTHER"  # type: ignore[misc]


def test_everything_that_can_be_sent() -> None:
    raw = RawMessage(b"\0\xff")
    assert Send("OB", raw).payload == b"\0\xff" and Send("OB", raw).message == raw
    assert Send("OB", b"x").payload == b"x" and Send("OB", b"x").message == b"x"
    assert Send("OB", "ü").payload == b"\xc3\xbc"
    assert Send("OB", ADT.decode().replace("2.5", "2.5||||||8859/1|ü")).payload.count(b"\xfc") == 1
    for wrong in (None, 5, [b"x"], bytearray(b"x")):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            Send("OB", wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Send(5, b"x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name of an outbound"):
        Send("", b"x")


def test_sends_are_equal_when_they_send_the_same_to_the_same() -> None:
    assert Send("OB", Message(ADT)) == Send("OB", ADT) != Send("OTHER", ADT)
    assert Send("OB", b"SECRET") != Send("OB", b"x")
    assert repr(Send("OB", b"SECRET")) == "Send('OB', <6 bytes>)"


def test_control_ids_are_the_same_for_the_same_message() -> None:
    def made() -> list[str]:
        msg = Message(ADT)
        return [msg.new_control_id(), msg.copy().new_control_id(), msg.new_control_id()]

    assert made() == made()
    assert len(set(made())) == 3
    other = Message(ADT.replace(b"|1|P", b"|2|P"))
    assert other.new_control_id() not in made()
    assert all(len(name) <= 20 and name.isascii() for name in made())
