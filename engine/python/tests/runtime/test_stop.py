"""What senders and partners see when the engine stops."""

import socket

from partners import END, START, Partner, frame, message, read_frame
from running_engines import Feed, until


def test_an_idle_connection_ends_and_no_other_is_accepted(feed: Feed) -> None:
    feed.start()
    address = feed.engine.address("IB_ADT")
    with socket.create_connection(address, timeout=20) as idle:
        idle.sendall(frame(message("M1")))
        assert read_frame(idle, bytearray()) is not None
        feed.close()
        assert idle.recv(1) == b""
    with socket.socket() as late:
        late.settimeout(20)
        assert late.connect_ex(address) != 0


def test_half_a_message_is_neither_stored_nor_answered(feed: Feed) -> None:
    feed.start()
    with socket.create_connection(feed.engine.address("IB_ADT"), timeout=20) as sender:
        sender.sendall(frame(message("M1")) + START + message("M2"))
        assert b"MSA|AA|M1" in (read_frame(sender, bytearray()) or b"")
        feed.close()
        assert END not in sender.recv(1000)
    feed.start()
    assert [it.control_id for it in feed.engine.search().messages] == ["M1"]


def test_a_delivery_without_an_answer_is_sent_again_after_the_next_start(
    feed: Feed, partner: Partner
) -> None:
    partner.code = None
    feed.start()
    feed.send(message("M1"))
    partner.wait_for(1)
    feed.close()
    partner.code = "AA"
    feed.start()
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "PROCESSED")
    assert partner.wait_for(2) == [message("M1")] * 2
    assert "possibly sent before" in feed.engine.journey(1).text
