"""What becomes of a message on two sides, counted."""

import pytest
from fastmllp_engine.comparison import Difference, Outcome, Tally

A = b"MSH|^~\\&|HIS|KH|LAB|KH|20261130||ADT^A08|M1|P|2.5\rPV1|1|I|W1^4\r"
B = A.replace(b"W1", b"W2")


def sent(*names: str, payload: bytes = A) -> Outcome:
    return Outcome(tuple(("h", name, payload) for name in names))


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (sent(), sent(), "same"),
        (sent("X", "Y"), sent("Y", "X"), "same"),
        (sent("X"), sent("X", payload=B), "differ"),
        (sent("X"), sent("X", "Y"), "only_new"),
        (sent("X", "X"), sent("X"), "only_old"),
        (sent("X"), sent("Y"), "differ"),
        (Outcome(failure="E at a.py:1 in h"), Outcome(failure="E at a.py:2 in h"), "same"),
        (Outcome(failure="E at a.py:1 in h"), Outcome(failure="F at a.py:1 in h"), "differ"),
        (Outcome(failure="E at a.py:1 in h"), sent(), "differ"),
        (Outcome(known=False), sent("X"), "only_new"),
        (Outcome(known=False), Outcome(known=False), "not_comparable"),
    ],
)
def test_each_message_has_one_verdict(old: Outcome, new: Outcome, verdict: str) -> None:
    tally = Tally()
    tally.add(1, "IB", old, new)
    assert tally.verdicts == {verdict: 1}
    assert tally.total == 1
    assert tally.differs == (verdict not in ("same", "not_comparable"))


def test_the_first_example_of_each_field_is_kept() -> None:
    tally = Tally()
    for number in (7, 8):
        found = tally.add(number, "IB", sent("X"), sent("X", payload=B))
    assert found == [Difference("X", A, B, ("PV1-3.1",))]
    place = tally.outbounds["X"]
    assert [(path, it.count, it.example) for path, it in place.paths.items()] == [("PV1-3.1", 2, 7)]
