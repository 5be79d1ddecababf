"""For every message that is not final there is one reason at each place: each is caused here."""

import threading
from typing import Any

from fastmllp_engine._native import Answer
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound, RetryPolicy, Send
from partners import Partner, message
from running_engines import Feed, until


def one(feed: Feed, number: int, reason: str, place: str = "OB_LAB") -> Answer:
    """The answer about a place, once its reason is this: there is one answer for each place."""

    def found() -> Answer | None:
        why = feed.engine.why(number)
        here = [it for it in why.answers if it.place == place] if why else []
        assert len(here) <= 1, [(it.place, it.reason) for it in here]
        return here[0] if here and here[0].reason == reason else None

    answer = until(found)
    assert answer is not None
    disposition = feed.engine.why(number).message.disposition
    assert disposition in ("RECEIVED", "ROUTED"), disposition
    assert feed.engine.why(number).text.count("\n") == len(feed.engine.why(number).answers)
    return answer


def partner_of(feed: Feed, port: int, **options: Any) -> None:
    feed.outbounds[0] = Outbound("OB_LAB", MLLP(host="127.0.0.1", port=port), **options)


def test_the_partner_is_not_connected(feed: Feed, partner: Partner) -> None:
    partner.close()
    feed.start()
    feed.send(message("M1"))
    answer = one(feed, 1, "not_connected")
    assert answer.because
    assert answer.at
    until(lambda: one(feed, 1, "not_connected").due)


def test_a_partner_that_cannot_be_reached_costs_no_attempt(feed: Feed, partner: Partner) -> None:
    port = partner.port
    partner.close()
    spec = MLLP(host="127.0.0.1", port=port, reconnect_seconds=0.01, max_reconnect_seconds=0.05)
    feed.outbounds[0] = Outbound("OB_LAB", spec, retry=RetryPolicy(max_attempts=1))
    feed.start()
    feed.send(message("M1"))
    # Each attempt to connect has a time of its own.
    tried: set[int | None] = set()

    def count() -> int:
        tried.add(one(feed, 1, "not_connected").due)
        return len(tried)

    until(count, lambda it: it >= 5)
    again = Partner(port)
    assert [it.split(b"|")[9] for it in again.wait_for(1)] == [b"M1"]
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "PROCESSED")
    again.close()


def test_the_lane_is_stopped_or_paused_by_somebody(feed: Feed) -> None:
    feed.start()
    for flow, reason in (("stopped", "stopped"), ("paused", "paused")):
        feed.engine.switch("outbound", "OB_LAB", "output", flow, by="anna", because="upgrade")
        if reason == "stopped":
            feed.send(message("M1"))
        answer = one(feed, 1, reason)
        assert (answer.by, answer.because) == ("anna", "upgrade")
        assert answer.at


def test_the_partner_has_not_answered(feed: Feed, partner: Partner) -> None:
    partner.code = None
    feed.start()
    feed.send(message("M1"))
    one(feed, 1, "with_partner")


def test_the_head_was_refused_for_now_and_others_wait_behind(feed: Feed, partner: Partner) -> None:
    partner.code, partner.text = "AE", "lab system busy"
    retry = RetryPolicy(backoff_seconds=300.0)
    partner_of(feed, partner.port, retry=retry)
    feed.start()
    feed.send(message("M1"), message("M2"))
    answer = one(feed, 1, "retries")
    assert (answer.attempts, answer.limit, answer.failure) == (1, 100, "refused_for_now")
    assert answer.due
    assert answer.said is not None
    assert "lab system busy" in answer.said
    assert answer.due_in
    behind = one(feed, 2, "behind")
    assert (behind.message, behind.before, behind.attempts) == (1, 1, 1)


def test_a_delivery_is_held(feed: Feed, partner: Partner) -> None:
    partner.code = "AR"
    partner_of(feed, partner.port, then="held")
    feed.start()
    feed.send(message("M1"))
    assert one(feed, 1, "held").failure == "refused_for_good"


def test_an_operator_holds_the_head(feed: Feed, partner: Partner) -> None:
    partner.code = None
    partner.close()
    feed.start()
    feed.send(message("M1"))
    one(feed, 1, "not_connected")
    feed.engine.hold_head("OB_LAB", by="anna", because="asks the ward")
    answer = one(feed, 1, "held")
    assert (answer.by, answer.because) == ("anna", "asks the ward")


def test_the_lane_has_stopped_itself(feed: Feed, partner: Partner) -> None:
    partner.code = "AR"
    partner_of(feed, partner.port, then="stop")
    feed.start()
    feed.send(message("M1"))
    answer = one(feed, 1, "stopped")
    assert (answer.by, answer.because) == (None, "refused_for_good")


def test_a_message_waits_for_its_key(feed: Feed, partner: Partner) -> None:
    partner.code = None
    partner_of(feed, partner.port, key="PID-3.1", window=4)
    feed.start()
    feed.send(message("M1", patient="A"), message("M2", patient="B"), message("M3", patient="A"))
    assert one(feed, 3, "shares_key").message == 1
    one(feed, 1, "with_partner")
    one(feed, 2, "with_partner")


def test_as_many_are_unanswered_as_may_be(feed: Feed, partner: Partner) -> None:
    partner.code = None
    partner_of(feed, partner.port, key="PID-3.1", window=2)
    feed.start()
    feed.send(*(message(f"M{number}", patient=f"P{number}") for number in range(3)))
    assert one(feed, 3, "window_full").limit == 2


def test_a_lane_is_full(feed: Feed, partner: Partner) -> None:
    partner.close()
    partner_of(feed, partner.port, capacity_messages=1)
    feed.start()
    feed.send(*(message(f"M{number}") for number in range(12)))

    def full() -> list[Answer]:
        every = [feed.engine.why(number) for number in range(1, 13)]
        return [it for why in every for it in why.answers if it.reason == "full"]

    assert until(full)[0].lane == "OB_LAB"


def test_an_outbound_is_no_longer_configured(feed: Feed) -> None:
    feed.outbounds.append(Outbound("OB_OLD", MLLP(host="127.0.0.1", port=1)))
    feed.handlers["to_lab"] = lambda payload: Send("OB_OLD", payload)
    feed.start()
    feed.send(message("M1"))
    one(feed, 1, "not_connected", "OB_OLD")
    del feed.outbounds[1]
    feed.handlers["to_lab"] = lambda payload: Send("OB_LAB", payload)
    feed.start()
    one(feed, 1, "orphaned", "OB_OLD")


def test_a_handler_runs_and_its_lane_is_behind(feed: Feed) -> None:
    goes_on = threading.Event()
    begun = threading.Event()

    def to_lab(payload: bytes) -> Send:
        begun.set()
        goes_on.wait(30)
        return Send("OB_LAB", payload)

    feed.handlers["to_lab"] = to_lab
    feed.start()
    feed.send(message("M1"))
    assert begun.wait(20)
    feed.send(message("M2"))
    assert one(feed, 1, "running", "to_lab").at
    why = feed.engine.why(2)
    assert [(it.place, it.reason, it.message) for it in why.answers] in (
        [("to_lab", "behind", 1)],
        [("IB_ADT", "next", None)],
        [("IB_ADT", "behind", 1)],
    )
    goes_on.set()
    until(lambda: feed.engine.why(2).message.disposition, lambda it: it == "PROCESSED")


def test_a_handler_is_stopped(feed: Feed) -> None:
    feed.start()
    feed.engine.switch("routed", "to_lab", "output", "stopped", by="anna", because="wrong code")
    feed.send(message("M1"))
    assert one(feed, 1, "stopped", "to_lab").by == "anna"


def test_of_two_destinations_one_waits(feed: Feed, partner: Partner) -> None:
    feed.outbounds.append(Outbound("OB_BILL", MLLP(host="127.0.0.1", port=1)))
    feed.handlers["to_bill"] = lambda payload: Send("OB_BILL", payload)
    feed.routers["adt"] = lambda payload: ("to_lab", "to_bill")
    feed.start()
    feed.send(message("M1"))
    one(feed, 1, "delivered")
    one(feed, 1, "not_connected", "OB_BILL")


def test_final_messages_say_what_became_of_them(feed: Feed, partner: Partner) -> None:
    partner.code = "AR"
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "ERROR")
    (answer,) = feed.engine.why(1).answers
    assert (answer.reason, answer.failure) == ("dead", "refused_for_good")
