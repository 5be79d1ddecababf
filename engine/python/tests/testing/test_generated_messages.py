"""Messages of a hospital that does not exist: the same everywhere, and plausible."""

import hashlib
from datetime import datetime
from pathlib import Path

import pytest
from fastmllp_engine import Message
from fastmllp_engine.cli import main
from fastmllp_engine.testing import TYPES, generate

# What is where, by the tables of HL7 2.5.1.
PLACES = {
    "ADT": {"MSH-9.1": "ADT", "PID-3.4": "GENERAL", "EVN-2": "20260101060000"},
    "ORU": {"OBR-25": "F", "OBX-2": "NM", "OBX-11": "F", "OBX-14": "20260101060000"},
    "ORM": {"ORC-1": "NW", "ORC-12": "D100", "OBR-4.3": "LN"},
    "SIU": {"SCH-9": "30", "SCH-25": "BOOKED", "AIL-9": "30"},
    "MDM": {"TXA-2.1": "DS", "TXA-12": "DOC0", "TXA-17": "AU", "OBX-5": "REPORT"},
    "DFT": {"FT1-6": "CG", "FT1-7.3": "C4", "FT1-10": "1"},
    "VXU": {"RXA-5.3": "CVX", "RXA-6": "0.5", "RXA-9.2": "New"},
}


def read(count: int, *types: str, seed: int = 1) -> list[Message]:
    return [Message(it) for it in generate(count, types or TYPES, seed=seed)]


def test_the_same_seed_makes_the_same_messages_on_every_machine() -> None:
    made = b"".join(generate(500, seed=7))
    assert hashlib.sha256(made).hexdigest()[:16] == "c5aefac2f8772cf3"
    assert made == b"".join(generate(500, seed=7))
    assert made != b"".join(generate(500, seed=8))


@pytest.mark.parametrize("kind", TYPES)
def test_fields_stand_where_the_standard_has_them(kind: str) -> None:
    (first,) = read(1, kind)
    assert first["MSH-9.1"] == kind and first["MSH-11"] == "T"
    assert first["MSH-18"] == "UNICODE UTF-8"
    for path, value in PLACES[kind].items():
        assert first[path] == value, path


def test_every_type_and_every_event_of_a_stay_comes() -> None:
    made = read(2000)
    assert {it["MSH-9.1"] for it in made} == set(TYPES)
    events = {it["MSH-9.2"] for it in made if it["MSH-9.1"] == "ADT"}
    assert events == {"A01", "A02", "A03", "A08", "A40"}
    ids = [it["MSH-10"] for it in made]
    assert len(set(ids)) == len(ids)
    times = [it["MSH-7"] or "" for it in made]
    assert times == sorted(times)


def test_what_happens_to_a_patient_makes_sense() -> None:
    inside: dict[str, str] = {}
    gone: set[str] = set()
    for message in read(3000, "ADT"):
        event, number, visit = (message[it] or "" for it in ("MSH-9.2", "PID-3.1", "PV1-19"))
        assert number not in gone
        if event == "A40":
            old = message["MRG-1.1"] or ""
            assert old != number and old not in inside
            gone.add(old)
        elif event == "A01":
            assert number not in inside
            inside[number] = visit
        else:
            assert inside[number] == visit
        if event == "A03":
            del inside[number]
    assert gone and inside


def test_separators_in_names_are_escaped() -> None:
    names = {it["PID-5.1"] for it in read(500, "ADT")}
    assert {"EXAMPLE&SONS", "O'SAMPLE", "MÜSTER"} <= names


def test_what_cannot_be_made_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="not XYZ"):
        generate(1, ["XYZ"])
    with pytest.raises(ValueError, match="at least 1"):
        generate(0)


def test_the_command_writes_files_and_replaces_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--count", "12", "--type", "ADT", "--type", "ORU", "--seed", "5"]
    words += ["--start", "2026-03-29T01:59:00"]
    assert main([*words, "--out", str(tmp_path / "made")]) == 0
    assert capsys.readouterr().out == f"wrote 12 files to {tmp_path / 'made'}\n"
    files = sorted((tmp_path / "made").iterdir())
    assert [it.name for it in files[:2]] == ["gen01.hl7", "gen02.hl7"]
    expected = generate(12, ["ADT", "ORU"], seed=5, start=datetime(2026, 3, 29, 1, 59))
    assert [it.read_bytes() for it in files] == list(expected)
    assert main([*words, "--out", str(tmp_path / "made")]) == 2
    assert "gen01.hl7" in capsys.readouterr().err


def test_the_command_shows_messages_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--count", "1", "--type", "VXU"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in lines] == ["MSH", "PID", "ORC", "RXA", ""]
    assert main(["generate", "--count", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err
