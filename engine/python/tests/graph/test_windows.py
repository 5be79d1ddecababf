"""What is wrong with schedules is said at load, with its place."""

from pathlib import Path

import pytest
from feeds import ADT, findings, loaded

SCHEDULE = (
    'schedule = { windows = [{ days = "mon-fri", start = "06:00", end = "22:00" }], '
    'timezone = "Europe/Berlin" }\n'
)
CONNECTIONS = f"""
[[inbound]]
name = "IB_ADT"
transport = "mllp"
router = "adt"
closed = "answer"
settings = {{ port = 0 }}
{SCHEDULE}"""
CODE = ADT.replace('    inbound("IB_ADT", MLLP(port=2600), router="adt")\n', "")


def wrong(folder: Path, old: str, new: str) -> list[str]:
    """The complaints when this is said in place of that."""
    assert old in CONNECTIONS
    assert "2600" not in CODE
    return findings(
        folder, {"adt.py": CODE, "connections.toml": CONNECTIONS.replace(old, new).lstrip()}
    )


def test_a_schedule_is_read(tmp_path: Path) -> None:
    registry = loaded(tmp_path, {"adt.py": CODE, "connections.toml": CONNECTIONS.lstrip()})
    schedule = registry.inbounds["IB_ADT"].schedule
    assert schedule is not None
    assert (schedule.given, schedule.timezone) == (
        [("mon-fri", "06:00", "22:00")],
        "Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("Europe/Berlin", "Europe/Berln", 'timezone: "Europe/Berln" is not a time zone'),
        ("mon-fri", "mon-fry", 'windows: days: "fry" is no day'),
        ('"22:00"', '"06:00"', "windows: end: it is the start"),
        ("06:00", "6", 'windows: start: "6" is no time'),
        ("start =", "strat =", 'unknown key "strat"; did you mean "start"?'),
        ("windows =", "window =", 'unknown key "window"; did you mean "windows"?'),
        ("start =", 'timezone = "UTC", start =', "say timezone of the schedule"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, text: str) -> None:
    found = wrong(tmp_path, old, new)
    assert any(text in it and it.startswith("connections.toml:7: ") for it in found), found


def test_closed_needs_a_schedule(tmp_path: Path) -> None:
    found = wrong(tmp_path, SCHEDULE, "")
    assert found == ["connections.toml:5: inbound IB_ADT: closed needs a schedule"]
