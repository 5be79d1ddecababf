#!/usr/bin/env python3
"""Writes the seed corpus, corpus/<target>/, from the vectors and the samples.

A seed is what a target reads: its arguments, in the order in which it takes them, then a stream
or a payload. Run it again after a change to the vectors or to a target's arguments.
"""

import hashlib
import json
import shutil
from pathlib import Path

FUZZ = Path(__file__).parent
ROOT = FUZZ.parent
MAX_SEEDS, MAX_LEN = 59, 4096


def vectors(name: str) -> dict:
    return json.loads((ROOT / "vectors" / name).read_text(encoding="utf-8"))


def text(value: str) -> bytes:
    """A text argument: its length in one byte, then its bytes."""
    data = value.encode("latin-1")[:255]
    return bytes([len(data)]) + data


def streams() -> list[bytes]:
    for case in vectors("mllp_frames.json")["decode"]:
        yield b"".join(bytes.fromhex(op[1]) for op in case["ops"] if op[0] == "bytes")


def messages() -> list[bytes]:
    for path in sorted((ROOT / "examples" / "samples").glob("*.hl7")):
        yield path.read_bytes()
    for case in vectors("hl7_peek.json")["messages"]:
        yield bytes.fromhex(case["msg_hex"])


def decode():
    # Flags, limit, seed of cuts and idle times: each profile, without and with a limit and idle.
    for number, stream in enumerate(streams()):
        profile = number % 3
        yield bytes([profile | [0, 8, 24, 12, 44][number % 5], 8, number]) + stream


def peek():
    # How far to read a prefix, where to cut it, room for output, a path, five numbers.
    for number, message in enumerate(messages()):
        yield bytes([10, 40 + number, 64]) + text("PID-3[2].4.1") + bytes([1, 3, 1, 1, 1]) + message


def edit():
    # A call, a scan, separators, a path, a content.
    paths = [
        "PID-3[2].4.1",
        "PID-5",
        "OBX[2]-5.1",
        "NTE-3",
        "MSH-4",
        "PID-3[1]",
        "OBX",
        "ZZ1-9.1.2",
    ]
    contents = ["a|b^c", "", "7^^^MR~8", "x\r\x1c", "NTE|1||y"]
    for number, message in enumerate(messages()):
        seed = bytes([number % 10, number % 5, number % 4]) + text(paths[number % 8])
        yield seed + text(contents[number % 5]) + message


def ack():
    # Flags, code, two bytes of time, control ID, text, and errors as ack.rs takes them.
    build = vectors("ack_always.json")["build"] + vectors("ack.json")["build"]
    for number, case in enumerate(build):
        policy = int("args" in case)
        args = case.get("args", case)
        seed = bytes([policy | [2, 4][number % 2], number % 6, 99, 128])
        seed += text(case["control_id"]) + text(args.get("text") or "")
        errors = (args.get("errors") or [])[:3]
        seed += bytes([len(errors)])
        for error in errors:
            location = error.get("loc") or [""]
            seed += text(location[0]) + bytes([1, 0, 1, 1, 0, number % 4])
            seed += text("E1") + text("") + text("L") + text(error.get("diag") or "")
            seed += text(error.get("user") or "") + bytes([number % 16])
        yield seed + case["inbound"].encode("latin-1")


def round_trip():
    # The seed of the cuts, a code.
    for number, message in enumerate([b"", b"\x06", b"\x15", *messages()]):
        yield bytes([number, number % 6]) + message


def astm():
    # Role, offer and host; the seed of the cuts; time between reads.
    for number, case in enumerate(vectors("astm_frames.json")["receiver"]):
        stream = b"".join(bytes.fromhex(op[1]) for op in case["ops"] if op[0] == "bytes")
        yield bytes([number % 8, number % 256, [0, 1, 26][number % 3]]) + stream


for target in (decode, peek, edit, ack, round_trip, astm):
    folder = FUZZ / "corpus" / target.__name__
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Small ones first: they say the same in fewer bytes.
    seeds = sorted((seed for seed in target() if len(seed) <= MAX_LEN), key=len)
    for seed in seeds[:: -(-len(seeds) // MAX_SEEDS)]:
        (folder / hashlib.sha1(seed).hexdigest()[:16]).write_bytes(seed)
    print(f"{target.__name__}: {len(list(folder.iterdir()))} seeds")
