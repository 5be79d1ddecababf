"""Views of segments, and whole segments that are added, inserted and deleted."""

import pytest
from fastmllp_engine import Message, MessageError, PathError, Raw

ORU = (
    b"MSH|^~\\&|LAB|||||ORU^R01|ORU^R01|M1|P|2.5\rPID|1\r"
    b"OBR|1||A\rOBX|1|ST|a||x\rOBX|2|ST|b||y\r"
    b"OBR|2||B\rOBX|1|ST|c||z\rNTE|1\r"
)


def ids(msg: Message) -> list[str]:
    return [segment.id for segment in msg.segments()]


def test_a_loop_over_segments_reads_and_sets_each() -> None:
    msg = Message(ORU)
    assert [obx["5"] for obx in msg.segments("OBX")] == ["x", "y", "z"]
    for number, obx in enumerate(msg.segments("OBX"), 1):
        obx["1"] = str(number)
        obx["3.2"] = f"{obx[3]} & more"
        obx[5] = None
    assert msg.encode() == (
        b"MSH|^~\\&|LAB|||||ORU^R01|ORU^R01|M1|P|2.5\rPID|1\r"
        b"OBR|1||A\rOBX|1|ST|a^a \\T\\ more|\rOBX|2|ST|b^b \\T\\ more|\r"
        b"OBR|2||B\rOBX|3|ST|c^c \\T\\ more|\rNTE|1\r"
    )


def test_a_segment_is_read_by_the_paths_of_its_fields() -> None:
    msg = Message(b"MSH|^~\\&|LAB\rPID|1||7^^^A&B~8^^^\\T\\|\xc3\xa4\r")
    pid = msg.segments("PID")[0]
    assert pid.id == "PID" and pid.encode() == b"PID|1||7^^^A&B~8^^^\\T\\|\xc3\xa4"
    assert pid["3[2].4"] == "&" and pid["3.4.2"] == "B" and pid[4] == "ä"
    assert type(pid["3"]) is Raw and pid[9] is None and pid.bytes("3[2].4") == b"\\T\\"
    msh = msg.segments("MSH")[0]
    assert msh["1"] == "|" and msh["2"] == "^~\\&" and msh["3"] == "LAB"
    paths: list[str | int] = ["", "0", "x", "3[", "PID-3", 0, -1]
    for path in paths:
        with pytest.raises(PathError):
            pid[path]
    with pytest.raises(TypeError):
        pid[1.5]  # type: ignore[index]


def test_a_view_stays_its_segment_when_others_come_and_go() -> None:
    msg = Message(ORU)
    first, second, third = msg.segments("OBX")
    second.insert_before("NTE|9||before")
    second.insert_after(b"NTE|9||after")
    first.delete()
    msg.insert_segment_before("PID", "ZZZ|1")
    msg.insert_segment_after("MSH", "SFT|1")
    msg.add_segment("ZZE|1")
    assert (second["5"], third["5"]) == ("y", "z")
    second["5"], third["5"] = "Y", "Z"
    assert ids(msg) == "MSH SFT ZZZ PID OBR NTE OBX NTE OBR OBX NTE ZZE".split()
    assert [obx[5] for obx in msg.segments("OBX")] == ["Y", "Z"]
    for use in (lambda: first["5"], first.delete, first.encode, lambda: first.insert_after("X")):
        with pytest.raises(MessageError) as caught:
            use()
        assert caught.value.code == "deleted"


def test_segments_are_deleted_in_a_loop_over_them() -> None:
    msg = Message(ORU)
    for obx in msg.segments("OBX"):
        if obx[5] != "y":
            obx.delete()
    assert [obx[5] for obx in msg.segments("OBX")] == ["y"]
    assert msg.delete_segments("OBX") == 1 and msg.delete_segments("OBX") == 0
    assert ids(msg) == ["MSH", "PID", "OBR", "OBR", "NTE"]
    with pytest.raises(MessageError) as caught:
        msg.delete_segments("MSH")
    assert caught.value.code == "header"


def test_groups_begin_with_their_boundary() -> None:
    msg = Message(ORU)
    assert [[one.id for one in group] for group in msg.groups()] == [
        ["OBR", "OBX", "OBX"],
        ["OBR", "OBX", "NTE"],
    ]
    assert [group[0]["1"] for group in msg.groups("OBX")] == ["1", "2", "1"]
    assert msg.groups("ZZZ") == []
    for group in msg.groups():
        for one in group[1:]:
            one.delete()
    assert ids(msg) == ["MSH", "PID", "OBR", "OBR"]


def test_segments_are_counted() -> None:
    msg = Message(ORU)
    assert (msg.count_segments(), msg.count_segments("OBX"), msg.count_segments("ZZZ")) == (8, 3, 0)


def test_what_is_no_segment_is_refused() -> None:
    msg = Message(ORU)
    for segment in ["", "hello", "pid|1", "MSH|^~\\&", "FHS|x", "PID5|1"]:
        with pytest.raises(MessageError):
            msg.add_segment(segment)
    with pytest.raises(MessageError) as caught:
        msg.insert_segment_before("ZZZ", "NTE|1")
    assert caught.value.code == "absent"
    with pytest.raises(TypeError):
        msg.add_segment(5)  # type: ignore[arg-type]
    assert msg.encode() == ORU
    msg.add_segment("NTE|2||two\rlines\r")
    assert msg.bytes("NTE[2]") == b"NTE|2||two\\X0D\\lines"


def test_lines_that_are_no_segments_are_kept() -> None:
    payload = b"MSH|^~\\&|A\r\rhello world|1\r\nPID|1\r\n"
    msg = Message(payload)
    assert ids(msg) == ["MSH", "hello world", "PID"]
    with pytest.raises(PathError):
        msg.segments("hello world")[0]["1"]
    msg["MSH-4"] = "B"
    assert msg.encode() == payload.replace(b"|A", b"|A|B")


def test_ten_thousand_segments() -> None:
    msg = Message(b"MSH|^~\\&|A\r" + b"".join(b"OBX|%d||c||v\r" % n for n in range(10_000)))
    assert sum(int(obx["1"] or 0) for obx in msg.segments("OBX")) == sum(range(10_000))
    assert msg.delete_segments("OBX") == 10_000
    assert msg.encode() == b"MSH|^~\\&|A\r"
