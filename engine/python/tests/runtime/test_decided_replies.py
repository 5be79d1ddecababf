"""What becomes of deliveries by the letters of `reply_code_actions`."""

import contextlib
import socket

from fastmllp_engine._native import LaneState
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound, RetryPolicy
from partners import Partner, frame, message, read_frame
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

    def lane() -> LaneState:
        return next(it for it in feed.engine.status().lanes if it.stage == "outbound")

    found = until(lane, lambda it: it.depth == 2)
    assert found.output is not None
    assert (found.output.flow, found.head) == ("stopped", 1)
    assert len(partner.received) == 1
    codes[b"M1"] = "AA"
    feed.engine.switch("outbound", "OB_LAB", "output", "on", by="anna", because="repaired")
    arrived = partner.wait_for(3)
    assert [it.split(b"|")[9] for it in arrived] == [b"M1", b"M1", b"M2"]


class Bare(Partner):
    """Answers without MSA, or with a code of its own, which names no message."""

    code_of_its_own: str | None = None

    def _serve(self, connection: socket.socket) -> None:
        rest = bytearray()
        with contextlib.suppress(OSError):
            while (payload := read_frame(connection, rest)) is not None:
                name = payload.split(b"|")[9].decode()
                own = f"MSA|{self.code_of_its_own}|{name}\r" if self.code_of_its_own else ""
                answer = f"MSH|^~\\&|LAB||HIS||2026||ACK|L1|P|2.5\r{own}"
                connection.sendall(frame(answer.encode()))


def test_an_answer_without_a_code_decides_for_the_only_one_that_waits(feed: Feed) -> None:
    partner = Bare()
    start(feed, partner, ":~=C,:_=F,:*=S", {})
    feed.send(message("M1"))
    assert kinds(feed, 1, "delivered") == ["delivered"]
    partner.code_of_its_own = "ZZ"
    feed.send(message("M2"))
    assert kinds(feed, 2, "held") == ["attempt", "held"]
    partner.close()


class BareOnce(Partner):
    """Answers the first four messages with one frame without MSA and ends the connection."""

    def _serve(self, connection: socket.socket) -> None:
        if len(self._connections) > 1:
            super()._serve(connection)
            return
        rest = bytearray()
        with contextlib.suppress(OSError):
            for _ in range(4):
                read_frame(connection, rest)
            connection.sendall(frame(b"MSH|^~\\&|LAB||HIS||2026||ACK|L1|P|2.5\r"))
            connection.shutdown(socket.SHUT_RDWR)


def test_an_answer_without_a_code_completes_none_of_several(feed: Feed) -> None:
    partner = BareOnce()
    spec = MLLP(host="127.0.0.1", port=partner.port)
    feed.outbounds[0] = Outbound("OB_LAB", spec, retry=QUICK, reply_code_actions=":~=C", window=4)
    feed.start()
    feed.engine.switch("outbound", "OB_LAB", "output", "paused", by="anna", because="")
    feed.send(*(message(f"M{number}") for number in range(1, 5)))
    feed.engine.switch("outbound", "OB_LAB", "output", "on", by="anna", because="")
    for number in range(1, 5):
        assert kinds(feed, number, "delivered") == ["attempt", "delivered"]
    assert len(partner.wait_for(4)) == 4
    partner.close()
