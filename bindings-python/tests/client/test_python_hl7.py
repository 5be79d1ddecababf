"""Against an implementation that is not ours: python-hl7 as client and as server."""

import asyncio
import socket
import threading

import hl7.client
import hl7.mllp
from conftest import Serve
from fastmllp.client import Client
from peers import DEADLINE, message, msa


def test_its_client_and_our_server(serve_both: Serve) -> None:
    server = serve_both()
    with hl7.client.MLLPClient(*server.address) as client:
        client.socket.settimeout(DEADLINE)
        for number in range(50):
            answer: bytes = client.send_message(message(f"MSG{number}").decode())
            assert answer.startswith(b"\x0b") and answer.endswith(b"\x1c\r")
            assert msa(answer[1:-2]) == ("AA", f"MSG{number}")


def test_our_client_and_its_server() -> None:
    started = threading.Event()
    address: list[tuple[str, int]] = []
    received: list[str] = []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def on_connection(reader: object, writer: object) -> None:
        try:
            while True:
                parsed = await reader.readmessage()  # type: ignore[attr-defined]
                received.append(str(parsed))
                code = "AR" if str(parsed["MSH.F10"]) == "REFUSED" else "AA"
                writer.writemessage(parsed.create_ack(code))  # type: ignore[attr-defined]
                await writer.drain()  # type: ignore[attr-defined]
        except asyncio.IncompleteReadError:
            writer.close()  # type: ignore[attr-defined]

    async def serve_until_stopped() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        stopped = asyncio.Event()
        server = await hl7.mllp.start_hl7_server(on_connection, sock=listener)
        address.append(listener.getsockname())
        stop.append((asyncio.get_running_loop(), stopped))
        started.set()
        await stopped.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve_until_stopped()))
    thread.start()
    assert started.wait(DEADLINE)
    try:
        with Client(*address[0]) as client:
            replies = [client.send(message(f"MSG{number}")) for number in range(50)]
            refused = client.send(message("REFUSED"))
    finally:
        loop, stopped = stop[0]
        loop.call_soon_threadsafe(stopped.set)
        thread.join(DEADLINE)
    assert [(reply.code, reply.control_id) for reply in replies] == [
        ("AA", f"MSG{number}") for number in range(50)
    ]
    assert (refused.code, refused.accepted) == ("AR", False)
    assert received[0].encode() == message("MSG0").rstrip(b"\r") + b"\r"
    assert len(received) == 51
