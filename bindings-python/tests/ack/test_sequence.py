"""Sequence numbers (2.9.1): what the sender does, and both sides against each other."""

from typing import Any

import pytest
from fastmllp.ack import SequenceAction, SequenceReceiver


@pytest.mark.parametrize(
    ("sent", "msa_4", "name", "number"),
    [
        (7, b"8", "continue", None),
        (1, b"2", "continue", None),
        (7, b"6", "restart_from", 6),
        (7, b"1", "restart_from", 1),
        # Refused, and yet the number that it says it expects.
        (7, b"7", "freeze", None),
        (7, b"9", "freeze", None),
        (7, b"0", "freeze", None),
        (7, b"-1", "freeze", None),
        (7, b"", "freeze", None),
        (7, b"x", "freeze", None),
        (7, b" 6", "freeze", None),
        (7, b"+6", "freeze", None),
        (7, b"6.0", "freeze", None),
        (7, b"-", "freeze", None),
        (7, b"9223372036854775808", "freeze", None),
        (2**63 - 1, b"9223372036854775807", "freeze", None),
        (2**63 - 1, b"9223372036854775806", "restart_from", 2**63 - 2),
        (2**63 - 2, b"9223372036854775807", "continue", None),
        (-(2**63), b"1", "freeze", None),
    ],
)
def test_after_refusal(sent: int, msa_4: bytes, name: str, number: int | None) -> None:
    for argument in (msa_4, bytearray(msa_4), memoryview(msa_4)):
        action = SequenceAction.after_refusal(sent, argument)
        assert (action.name, action.number) == (name, number)


def test_a_lost_acknowledgment() -> None:
    receiver = SequenceReceiver(3)
    assert receiver.receive(b"3") == (True, 3)
    # The sender did not hear of it and sends the same message again.
    fits, expected = receiver.receive(b"3")
    assert not fits
    action = SequenceAction.after_refusal(3, str(expected).encode())
    assert action.name == "continue"
    assert receiver.receive(b"4") == (True, 4)


def test_lost_messages_are_sent_again() -> None:
    receiver = SequenceReceiver(3)
    fits, expected = receiver.receive(b"6")
    assert not fits
    action = SequenceAction.after_refusal(6, str(expected).encode())
    assert action.number == 3
    for number in range(action.number, 7):
        assert receiver.receive(str(number).encode()) == (True, number)


def test_actions_are_values() -> None:
    go_on = SequenceAction.after_refusal(7, b"8")
    restart = SequenceAction.after_refusal(7, b"6")
    freeze = SequenceAction.after_refusal(7, b"")
    assert go_on == SequenceAction.after_refusal(1, b"2")
    assert restart == SequenceAction.after_refusal(9, b"6")
    assert restart != SequenceAction.after_refusal(7, b"5")
    assert len({go_on, restart, freeze, SequenceAction.after_refusal(7, b"6")}) == 3
    assert go_on != "continue"
    assert repr(go_on) == "SequenceAction(continue)"
    assert repr(restart) == "SequenceAction(restart_from, 6)"
    assert repr(freeze) == "SequenceAction(freeze)"


def test_actions_are_frozen() -> None:
    action: Any = SequenceAction.after_refusal(7, b"6")
    for name in ("name", "number", "other"):
        with pytest.raises(AttributeError):
            setattr(action, name, 1)
    make: Any = SequenceAction
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    ("sent", "msa_4", "error"),
    [
        (2**63, b"1", OverflowError),
        (-(2**63) - 1, b"1", OverflowError),
        ("7", b"8", TypeError),
        (7.0, b"8", TypeError),
        (7, "8", TypeError),
        (7, 8, TypeError),
        (7, None, TypeError),
    ],
)
def test_arguments_of_other_kinds(sent: Any, msa_4: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        SequenceAction.after_refusal(sent, msa_4)
