"""The bundle for those who help: enough to help with, and nothing of a patient."""

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmllp_engine.api.serving import Api
from fastmllp_engine.cli import main
from partners import Partner, message
from running_engines import Feed, until


@pytest.fixture
def running(feed: Feed, partner: Partner) -> Iterator[Feed]:
    """A feed with a message, words of an operator, and a partner that is gone."""
    partner.close()
    api = Api(feed.start())
    feed.send(message("SECRETID"))
    until(lambda: feed.engine.status().lanes[2].lost)
    feed.engine.switch("outbound", "OB_LAB", "output", "paused", by="eve", because="SECRETWORDS")
    yield feed
    api.close()


def written(folder: Path, feed: Feed) -> dict[str, str]:
    file = folder / "support.zip"
    assert main(["support", "--data", str(feed.data), "--out", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_it_says_how_everything_stands_and_nothing_of_a_patient(
    running: Feed, tmp_path: Path
) -> None:
    parts = written(tmp_path, running)
    lane = json.loads(parts["status.json"])["lanes"][2]
    assert (lane["name"], lane["depth"]) == ("OB_LAB", 1)
    assert lane["output"]["flow"] == "paused" and lane["output"]["reason"] == "..."
    # What an operator has paused is not in the way.
    assert json.loads(parts["health.json"]) == {"status": "ok", "problems": []}
    assert 'fastmllp_received_total{connection="IB_ADT"} 1' in parts["metrics.txt"]
    assert json.loads(parts["files.json"])["files"]["store.db"] > 0
    assert "fastmllp-engine" in json.loads(parts["about.json"])["packages"]
    for name, text in parts.items():
        assert "SECRET" not in text, name


def test_of_an_engine_that_does_not_run_it_says_what_can_be_seen(
    feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.start()
    feed.close()
    parts = written(tmp_path, feed)
    assert "status.json" not in parts
    assert parts["unreachable.txt"].strip()
    assert "store.db" in json.loads(parts["files.json"])["files"]
    capsys.readouterr()
    assert main(["support", "--data", str(feed.data), "--out", str(tmp_path / "support.zip")]) == 2
    assert "File exists" in capsys.readouterr().err
