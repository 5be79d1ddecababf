"""Against further implementations that are not ours: hl7apy, and an MLLP sender in Node."""

import os
import shutil
import subprocess
import threading

import pytest
from conftest import Serve
from fastmllp.client import Client
from hl7apy.mllp import AbstractHandler, MLLPServer
from peers import DEADLINE, message

# No package of npm, which this machine might not reach: Node's own sockets, as its users write it.
NODE_SENDER = """
const net = require("net");
const [port, count] = process.argv.slice(2).map(Number);
const socket = net.connect(port, "127.0.0.1");
let sent = 0, received = "";
const send = () => socket.write(
  "\\x0bMSH|^~\\\\&|NODE|N|HIS|H|20260101||ADT^A01|N" + sent++ + "|P|2.5\\rPID|1||1\\r\\x1c\\r");
socket.on("connect", send);
socket.on("data", (chunk) => {
  received += chunk.toString("latin1");
  for (let end; (end = received.indexOf("\\x1c\\r")) >= 0; received = received.slice(end + 2)) {
    console.log(received.slice(0, end).split("\\r")[1]);
    if (sent < count) send(); else socket.end();
  }
});
"""


class Acknowledge(AbstractHandler):  # type: ignore[misc]
    def reply(self) -> str:
        name = self.incoming_message.split("|")[9]
        return f"\x0bMSH|^~\\&|B|B|A|A|2026||ACK|1|P|2.5\rMSA|AA|{name}\r\x1c\r"


def test_our_client_and_the_server_of_hl7apy() -> None:
    """It closes after each message; the client opens a connection for the next one."""
    server = MLLPServer("127.0.0.1", 0, {"ADT^A01": (Acknowledge,)})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(*server.server_address) as client:
            for number in range(5):
                reply = client.send(message(str(number)))
                assert (reply.code, reply.control_id) == ("AA", str(number))
                client.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(DEADLINE)


def test_a_sender_in_node(serve_both: Serve) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    server = serve_both()
    run = subprocess.run(
        [node, "-e", NODE_SENDER, "sender", str(server.address[1]), "50"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert run.stdout.split() == [f"MSA|AA|N{number}" for number in range(50)]
