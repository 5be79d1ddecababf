"""What a message costs a worker process: microseconds of its processor time for each.

    python benches/worker_time.py [MESSAGES]

A message that is read at three paths and sent on should cost 3 at most, one with a field set 4. The
figures are of this machine at this time, so nothing is compared.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "workers"))
from engine_side import HANDLER, WorkerProcess

PROGRAM = """
import os
from fastmllp_engine._native import Send, Worker

def read(msg):
    if msg["PID-8"] == "F" and msg["PID-3.1"] and msg["MSH-9.2"] == "A01":
        return Send("OB", msg)

def set_one(msg):
    if msg["PID-8"] == "F" and msg["PID-3.1"] and msg["MSH-9.2"] == "A01":
        msg["PID-5.1"] = "DOE & SON"
        return Send("OB", msg)

handlers = [("nothing", lambda msg: None, None), ("read", read, None), ("set", set_one, None)]
Worker().run([], handlers, [("IB", True, None)], lambda error: ("", ""))
os._exit(0)
"""
MESSAGE = (
    b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ADT^A01^ADT_A01|M1|P|2.5\r"
    b"EVN|A01|20260101120000\r"
    b"PID|1||1001^^^MR~2002^^^PI||DOE^JANE||19800101|F|||1 MAIN ST^^SPRINGFIELD\r"
    b"PV1|1|I|W^1^2\r" + b"OBX|1|ST|GLU||5.4|mmol/L\r" * 25
)
BATCH = 256
RUNS = 5


def seconds(handler: str, messages: int) -> float:
    """The processor time of a worker that has run this handler on so many messages."""
    with WorkerProcess("-c", PROGRAM) as worker:
        worker.said()
        for _ in range(messages // BATCH):
            worker.call(HANDLER, handler, *[MESSAGE] * BATCH)
            for _ in range(BATCH):
                assert worker.said()[0] == "sends"
        worker.ask_to_end()
        _, status, used = os.wait4(worker.process.pid, 0)
        assert status == 0
        return used.ru_utime + used.ru_stime


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    start = min(seconds("nothing", 0) for _ in range(RUNS))
    print(f"{len(MESSAGE)} bytes, {messages} messages, microseconds for each:")
    for handler, what in [
        ("nothing", "filtered without a look"),
        ("read", "read at three paths and sent on"),
        ("set", "the same with one field set"),
    ]:
        # The least of some runs: what else the machine does only ever adds to it.
        used = min(seconds(handler, messages) for _ in range(RUNS)) - start
        print(f"{used / messages * 1e6:7.2f}  {what}")


if __name__ == "__main__":
    main()
