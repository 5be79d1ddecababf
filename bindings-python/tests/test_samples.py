"""Every sample message is accepted, and the demonstration runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Serve
from fastmllp import Message
from fastmllp.client import Client
from fastmllp.hl7.files import read_messages

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLES = EXAMPLES / "samples"
FILES = sorted(SAMPLES.glob("*.hl7"))


def test_there_are_samples() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_sample_is_accepted(serve: Serve, path: Path) -> None:
    seen: list[bytes] = []

    def keep(message: Message) -> None:
        seen.append(message.payload)

    data = path.read_bytes()
    (payload,) = read_messages(data).payloads
    assert payload == data.replace(b"\n", b"\r")
    with Client(*serve(keep).address) as client:
        reply = client.send(payload)
    assert seen == [payload]
    assert reply.accepted and reply.code == "AA"
    control_id = Message(payload).header.message_control_id
    assert control_id and reply.control_id.encode("latin-1") == control_id
    # The acknowledgment speaks with the separators of the message.
    assert reply.payload[:8] == payload[:8]


def test_report_has_forty_results() -> None:
    (payload,) = read_messages((SAMPLES / "oru_r01.hl7").read_bytes()).payloads
    assert Message(payload).get("OBX[40]-3.2") == b"APTT"
    assert Message(payload).get("OBX[41]-3.2") is None


def test_character_sets() -> None:
    (latin,) = read_messages((SAMPLES / "latin1_adt_a08.hl7").read_bytes()).payloads
    assert (Message(latin).get("PID-5.1") or b"").decode("latin-1") == "Müßig"
    (utf8,) = read_messages((SAMPLES / "utf8_adt_a04.hl7").read_bytes()).payloads
    assert (Message(utf8).get("PID-5.1") or b"").decode("utf-8") == "山田"


def test_demonstration() -> None:
    result = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")
    count = len(FILES)
    assert result.stdout.endswith(
        f"{count} of {count} messages accepted, server ended with status 0\n"
    )
    assert all(path.name in result.stdout for path in FILES)
