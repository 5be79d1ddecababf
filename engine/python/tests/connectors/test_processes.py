"""Connectors in processes of an engine: what `Connector` says and hears."""

import sys
from pathlib import Path

from fastmllp_engine._native import Builder, Engine, Functions, Send
from running_engines import until

FEEDS = r"""
import sys
from pathlib import Path
from fastmllp_engine._native import Connector, NotStored

connector = Connector()
print("this is not said to the engine")
log = Path(sys.argv[1])

def note(text):
    with log.open("a") as file:
        print(text, file=file)

connector.hello()
connector.note("info", "it begins")
note(f"{connector.connection} {connector.is_inbound} {connector.paused} {connector.ending}")

def message(name, length):
    return f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|{name}|P|2.5\rOBX|1|".encode() + b"x" * length

def broken():
    yield message("HALF", 100_000)
    raise LookupError("the file is gone")

for one in [message("M1", 9), message("M1", 9), b"no header"]:
    it = connector.submit(one)
    note(f"{it.outcome} {it.message} {it.duplicate_of}")
try:
    connector.submit_parts(broken())
except LookupError:
    note("given up")
large = message("LARGE", 1_000_000)
it = connector.submit_parts(large[at : at + 300_000] for at in range(0, len(large), 300_000))
note(repr(it))
while connector.wait(60):
    pass
note("ends")
"""

DELIVERS = r"""
import sys
from pathlib import Path
from fastmllp_engine._native import Connector

connector = Connector()
log = Path(sys.argv[1])

def note(text):
    with log.open("a") as file:
        print(text, file=file)

connector.hello()
connector.not_ready("not yet")
connector.ready()
while (delivery := connector.next_delivery()) is not None:
    read = b""
    while part := delivery.read(70_000):
        read += part
    assert read == delivery.payload and len(read) == len(delivery), "it is whole"
    note(f"{delivery.control_id.decode()} {len(delivery)} {delivery.message} {delivery.attempt}")
    if delivery.attempt == 1:
        delivery.failed("transport", "the share is gone")
    else:
        delivery.delivered("written")
note("ends")
"""


def lines(log: Path) -> list[str]:
    """What a process has noted."""
    return log.read_text().splitlines() if log.exists() else []


def started(folder: Path) -> Engine:
    """An engine between two connectors."""
    for name, code in [("feeds.py", FEEDS), ("delivers.py", DELIVERS)]:
        (folder / name).write_text(code)
    builder = Builder(folder / "data")
    arguments = [str(folder / "feeds.py"), str(folder / "in.log")]
    builder.inbound_by("IB", "r", sys.executable, arguments, index=["PID-3.1"])
    routers = [("r", lambda message: ["h"])]
    handlers = [("h", lambda message: [Send("OB", message)], None)]
    functions = Functions(routers, handlers, [("IB", True, None)], lambda error: ("", ""))
    builder.functions_in_threads(functions, "IB")
    arguments = [str(folder / "delivers.py"), str(folder / "out.log")]
    builder.outbound_by("OB", sys.executable, arguments, backoff_seconds=0.001, timeout_seconds=30)
    return builder.start()


def test_what_a_connector_submits_another_one_delivers(tmp_path: Path) -> None:
    engine = started(tmp_path)
    expected = [
        "IB True False False",
        "stored 1 None",
        "duplicate 2 1",
        "refused 3 None",
        "given up",
        "Submitted(4, stored)",
    ]
    until(lambda: lines(tmp_path / "in.log"), lambda it: len(it) >= len(expected))
    assert lines(tmp_path / "in.log") == expected
    until(lambda: engine.status().is_idle)
    engine.stop(20)
    length = len(b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|M1|P|2.5\rOBX|1|") + 9
    assert lines(tmp_path / "out.log") == [
        f"M1 {length} 1 1",
        f"M1 {length} 1 2",
        f"LARGE {length + 3 - 9 + 1_000_000} 4 1",
        f"LARGE {length + 3 - 9 + 1_000_000} 4 2",
        "ends",
    ]
    assert lines(tmp_path / "in.log")[-1] == "ends"
