"""What a function can reach is what docs/engine/howto/functions.md says: no more, and no less."""

from pathlib import Path

import pytest
from engine_side import HANDLER, WorkerProcess

ADT = b"MSH|^~\\&|A||||||ADT^A01|1|P|2.5\r"
FEED = """
import os, sys
from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

inbound("IB", MLLP(port=2600), router="adt")
outbound("OB", MLLP(host="localhost", port=2601))
shared = []

@router("adt")
def route(msg):
    return ["writes", "reads", "file", "secret", "terminal"]

@handler("writes")
def writes(msg):
    shared.append("seen")

@handler("reads")
def reads(msg):
    return Send("OB", ",".join(shared))

@handler("file")
def file(msg):
    with open(os.path.join(os.path.dirname(__file__), "..", "outside")) as opened:
        return Send("OB", opened.read())

@handler("secret")
def secret(msg):
    return Send("OB", os.environ["FASTMLLP_VALUE_SECRET"])

@handler("terminal")
def terminal(msg):
    print("said")
    return Send("OB", repr(sys.stdin.read()))
"""


def test_functions_share_a_process_and_have_what_its_user_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "feed.py").write_text(FEED)
    (tmp_path / "outside").write_text("of the engine")
    monkeypatch.setenv("FASTMLLP_VALUE_SECRET", "hush")
    with WorkerProcess("-m", "fastmllp_engine.workers", str(feeds)) as running:
        running.said()
        assert running.answer(HANDLER, "writes", ADT) == ("sends", 0, [])
        assert running.answer(HANDLER, "reads", ADT)[2] == [("OB", b"seen")]
        assert running.answer(HANDLER, "file", ADT)[2] == [("OB", b"of the engine")]
        assert running.answer(HANDLER, "secret", ADT)[2] == [("OB", b"hush")]
        assert running.answer(HANDLER, "terminal", ADT)[2] == [("OB", b"''")]
        assert running.end() == 0
