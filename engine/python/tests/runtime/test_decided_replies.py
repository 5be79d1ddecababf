"""What becomes of deliveries by the letters of `reply_code_actions`."""

from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound, RetryPolicy
from partners import Partner, message
from running_engines import Feed, until

QUICK = RetryPolicy(max_attempts=2, backoff_seconds=0.01, max_backoff_seconds=0.01)


def start(feed: Feed, partner: Partner, table: str, codes: dict[bytes, str]) -> None:
    partner.code_of = lambda control_id: codes[control_id]  # type: ignore[method-assign]
    spec = MLLP(host="127.0.0.1", port=partner.port)
    feed.outbounds[0] = Outbound("OB_LAB", spec, retry=QUICK, reply_code_actions=table)
    feed.start()


def kinds(feed: Feed, number: int, wanted: str) -> list[str]:
    """What has happened at the partner, once this has."""

    def found() -> list[str]:
        events = feed.engine.journey(number).events
        return [it.kind for it in events if it.connection == "OB_LAB"]

    return until(found, lambda it: wanted in it)


def test_suspended_retried_warned_and_completed(feed: Feed, partner: Partner) -> None:
    codes = {b"M1": "AE", b"M2": "AR", b"M3": "CE", b"M4": "AA"}
    start(feed, partner, ":AE=S,:AR=RF,:CE=W,:?A=C", codes)
    feed.send(*(message(it.decode()) for it in codes))
    assert kinds(feed, 1, "held") == ["attempt", "held"]
    assert kinds(feed, 2, "dead") == ["attempt", "attempt", "dead"]
    assert kinds(feed, 3, "delivered") == ["warned", "delivered"]
    assert kinds(feed, 4, "delivered") == ["delivered"]
    found = [feed.engine.why(number).message.disposition for number in (1, 2, 3, 4)]
    assert found == ["ROUTED", "ERROR", "PROCESSED", "PROCESSED"]


def test_disabled_with_the_message_first(feed: Feed, partner: Partner) -> None:
    codes = {b"M1": "AE", b"M2": "AA"}
    start(feed, partner, ":?E=D", codes)
    feed.send(message("M1"), message("M2"))
    assert kinds(feed, 1, "gave_up") == ["attempt", "gave_up"]
    lane = next(it for it in feed.engine.status().lanes if it.stage == "outbound")
    assert lane.output is not None
    assert (lane.output.flow, lane.head, lane.depth) == ("stopped", 1, 2)
    assert len(partner.received) == 1
    codes[b"M1"] = "AA"
    feed.engine.switch("outbound", "OB_LAB", "output", "on", by="anna", because="repaired")
    arrived = partner.wait_for(3)
    assert [it.split(b"|")[9] for it in arrived] == [b"M1", b"M1", b"M2"]
