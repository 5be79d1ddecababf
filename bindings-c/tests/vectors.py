"""Writes vectors/*.json as C: `python vectors.py FOLDER` makes FOLDER/*.vectors.h.

Each file is included by the test in `c/` that declares its structs. Empty bytes are NULL with
length 0, what is absent is NULL.
"""

import json
import pathlib
import re
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


def latin1(source: Source, value: str | None) -> str:
    """An mllp_slice_t of the bytes of which a string is the image."""
    return source.bytes((value or "").encode("latin-1"))


def utf8(source: Source, value: str | None) -> str:
    """An mllp_slice_t of a text."""
    return source.bytes((value or "").encode())


def maybe(source: Source, value: str | None) -> str:
    """A `struct maybe`."""
    return f"{{{int(value is not None)}, {latin1(source, value)}}}"


def constant(stem: str, value: str | None) -> str:
    return f"MLLP_{stem}_{(value or 'none').upper()}"


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


DELIMITERS = ("field", "comp", "rep", "esc", "sub", "trunc")
TERMINATORS = {"cr": "CARRIAGE_RETURN", "lf": "LINE_FEED"}
SCANS = {
    "shift_jis": "SHIFT_JIS",
    "gb18030": "GB18030",
    "big5": "GB18030",
    "iso2022_jp": "ISO2022_JP",
    "euc_kr": "SINGLE_BYTE",
}


def query(source: Source, query: dict[str, Any]) -> str:
    values = [maybe(source, query.get(name)) for name in ("raw", "leaf", "text")]
    kinds = [constant("VALUE", query.get(name, "absent")) for name in ("raw_status", "leaf_status")]
    # MSH-1 and MSH-2 are never unescaped.
    atomic = re.match(r"(MSH|FHS|BHS)[-.][12]\b", query["path"]) is not None
    return f"{{{text(query['path'])}, {', '.join(values + kinds)}, {int(atomic)}}}"


def peek(source: Source) -> None:
    vectors = load("hl7_peek.json")
    rows = []
    for case in vectors["messages"]:
        payload = source.bytes(bytes.fromhex(case["msg_hex"]))
        delimiters = [str(ord(case["delims"][name] or "\0")) for name in DELIMITERS]
        terminator = f"MLLP_TERMINATOR_{TERMINATORS[case['terminator']]}"
        kind = f"MLLP_MESSAGE_{'BATCH' if case['id'] == 'batch' else 'SINGLE'}"
        ids = source.counted("mllp_slice_t", [latin1(source, id_) for id_ in case["segments"]])
        queries = source.counted("struct query", [query(source, one) for one in case["queries"]])
        fields = (text(case["id"]), payload, "{" + ", ".join(delimiters) + "}")
        rows.append(f"{{{', '.join((*fields, terminator, kind, ids, queries))}}}")
    source.table("struct message_vector", "message_vectors", rows)

    rows = []
    for case in vectors["errors"]:
        payload = source.bytes(bytes.fromhex(case["msg_hex"]))
        names = (text(case["id"]), payload, latin1(source, case["path"]), text(case["error"]))
        rows.append(f"{{{', '.join(names)}}}")
    source.table("struct error_vector", "error_vectors", rows)

    rows = []
    for case in vectors["escape"]:
        header = latin1(source, "MSH" + case["delims"])
        values = (latin1(source, case["text"]), latin1(source, case["escaped"]))
        rows.append(f"{{{header}, {', '.join(values)}}}")
    source.table("struct escape_vector", "escape_vectors", rows)

    rows = []
    for case in vectors["multibyte"]:
        payload, naive, aware = (
            source.bytes(bytes.fromhex(case[name]))
            for name in ("msg_hex", "naive_hex", "aware_hex")
        )
        second = case["naive_5_2_hex"]
        naive_second = maybe(source, second and bytes.fromhex(second).decode("latin-1"))
        scan = f"MLLP_SCAN_{SCANS[case['charset']]}"
        # Under the name of ISO IR87, MSH-18 does not tell that it is Shift_JIS.
        told = int(case["charset"] != "shift_jis")
        path = latin1(source, case["path"])
        values = (naive, naive_second, aware, latin1(source, case["aware_5_2"]))
        fields = (text(case["charset"]), payload, path, scan, str(told), *values)
        rows.append(f"{{{', '.join(fields)}}}")
    source.table("struct multi_byte_vector", "multi_byte_vectors", rows)

    rows = []
    for row in load("charsets.json")["table0211"]:
        allowed = int("not allowed in MLLP" not in row["note"])
        name = row["hl7"]
        rows.append(
            f"{{{latin1(source, name)}, {text(name or 'ASCII')}, "
            f"{row['delimiter_safe']}, {allowed}}}"
        )
    source.table("struct character_set_vector", "character_set_vectors", rows)


SEVERITIES = {"W": "WARNING", "I": "INFORMATION", "E": "ERROR", "F": "FATAL"}


def error_detail(source: Source, error: dict[str, Any]) -> str:
    """An mllp_error_detail_t."""
    segment, *numbers = error.get("loc") or [""]
    numbers += [0] * (5 - len(numbers))
    location = f"{{{latin1(source, segment)}, {', '.join(map(str, numbers))}}}"
    application = ", ".join(latin1(source, part) for part in error.get("app") or ["", "", ""])
    severity = f"MLLP_SEVERITY_{SEVERITIES[error.get('severity') or 'E']}"
    texts = (utf8(source, error.get("diag")), utf8(source, error.get("user")))
    return f"{{{error['code']}, {severity}, {location}, {{{application}}}, {', '.join(texts)}}}"


def acks(source: Source) -> None:
    vectors = load("ack.json")
    always = load("ack_always.json")["build"]
    rows = []
    for policy, case in [
        *(("ALWAYS", case) for case in always),
        *(("CONFORMANT", case) for case in vectors["build"]),
    ]:
        args = case.get("args") or {"text": case.get("text")}
        own = args.get("app") or [None, None]
        details = [error_detail(source, error) for error in args.get("errors") or []]
        enhanced = args.get("phase") == "application_enhanced"
        fields = [
            text(case["id"]),
            f"MLLP_POLICY_{policy}",
            *(latin1(source, case[name]) for name in ("inbound", "now", "control_id", "ack")),
            constant("ACK", case["code"]),
            utf8(source, args.get("text")),
            source.counted("mllp_error_detail_t", details),
            f"{int(args.get('seq') is not None)}, {args.get('seq') or 0}",
            *(maybe(source, one) for one in own),
            latin1(source, args.get("accept_type")),
            latin1(source, "NE" if enhanced else ""),
            latin1(source, args.get("structure")),
            maybe(source, args.get("charset")),
            latin1(source, args.get("profile")),
        ]
        rows.append(f"{{{', '.join(fields)}}}")
    source.table("struct ack_vector", "ack_vectors", rows)
    decisions(source, vectors)
    checks(source, vectors)


def decisions(source: Source, vectors: dict[str, Any]) -> None:
    rows = []
    for name in ("decision", "decision_edge", "decision_response"):
        for case in vectors[name]:
            codes = [constant("ACK", case[level]) for level in ("accept_ack", "application_ack")]
            mode = constant("MODE", case["mode"])
            fields = [latin1(source, case["msh15"]), latin1(source, case["msh16"])]
            msa_1 = maybe(source, case.get("inbound_msa1"))
            outcome = constant("OUTCOME", case["outcome"])
            rows.append(f"{{{', '.join((*fields, msa_1, outcome, mode, *codes))}}}")
    source.table("struct decision_vector", "decision_vectors", rows)


def checks(source: Source, vectors: dict[str, Any]) -> None:
    for name, list_ in vectors["accept_lists"].items():
        source.table("mllp_slice_t", f"accepted_{name}", [latin1(source, one) for one in list_])
    rows = []
    for case in vectors["validate"]:
        details = [error_detail(source, error) for error in case["errors"]]
        codes = [constant("ACK", case[level]) for level in ("accept_ack", "application_ack")]
        errors = source.counted("mllp_error_detail_t", details)
        fields = (text(case["id"]), latin1(source, case["inbound"]), errors)
        rows.append(f"{{{', '.join((*fields, constant('MODE', case['mode']), *codes))}}}")
    source.table("struct check_vector", "check_vectors", rows)

    rows = []
    for case in vectors["sequence"]:
        before, after = (
            f"{{{case[name] or 0}, {int(case[name] is not None)}}}"
            for name in ("expected", "new_expected")
        )
        answer = f"{{{case['msa4']}, {int(case['code'] == 'AA')}}}"
        rows.append(f"{{{before}, {latin1(source, str(case['msh13']))}, {answer}, {after}}}")
    source.table("struct sequence_vector", "sequence_vectors", rows)

    rows = []
    classes = {"success": "accept", "error": "error", "reject": "reject"}
    for number, row in load("tables.json")["0357"].items():
        outcome = constant("OUTCOME", classes[row["class"]])
        rows.append(f"{{{number}, {text(row['text'])}, {outcome}}}")
    source.table("struct error_code_vector", "error_code_vectors", rows)


def detect(source: Source) -> None:
    rows = [
        f"{{{text(case['id'])}, {source.bytes(bytes.fromhex(case['bytes']))}, "
        f"{text(case['verdict'])}, {case['offset']}}}"
        for case in load("detect.json")["cases"]
    ]
    source.table("struct detect_vector", "detect_vectors", rows)


def proxy_address(source: Source, address: list[Any] | None) -> str:
    """A `struct proxy_address`."""
    ip, port = address or ("", 0)
    return f"{{{source.bytes(bytes.fromhex(ip))}, {port}}}"


def proxy(source: Source) -> None:
    rows = []
    for case in load("proxy.json")["cases"]:
        expect = case["expect"]
        known_at = "SIZE_MAX" if case["known_at"] is None else case["known_at"]
        fields = (
            text(case["id"]),
            source.bytes(bytes.fromhex(case["bytes"])),
            f"{known_at}, {text(expect.get('error', 'ok'))}, {expect.get('len', 0)}",
            f"MLLP_PROXY_{expect.get('origin', 'local').upper()}",
            *(proxy_address(source, expect.get(name)) for name in ("source", "destination")),
        )
        rows.append(f"{{{', '.join(fields)}}}")
    source.table("struct proxy_vector", "proxy_vectors", rows)


WRITES = {"frames": frames, "peek": peek, "acks": acks, "detect": detect, "proxy": proxy}


def write(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, fill in WRITES.items():
        source = Source()
        fill(source)
        source.write(folder / f"{name}.vectors.h")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
