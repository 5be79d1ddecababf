"""Writes vectors/*.json as C: `python vectors.py FOLDER` makes FOLDER/*.vectors.h.

Each file is included by the test in `c/` that declares its structs. Empty bytes are NULL with
length 0, what is absent is NULL.
"""

import json
import pathlib
import sys
from typing import Any

VECTORS = pathlib.Path(__file__).parents[2] / "vectors"
PROFILES = ("permissive", "resync", "strict")  # in the order of their numbers
OPS = {"bytes": "OP_BYTES", "idle": "OP_IDLE", "eof": "OP_EOF"}


class Source:
    """A C file, written from the inside out: what is referred to comes first."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[str, str] = {}

    def array(self, element: str, values: list[str]) -> str:
        """The name of a constant array, NULL for none. Equal ones are one."""
        if not values:
            return "NULL"
        line = f"static const {element} %s[] = {{{', '.join(values)}}};"
        if line not in self.known:
            self.known[line] = f"{element.split()[-1]}_{len(self.known)}"
            self.lines.append(line % self.known[line])
        return self.known[line]

    def counted(self, element: str, values: list[str]) -> str:
        return f"{{{self.array(element, values)}, {len(values)}}}"

    def bytes(self, data: bytes) -> str:
        return self.counted("uint8_t", [str(byte) for byte in data])

    def table(self, element: str, name: str, values: list[str]) -> None:
        self.lines.append(f"static const {element} {name}[] = {{\n    " + ",\n    ".join(values))
        self.lines.append("};")

    def write(self, path: pathlib.Path) -> None:
        text = f"/* Made by {pathlib.Path(__file__).name} from vectors/. */\n"
        path.write_text(text + "\n".join(self.lines) + "\n")


def load(name: str) -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((VECTORS / name).read_text())
    return vectors


def text(value: str | None) -> str:
    return "NULL" if value is None else json.dumps(value)


def op(source: Source, kind: str, data: str = "") -> str:
    return f"{{{OPS[kind]}, {source.bytes(bytes.fromhex(data))[1:-1]}}}"


def event(source: Source, event: dict[str, Any]) -> str:
    """An mllp_event_t."""
    members = {"offset": str(event["offset"])}
    if event["ev"] == "frame":
        payload = bytes.fromhex(event["payload"])
        members["frame_kind"] = f"MLLP_FRAME_{event['kind'].upper()}"
        warnings = [f"MLLP_DEVIATION_{name.upper()}" for name in event["warn"]]
        members["deviations"] = " | ".join(warnings) or "0"
        members |= {"len": str(len(payload)), "payload": source.bytes(payload)}
    elif event["ev"] == "warning":
        members["deviations"] = f"MLLP_DEVIATION_{event['code'].upper()}"
    elif event["ev"] == "error":
        members["fault"] = f"MLLP_FAULT_{event['code'].upper()}"
    else:
        members["discard_reason"] = f"MLLP_DISCARD_{event['why'].upper()}"
        members |= {"len": str(event["len"]), "blank": str(int(event["blank"]))}
    kind = "FAULT" if event["ev"] == "error" else event["ev"].upper()
    fields = "".join(f", .{name} = {value}" for name, value in members.items())
    return f"{{.kind = MLLP_EVENT_{kind}{fields}}}"


def frames(source: Source) -> None:
    vectors = load("mllp_frames.json")
    rows = []
    for vector in vectors["decode"]:
        ops = source.counted("struct op", [op(source, *step) for step in vector["ops"]])
        expect = [
            source.counted(
                "mllp_event_t",
                [event(source, one) for one in vector["expect"][profile]["events"]],
            )
            for profile in PROFILES
        ]
        limit = vector.get("max_payload", "SIZE_MAX")
        rows.append(f"{{{text(vector['id'])}, {limit}, {ops}, {{{', '.join(expect)}}}}}")
    source.table("struct frames_vector", "frames_vectors", rows)

    rows = []
    for vector in vectors["encode"]:
        payload = source.bytes(bytes.fromhex(vector["payload"]))
        frame = source.bytes(bytes.fromhex(vector.get("frame", "")))
        status = text(vector.get("error", "ok"))
        rows.append(f"{{{text(vector['id'])}, {payload}, {frame}, {status}}}")
    source.table("struct encode_vector", "encode_vectors", rows)


WRITES = {"frames": frames}


def write(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, fill in WRITES.items():
        source = Source()
        fill(source)
        source.write(folder / f"{name}.vectors.h")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
