"""The server for other people's tests, with our client, python-hl7's, and bare sockets."""

import socket
import threading
from collections.abc import Iterator

import fastmllp
import hl7.client
import pytest
from conftest import Records
from fastmllp import Ack, Client, ConnectionLost, NoReply
from fastmllp.testing import MockServer
from peers import DEADLINE, Peer, acknowledgment, framed, message, msa, wait_until

SHORT = 0.1  # Of a client that waits in vain.


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def codes(server: MockServer, *names: str) -> list[str]:
    with Client(*server.address) as client:
        return [client.send(message(name)).code for name in names]


def test_everything_is_accepted_and_recorded(server: MockServer) -> None:
    assert server.address[0] == "127.0.0.1"
    assert codes(server, "A", "B") == ["AA", "AA"] and codes(server, "C") == ["AA"]
    assert server.messages == [fastmllp.Message(message(name)) for name in "ABC"]
    assert server.connections == 2 and server.deviations == []


def test_replies_in_their_order(server: MockServer) -> None:
    own = acknowledgment("D", "CA")
    server.reply("AE")
    server.reply(fastmllp.AckCode.AR)
    server.reply(Ack("CE", text="not stored"))
    server.reply(own)
    server.reply(acknowledgment("E", "CR").decode())
    with Client(*server.address) as client:
        replies = [client.send(message(name)) for name in "ABCDEF"]
    assert [reply.code for reply in replies] == ["AE", "AR", "CE", "CA", "CR", "AA"]
    assert [reply.control_id for reply in replies] == list("ABCDEF")
    assert b"not stored" in replies[2].payload and replies[3].payload == own


def test_always_and_next(server: MockServer) -> None:
    server.always.reply("AE")
    server.always.reply("AR")
    server.reply("CA")
    server.next(2).reply("CE")
    assert codes(server, *"ABCDE") == ["CA", "CE", "CE", "AR", "AR"]


def test_silence_concerns_one_message(server: MockServer) -> None:
    server.silence()
    with Client(*server.address, timeout=SHORT) as client, pytest.raises(NoReply):
        client.send(message("A"))
    with Peer.connect(server.address) as peer:
        server.silence()
        peer.send(framed(message("B")) + framed(message("C")))
        assert peer.receive_msa() == ("AA", "C")
    assert len(server.messages) == 3


def test_a_late_reply(server: MockServer) -> None:
    server.delay(SHORT, "AE")
    assert codes(server, "A", "B") == ["AE", "AA"]
    server.delay(3600)
    with Client(*server.address, timeout=SHORT) as client, pytest.raises(NoReply):
        client.send(message("C"))


def test_a_delay_does_not_delay_the_end() -> None:
    with MockServer() as server, Peer.connect(server.address) as peer:
        server.delay(3600)
        peer.send(framed(message("A")))
        server.messages.wait_for(1)
        server.close()
        assert peer.receive_end() == b""


@pytest.mark.parametrize("after", [0, 1, 20])
def test_cut(server: MockServer, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second message waits in the socket, and still the end is an orderly one.
    monkeypatch.setattr("fastmllp.testing.mock_server._READ_SIZE", len(framed(message("A"))))
    server.cut(after)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        assert peer.receive_end() == framed(acknowledgment("A"))[:after]
    server.cut(after)
    with Client(*server.address) as client:
        with pytest.raises(ConnectionLost):
            client.send(message("C"))
        assert client.send(message("D")).accepted
    assert server.connections == 3
    assert [m.header.message_control_id for m in server.messages] == [b"A", b"C", b"D"]


def test_cut_by_a_reset(server: MockServer) -> None:
    server.cut(reset=True)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        with pytest.raises(ConnectionResetError):
            peer.receive_end()


def test_foreign(server: MockServer, records: Records) -> None:
    server.foreign("AE")
    with Client(*server.address, timeout=SHORT) as client, pytest.raises(NoReply):
        client.send(message("A"))
    records.wait_for("foreign_reply")
    server.foreign(then="AR")
    server.foreign(then=acknowledgment("C"))
    assert codes(server, "B", "C") == ["AR", "AA"]
    records.wait_for("foreign_reply")
    server.foreign("CE", then="CA")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("D")))
        code, control_id = peer.receive_msa()
        assert code == "CE" and control_id not in ("D", "")
        assert peer.receive_msa() == ("CA", "D")


def test_twice(server: MockServer) -> None:
    server.twice("AR")
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")) + framed(message("B")))
        answers = [peer.receive_msa() for _ in range(3)]
    assert answers == [("AR", "A"), ("AR", "A"), ("AA", "B")]
    server.twice()
    assert codes(server, "C", "D") == ["AA", "AA"]


def test_split(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.split(7, "AE")
    assert codes(server, "A") == ["AE"]
    pieces: list[bytes] = []
    send = socket.socket.sendall
    monkeypatch.setattr(
        socket.socket, "sendall", lambda self, data: pieces.append(data) or send(self, data)
    )
    server.split(50)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("B")))
        answer = peer.receive_frame()
    assert pieces[0] == framed(message("B")) and b"".join(pieces[1:]) == framed(answer)
    assert [len(piece) for piece in pieces[1:-1]] == [50] * (len(answer) // 50)
    assert len(pieces) > 2


def test_split_to_single_bytes(server: MockServer) -> None:
    server.always.split(1)
    assert codes(server, *"ABC") == ["AA"] * 3


def test_an_answer_that_cannot_be_sent_fails_where_it_is_asked_for(server: MockServer) -> None:
    with pytest.raises(fastmllp.AckError):
        server.reply("XX")
    with pytest.raises(fastmllp.AckError):
        server.foreign("XX")
    with pytest.raises(fastmllp.FrameError):
        server.always.reply(b"MSH\x1c")
    with pytest.raises(ValueError, match="size"):
        server.split(0)
    assert codes(server, "A") == ["AA"]


def test_what_the_server_could_not_do_is_raised_at_its_end() -> None:
    server = MockServer()
    server.reply(Ack("AA", policy="conformant"))
    with Peer.connect(server.address) as peer:
        peer.send(framed(b"no header"))
        assert peer.receive_end() == b""
    with pytest.raises(fastmllp.MessageError):
        server.close()
    server.close()


def test_deviations(server: MockServer) -> None:
    with Peer.connect(server.address) as peer:
        peer.send(b"junk" + framed(message("A"))[:-1] + b"\n" + framed(message("\x0bB")) + b"\r\n")
        assert peer.receive_msa()[0] == peer.receive_msa()[0] == "AA"
        peer.send(b"\x0bMSH")
        peer.half_close()
        peer.receive_end()
    assert server.deviations == ["discarded", "missing_cr", "sb_in_payload", "truncated"]
    assert len(server.messages) == 2


def test_wait_for(server: MockServer) -> None:
    def send() -> None:
        codes(server, *"ABC")

    server.delay(SHORT)
    thread = threading.Thread(target=send)
    thread.start()
    first = server.messages.wait_for(2, timeout=3600)
    assert [m.header.message_control_id for m in first] == [b"A", b"B"]
    thread.join(DEADLINE)
    with pytest.raises(AssertionError, match=r"3 of 4 messages came within 0\.01 s"):
        server.messages.wait_for(4, timeout=0.01)
    server.messages.clear()
    assert server.messages.wait_for(0) == []


def test_the_end_of_a_server() -> None:
    before = threading.active_count()
    with MockServer() as server:
        with Peer.connect(server.address) as idle, Peer.connect(server.address) as deaf:
            server.always.reply(b"MSH|" + bytes(50_000_000))  # More than any socket takes at once.
            deaf.send(framed(message("A")))
            server.messages.wait_for(1)
            wait_until(lambda: server.connections == 2, "both are accepted")
            server.close()
            assert idle.receive_end() == b""
        server.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=DEADLINE)


def test_a_server_that_does_not_stop_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    entered = threading.Event()

    server = MockServer()
    monkeypatch.setattr("fastmllp.testing.mock_server._STOP_SECONDS", 0.05)

    def encode(self: object, payload: bytes) -> bytes:
        entered.set()
        released.wait(DEADLINE)
        return payload

    monkeypatch.setattr("fastmllp.testing.mock_server._Reply.encode", encode)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        assert entered.wait(DEADLINE)
        with pytest.raises(AssertionError, match="did not stop"):
            server.close()
        released.set()
        server.close()


def test_python_hl7(server: MockServer) -> None:
    server.reply("AE")
    server.split(1)
    with hl7.client.MLLPClient(*server.address) as client:
        client.socket.settimeout(DEADLINE)
        answers = [client.send_message(message(name).decode()) for name in "AB"]
    assert [msa(answer[1:-2]) for answer in answers[:1]] == [("AE", "A")]
    assert answers[1].startswith(b"\x0b") and server.messages[1].payload == message("B")
