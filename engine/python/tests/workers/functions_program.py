"""A worker whose functions do what the tests want of functions, good and bad."""

import gc
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from fastmllp_engine import Message, RawMessage, Send
from fastmllp_engine._native import Functions, Worker
from fastmllp_engine.graph import explainer

PAYLOAD_OF = Message("MSH|^~\\&|SECRET")


def by_path(msg: Message) -> list[str]:
    """The handlers that MSH-5 names."""
    return (msg["MSH-5"] or "").split()


def returns(what: object) -> Any:
    return lambda _: what


def changes_and_names(msg: Message) -> list[str]:
    msg["PID-8"] = "X"
    return ["only_f", "unchanged"]


def is_f(msg: Message) -> bool:
    return msg["PID-8"] == "F"


def twice(msg: Message) -> Iterator[Send]:
    yield Send("OB_A", msg)
    msg["PID-8"] = "M"
    yield Send("OB_B", msg)


def raises_in_the_middle(msg: Message) -> Iterator[Send]:
    yield Send("OB_A", msg)
    raise ValueError(msg["PID-3"])


def raises_from(msg: Message) -> None:
    try:
        dict[str | None, str]()[msg["PID-3"]]
    except KeyError as error:
        raise LookupError(msg["PID-3"]) from error


def raises_text_code(msg: Message) -> None:
    exec(compile(f"raise RuntimeError('{msg['PID-3']}')", str(msg["PID-3"]), "exec"))


def deep(msg: Message) -> None:
    deep(msg)


class Hostile(Exception):
    """Raises whenever it is looked at."""

    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise RuntimeError(PAYLOAD_OF.encode())

    def __str__(self) -> str:
        raise RuntimeError


def hostile(msg: Message) -> None:
    raise Hostile(msg["PID-3"])


def prints(msg: Message) -> None:
    print("SECRET", flush=True)
    os.write(1, b"SECRET")
    sys.stdout.write(str(sys.stdin.read()))


def leaves_a_thread(msg: Message) -> None:
    threading.Thread(target=threading.Event().wait).start()


def forks(msg: Message) -> Send:
    child = os.fork()
    if child == 0:
        raise SystemExit
    os.waitpid(child, 0)
    return Send("OB", "parent")


def raw(msg: RawMessage) -> Send:
    return Send("OB", f"{type(msg).__name__} {msg.text} {len(msg.json())}")


def new_ids(msg: Message) -> Send:
    return Send("OB", f"{msg.new_control_id()} {msg.copy().new_control_id()}")


def collects(msg: Message) -> Send:
    return Send("OB", str(gc.collect() >= 0))


ROUTERS = {
    "by_path": by_path,
    "none": returns(None),
    "one": returns("unchanged"),
    "int": returns(5),
    "bytes": returns(b"x"),
    "ints": returns([5]),
    "picky": changes_and_names,
    "deep": deep,
}
HANDLERS: dict[str, Any] = {
    "unchanged": lambda msg: Send("OB", msg),
    "reads": lambda msg: Send("OB", msg["PID-5"] or ""),
    "only_f": returns(None),
    "twice": twice,
    "copies": lambda msg: Send("OB", msg.encode()),
    "none": returns(None),
    "int": returns(5),
    "str": returns("OB"),
    "dict": returns({"OB": 1}),
    "type": returns(Send),
    "empty": returns([]),
    "middle": raises_in_the_middle,
    "endless": lambda msg: (Send("OB", msg) for _ in iter(int, 1)),
    "from": raises_from,
    "text_code": raises_text_code,
    "exits": lambda msg: sys.exit(str(msg["PID-3"])),
    "interrupts": lambda msg: (_ for _ in ()).throw(KeyboardInterrupt(msg["PID-3"])),
    "deep": deep,
    "hostile": hostile,
    "prints": prints,
    "thread": leaves_a_thread,
    "dies": lambda msg: os._exit(7),
    "forks": forks,
    "raw": raw,
    "new_ids": new_ids,
    "collects": collects,
    "received": lambda msg: Send("OB", msg.copy().ingest_time().isoformat()),
}


def main() -> None:
    worker = Worker()
    accepts = {"only_f": is_f}
    functions = Functions(
        list(ROUTERS.items()),
        [(name, function, accepts.get(name)) for name, function in HANDLERS.items()],
        [("IB", True, None), ("IB_LATIN", True, "latin-1"), ("IB_JSON", False, "utf-16")],
        explainer(os.path.dirname(__file__)),
    )
    worker.run(functions)


if __name__ == "__main__":
    main()
    os._exit(0)
