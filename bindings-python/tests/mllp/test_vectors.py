"""The vectors that every language runs, through the Python package."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import fastmllp
import pytest
from fastmllp.mllp import DecoderEvent, Deviation, Discard, Fault, Frame

VECTORS = pathlib.Path(__file__).parents[3] / "vectors"
FRAMES: dict[str, Any] = json.loads((VECTORS / "mllp_frames.json").read_text())
PROFILES = ("permissive", "resync", "strict")

Op = tuple[str, bytes]


def ops(vector: dict[str, Any]) -> list[Op]:
    return [(op[0], bytes.fromhex(op[1]) if len(op) > 1 else b"") for op in vector["ops"]]


def chunkings(whole: list[Op]) -> Iterator[list[Op]]:
    """The stream whole, in single bytes, and with each run of bytes cut at each position."""
    yield whole
    yield [
        part
        for op, data in whole
        for part in ([(op, data[i : i + 1]) for i in range(len(data))] if data else [(op, b"")])
    ]
    for at, (op, data) in enumerate(whole):
        for cut in range(1, len(data)):
            yield [*whole[:at], (op, data[:cut]), (op, data[cut:]), *whole[at + 1 :]]


def decoder(profile: str, vector: dict[str, Any]) -> fastmllp.Decoder:
    return fastmllp.Decoder(profile=profile, max_payload_len=vector.get("max_payload"))


def in_vector_shape(event: DecoderEvent) -> dict[str, Any]:
    match event:
        case Frame(offset, payload, kind, deviations):
            named = {"payload": payload.hex(), "kind": kind, "warn": list(deviations)}
            return {"ev": "frame", "offset": offset, **named}
        case Deviation(code, offset):
            return {"ev": "warning", "code": code, "offset": offset}
        case Fault(code, offset):
            return {"ev": "error", "code": code, "offset": offset}
        case Discard(offset, length, why, is_blank):
            run = {"offset": offset, "len": length}
            return {"ev": "discard", **run, "why": why, "blank": is_blank}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("vector", FRAMES["decode"], ids=lambda vector: vector["id"])
def test_every_stream_in_every_chunking(vector: dict[str, Any], profile: str) -> None:
    expect = vector["expect"][profile]
    payloads = [bytes.fromhex(e["payload"]) for e in expect["events"] if e["ev"] == "frame"]
    for chunks in chunkings(ops(vector)):
        by_event, by_payload = decoder(profile, vector), decoder(profile, vector)
        events: list[DecoderEvent] = []
        fed: list[bytes] = []
        for op, data in chunks:
            if op == "bytes":
                events += by_event.events(data)
                fed += by_payload.feed(data)
            elif op == "idle":
                events += by_event.idle_events()
                fed += by_payload.idle()
            else:
                assert op == "eof"
                events += by_event.finish_events()
                fed += by_payload.finish()
        assert [in_vector_shape(event) for event in events] == expect["events"]
        assert fed == payloads
        assert by_event.pending == by_payload.pending == expect["pending"]


@pytest.mark.parametrize("vector", FRAMES["encode"], ids=lambda vector: vector["id"])
def test_encoding(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["payload"])
    if "error" in vector:
        with pytest.raises(fastmllp.FrameError) as raised:
            fastmllp.frame(payload)
        assert raised.value.code == vector["error"]
        with pytest.raises(fastmllp.FrameError) as raised:
            fastmllp.encode_slices(payload)
        assert raised.value.code == vector["error"]
    else:
        assert fastmllp.frame(payload).hex() == vector["frame"]
        assert b"".join(fastmllp.encode_slices(payload)).hex() == vector["frame"]


ALWAYS: dict[str, Any] = json.loads((VECTORS / "ack_always.json").read_text())


@pytest.mark.parametrize("case", ALWAYS["build"], ids=lambda case: case["id"])
def test_acknowledgment_by_the_policy_always(case: dict[str, Any]) -> None:
    payload, args = case["inbound"].encode("latin-1"), case.get("args", {})
    own = {"control_id": case["control_id"], "timestamp": case["now"], "text": case["text"]}
    answer = fastmllp.Ack(
        case["code"],
        **own,
        message_structure=args.get("structure", ""),
        character_set=args.get("charset"),
        message_profile_identifier=args.get("profile", ""),
    )
    assert answer.encode(payload).decode("latin-1") == case["ack"]
    if args.keys() <= {"code", "text"}:
        assert fastmllp.build_ack(payload, case["code"], **own).decode("latin-1") == case["ack"]


def test_a_new_control_id_is_a_uuid_and_new() -> None:
    ids = set()
    for _ in range(1000):
        control_id = fastmllp.Message(fastmllp.build_ack(b"")).header.message_control_id
        assert len(control_id) == 32 and control_id[12:13] == b"4"
        assert int(control_id, 16)
        ids.add(control_id)
    assert len(ids) == 1000
