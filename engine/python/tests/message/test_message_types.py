"""Types of messages, as mypy sees them in a user's module."""

import subprocess
import sys
from pathlib import Path

MODULE = """
from collections.abc import Iterable

from fastmllp_engine import Message, Raw, RawMessage, Send, handler


@handler("to_lab")
def to_lab(msg: Message) -> Iterable[Send]:
    if msg["PID-8"] != "F":
        return
    for obx in msg.segments("OBX"):
        obx["5"] = (obx[5] or "").upper()
    yield Send("OB_A", msg)
    msg["PID-19"] = msg["PID-3"]
    msg["PID-5"] = Raw("DOE^JANE")
    msg["PID-6"] = msg.bytes("PID-5")
    for group in msg.groups():
        group[0].insert_after("NTE|1")
    yield Send("OB_B", msg)


@handler("to_json")
def to_json(msg: RawMessage) -> Send | None:
    return None if msg.is_binary else Send("OB", msg.text)


Send("OB", 5)  # line 29: wrong
Send(to="OB", what=b"")  # wrong
msg = Message(b"")
msg[5]  # wrong
msg["PID-3"] = 5  # wrong
msg["PID-3"].upper()  # wrong: it may be None
msg.field("PID-3", repetition="2")  # wrong
msg.control_id = "7"  # wrong
"""


def test_mypy_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "feed.py").write_text(MODULE)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "feed.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if "error:" in line}
    wrong = {n for n, line in enumerate(MODULE.split("\n"), 1) if "wrong" in line}
    assert lines == wrong, done.stdout
