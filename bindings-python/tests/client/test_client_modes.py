"""What a message asks for in MSH-15 and MSH-16, and what its client waits for and returns."""

import logging
import socket
import threading

import fastmllp
import pytest
from commands import place
from conftest import ClientClass, Records, Run, Serve
from fastmllp.client import ConnectionLost, NoReply, Reply
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, not_before


def asking(accept: str, application: str, control_id: str = "A") -> bytes:
    """A message with MSH-15 and MSH-16."""
    header = f"MSH|^~\\&|SENDER|SFAC|RECEIVER|RFAC|20240131120000||ADT^A01|{control_id}|P|2.5|||"
    return f"{header}{accept}|{application}\rPID|1||4711\r".encode()


def ack(code: str, control_id: str = "A") -> bytes:
    return framed(acknowledgment(control_id, code))


# CA: stored.


@pytest.mark.parametrize("wait_for", ["application", "accept"])
@pytest.mark.parametrize("with_reset", [False, True])
def test_stored_and_the_connection_ends(
    client_class: ClientClass, wait_for: str, with_reset: bool
) -> None:
    """Without an end of the time: what could still come, cannot come here."""

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == asking("AL", "AL")
        peer.send(ack("CA"))
        if with_reset:
            assert taken.wait(DEADLINE) or wait_for == "application"
            peer.reset()

    taken = threading.Event()
    if wait_for == "application":
        taken.set()
    with ScriptedServer(script) as server:
        with client_class(*server.address, timeout=0, wait_for=wait_for) as client:
            reply = client.send(asking("AL", "AL"))
            taken.set()
    assert (reply.code, reply.accepted, reply.stored, reply.unasked) == ("CA", True, True, False)
    assert reply.payload == acknowledgment("A", "CA")


def test_stored_and_nothing_follows(client_class: ClientClass) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))
        # The connection is as good as before.
        assert peer.receive_frame() == asking("AL", "NE", "B")
        peer.send(ack("CA", "B"))
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server:
        with client_class(*server.address, timeout=0.3) as client:
            with not_before(0.2):
                assert client.send(asking("AL", "AL")).stored
            assert client.send(asking("AL", "NE", "B")).stored
            finished.set()


@pytest.mark.parametrize("code", ["AA", "AE"])
@pytest.mark.parametrize("wait_for", ["application", "accept"])
def test_both_in_one_read(client_class: ClientClass, code: str, wait_for: str) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA") + ack(code))

    with ScriptedServer(script) as server:
        with client_class(*server.address, timeout=0, wait_for=wait_for) as client:
            reply = client.send(asking("AL", "AL"))
    assert (reply.code, reply.stored) == (code, False)


def test_the_answer_of_the_application_after_a_while(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))
        assert not threading.Event().wait(0.05)
        peer.send(ack("AE"))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(asking("AL", "AL")).code == "AE"


def test_accept_is_enough(client_class: ClientClass, records: Records) -> None:
    """And the answer of the application, when it comes all the same, meets no other message."""
    first, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))
        assert first.wait(DEADLINE)
        peer.send(ack("AE"))
        sent.set()
        assert peer.receive_frame() == asking("AL", "AL", "B")
        peer.send(ack("CA", "B"))

    with ScriptedServer(script) as server:
        with client_class(*server.address, timeout=0, wait_for="accept") as client:
            assert client.send(asking("AL", "AL")).stored
            first.set()
            assert sent.wait(DEADLINE)
            assert client.send(asking("AL", "AL", "B")).control_id == "B"
    assert not [it for it in records.all() if it.levelno > logging.INFO]


def test_the_one_liner_ends_with_the_accept_acknowledgment() -> None:
    ended = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))
        peer.receive_end()
        ended.set()

    with ScriptedServer(script) as server:
        payload = fastmllp.send(*server.address, asking("AL", "AL"), timeout=0)
        assert ended.wait(DEADLINE)
    assert payload == acknowledgment("A", "CA")


def test_a_commit_error_is_no_storage(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CE"))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        reply = client.send(asking("AL", "AL"))
    assert (reply.code, reply.accepted, reply.stored) == ("CE", False, False)


def test_a_stored_message_is_never_sent_again(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))

    def other(peer: Peer) -> None:
        assert peer.receive_frame() == asking("AL", "AL", "B")
        peer.send(ack("AA", "B"))

    with ScriptedServer(script, other) as server, client_class(*server.address) as client:
        assert client.send(asking("AL", "AL")).stored
        assert client.send(asking("AL", "AL", "B")).code == "AA"


@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_own_client_and_own_server(serve: Serve, client_class: ClientClass, policy: str) -> None:
    server = serve(policy=policy)
    with client_class(*server.address, timeout=1) as client:
        reply = client.send(asking("AL", "AL"))
    assert reply.accepted and reply.stored == (policy == "conformant")


def test_closed_while_it_waits_for_the_application(client_class: ClientClass) -> None:
    """What is known is not lost: the message was stored."""
    if client_class is fastmllp.Client:
        pytest.skip("a thread that closes ends the connection, which another test does")
    stored = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("CA"))
        stored.set()
        peer.receive_end()

    replies: list[Reply] = []
    with ScriptedServer(script) as server:
        client = client_class(*server.address, timeout=0)
        thread = threading.Thread(
            target=lambda: replies.append(client.send(asking("AL", "AL"))), daemon=True
        )
        thread.start()
        assert stored.wait(DEADLINE)
        while thread.is_alive():
            client.close()
            thread.join(0.05)
    assert replies[0].stored


# Nothing: no answer asked for.


def test_silence_that_was_asked_for(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        for control_id in "ABC":
            assert peer.receive_frame() == asking("NE", "NE", control_id)
        assert peer.receive_end() == b""

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0) as client:
        for control_id in "ABC":
            reply = client.send(asking("NE", "NE", control_id))
            assert (reply.code, reply.accepted, reply.payload) == ("", True, b"")
            assert reply.unasked and not reply.stored and reply.text == "no answer asked for"
            assert repr(reply) == "Reply(code='', accepted=True, payload_len=0)"


def test_an_answer_to_what_asked_for_none(client_class: ClientClass, records: Records) -> None:
    """It disturbs nothing, and nobody is warned of it."""
    answered, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        assert answered.wait(DEADLINE)
        peer.send(ack("AA"))
        sent.set()
        peer.receive_frame()
        peer.send(ack("AA", "B"))

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        assert client.send(asking("NE", "NE")).unasked
        answered.set()
        assert sent.wait(DEADLINE)
        assert client.send(asking("", "", "B")).code == "AA"
    assert not [it for it in records.all() if it.levelno > logging.INFO]


def test_errors_only(client_class: ClientClass) -> None:
    """A refusal comes, or the time passes in silence, which is the success."""

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(ack("AE"))
        peer.receive_frame()
        peer.receive_end()

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.3) as client:
        assert client.send(asking("NE", "ER")).code == "AE"
        assert client.send(asking("NE", "ER", "B")).unasked


@pytest.mark.parametrize("count", [1, 12])
def test_everything_has_left_when_the_client_closes(client_class: ClientClass, count: int) -> None:
    """The server answers what asked for no answer. A reset would cost what it has not read yet."""
    proceed = threading.Event()
    messages = [
        asking("NE", "NE", f"M{number}") + b"NTE|1||" + b"x" * 20_000 + b"\r"
        for number in range(count)
    ]

    def script(peer: Peer) -> None:
        # Most of it stays in the buffer of the sender.
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        assert proceed.wait(DEADLINE)
        for number in range(count):
            assert peer.receive_frame() == messages[number]
            peer.send(ack("AA", f"M{number}"))
        assert peer.receive_end() == b""

    with ScriptedServer(script) as server:
        client = client_class(*server.address, timeout=DEADLINE)
        for one in messages:
            assert client.send(one).unasked
        proceed.set()
        client.close()


@pytest.mark.parametrize("asked", [("", ""), ("AL", "NE"), ("SU", "NE"), ("NE", "AL")])
def test_silence_that_was_not_asked_for(client_class: ClientClass, asked: tuple[str, str]) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server, client_class(*server.address, timeout=0.2) as client:
        with pytest.raises(NoReply) as caught:
            client.send(asking(*asked))
        finished.set()
    assert caught.value.fate == "uncertain"


def test_wait_for_is_checked(client_class: ClientClass) -> None:
    with pytest.raises(ValueError, match="wait_for"):
        client_class("127.0.0.1", 2575, wait_for="both")


# The command.


@pytest.mark.parametrize("window", [1, 8])
def test_the_command_sends_all_that_ask_for_nothing(serve: Serve, run: Run, window: int) -> None:
    received: list[bytes] = []
    server = serve(lambda message: received.append(message.payload), policy="conformant")
    names = [f"M{number}" for number in range(20)]
    lines = b"".join(asking("NE", "NE", name) for name in names)
    options = ["--json", "--window", window, *place(server.address)]
    result = run("send", *options, "-", stdin=lines)
    assert (result.returncode, result.stderr) == (0, b"")
    *rows, summary = map(_json, result.stdout.splitlines())
    assert [row["fate"] for row in rows] == ["unasked"] * 20
    assert summary["summary"]["accepted"] == summary["summary"]["unasked"] == 20
    assert received == [asking("NE", "NE", name) for name in names]


def _json(line: bytes) -> dict[str, object]:
    import json

    return dict(json.loads(line))


@pytest.mark.parametrize("window", [1, 8])
def test_the_command_ends_with_the_accept_acknowledgment(
    serve: Serve, run: Run, window: int
) -> None:
    server = serve(policy="conformant")
    lines = asking("AL", "AL", "A") + asking("AL", "AL", "B")
    options = ["--window", window, "--timeout", 0, *place(server.address)]
    result = run("send", *options, "-", stdin=lines)
    assert result.returncode == 0
    last = result.stdout.decode().splitlines()[-1]
    assert "2 accepted" in last and "2 stored without an answer of the application" in last


# What is known of a message that has failed.


def test_what_is_known_of_a_message_that_has_failed(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()

    with ScriptedServer(script) as server, client_class(*server.address) as client:
        with pytest.raises(ConnectionLost) as caught:
            client.send(asking("AL", "AL"))
        assert caught.value.fate == "uncertain"
    with pytest.raises(fastmllp.ConnectError) as refused:
        client.send(asking("AL", "AL"))
    assert refused.value.fate == "not_sent"
    assert fastmllp.ReplyTooLarge("").fate == "uncertain"
