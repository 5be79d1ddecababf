"""A folder of MessageFoundry as one of ours."""

import json
from pathlib import Path

import pytest
from fastmllp_engine.cli import main
from fastmllp_engine.compat.importing import SETTINGS
from fastmllp_engine.compat.table import REST, rows
from fastmllp_engine.graph import load
from test_feeds import FEED

SERVICE = """\
[store]
backend = "sqlite"
path = "x.db"

[inbound]
bind_host = "127.0.0.1"

[delivery]
retry_max_attempts = 7
retry_backoff_multiplier = 2.0

[retention]
messages_days = 0
dead_letter_days = 12

[security]
enforcement = "warn"
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    files = {
        "config/adt.py": FEED.replace('["to_lab", "to_bill"]', '["to_lab", TO_BILL]').replace(
            "@router", "from _names import TO_BILL\n\n\n@router", 1
        ),
        "config/_names.py": 'TO_BILL = "to_bill"\n',
        "config/codesets/wards.csv": "code,ward\nW1,WEST\n",
        "environments/dev.toml": "port = 2600\n",
        "messages/sets/a.hl7": "MSH|",
        SETTINGS: SERVICE,
    }
    for name, text in files.items():
        path = tmp_path / "theirs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "theirs"


def test_a_project_becomes_a_configuration_that_loads(
    theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "ours"
    assert main(["import", "messagefoundry", str(theirs), str(ours)]) == 1
    registry = load(ours, variables={})
    settings = registry.settings
    assert settings.delivery.retry.max_attempts == 7
    assert settings.delivery.retry.backoff_multiplier == 2
    assert settings.retention.bodies_days == "forever"
    assert settings.retention.dead_days == 12
    assert registry.inbounds["IB_ADT"].address == ("127.0.0.1", 2600)
    assert registry.code_sets["wards"]["W1"] == "WEST"
    assert not (ours / "messages").exists()
    out = capsys.readouterr().out.splitlines()
    assert f"wrote {ours}/_names.py" in out
    assert f"{SETTINGS}:3: [store] path: the store is the engine's own, in its data folder" in out
    assert (
        f"{SETTINGS}:9: note: [delivery] retry_max_attempts becomes [delivery.retry] max_attempts"
        in (out)
    )
    assert any(
        it.startswith("adt.py:8: note: outbound OB_LAB") or "RetryPolicy" in it for it in out
    )
    assert out[-1] == "2 things are refused"


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(
    theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "mine.py").write_text("")
    assert main(["import", "messagefoundry", str(theirs), str(ours)]) == 2
    assert [it.name for it in ours.iterdir()] == ["mine.py"]
    assert main(["import", "messagefoundry", str(tmp_path / "no"), str(tmp_path / "new")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["import", "messagefoundry", str(tmp_path / "empty"), str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()
    assert "has no modules and no connections.toml" in capsys.readouterr().err


def test_what_is_refused_is_counted(
    theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (theirs / SETTINGS).unlink()
    ours = tmp_path / "ours"
    assert main(["import", "messagefoundry", str(theirs / "config"), str(ours), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["refused"] == 0
    assert "environments/dev.toml" in said["written"]


@pytest.mark.parametrize("section", [it for it in rows() if it.startswith("settings.")])
def test_each_setting(section: str, tmp_path: Path) -> None:
    from fastmllp_engine.compat.importing import import_folder

    table = section.removeprefix("settings.").replace(REST, "anything")
    for key, row in rows()[section].items():
        name = "nothing_like_it" if key == REST else key
        theirs = tmp_path / f"theirs_{len(name)}_{name}"
        theirs.mkdir()
        (theirs / "adt.py").write_text(FEED)
        (theirs / SETTINGS).write_text(f"[{table}]\n{name} = {row.example}\n")
        done = import_folder(theirs, tmp_path / f"ours_{name}")
        (finding,) = (it for it in done.findings if it.place.file == SETTINGS)
        assert (finding.level == "error") == bool(row.refused)
        written = (tmp_path / f"ours_{name}" / "engine.toml").read_text()
        if row.becomes:
            section_, _, ours = row.becomes.rpartition(".")
            assert f"[{section_}]\n{ours} = {row.example}\n" in written
        else:
            assert name not in written
