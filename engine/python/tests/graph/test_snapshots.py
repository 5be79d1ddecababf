"""Snapshots, and which files a configuration has."""

import os
from pathlib import Path

import pytest
from fastmllp_engine.graph import ConfigurationError, load, read_folder, snapshot
from fastmllp_engine.graph import folder as folders
from feeds import ADT, write

FILES: dict[str, str | bytes] = {
    "adt.py": ADT,
    "_common.py": "X = 1\n",
    "environments/dev.toml": 'x = "ä"\n',
    "shared/tables.csv": b"a,b\n",
}

HASH = "c84db8aa"


def test_a_snapshot_loads_like_the_folder_and_is_made_once(tmp_path: Path) -> None:
    feeds, data = write(tmp_path / "feeds", FILES), tmp_path / "data"
    copy = snapshot(read_folder(feeds), data)
    original, copied = load(feeds, variables={}), load(copy, variables={})
    assert copy == data / "configurations" / original.hash
    assert copied == original
    assert copied.handlers["to_lab"].function.__code__.co_filename == str(copy / "adt.py")  # type: ignore[attr-defined]
    times = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert snapshot(read_folder(feeds), data) == copy
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == times
    assert os.listdir(data / "configurations") == [original.hash]
    assert {path.stat().st_mode & 0o222 for path in (copy, *copy.rglob("*"))} == {0}


def test_a_snapshot_that_was_changed_is_refused(tmp_path: Path) -> None:
    feeds, data = write(tmp_path / "feeds", FILES), tmp_path / "data"
    copy = snapshot(read_folder(feeds), data)
    (copy / "_common.py").chmod(0o644)
    (copy / "_common.py").write_text("X = 2\n")
    with pytest.raises(ConfigurationError, match="somebody has changed it"):
        snapshot(read_folder(feeds), data)


def test_what_is_left_of_a_crash_is_not_taken_for_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds, data = write(tmp_path / "feeds", FILES), tmp_path / "data"

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="No space"):
            snapshot(read_folder(feeds), data)
    assert os.listdir(data / "configurations") == []
    assert load(snapshot(read_folder(feeds), data), variables={}).hash == read_folder(feeds).hash


def test_the_hash_is_of_paths_and_bytes_alone(tmp_path: Path) -> None:
    first = write(tmp_path / "a", FILES)
    second = write(tmp_path / "b", dict(reversed(FILES.items())))
    os.utime(second / "adt.py", (0, 0))
    (second / "adt.py").chmod(0o755)
    expected = read_folder(first).hash
    assert read_folder(second).hash == expected
    assert expected.startswith(HASH)
    for ignored in ("data/x", "tests/IB_ADT/a.hl7", ".git/x", "shared/.x", "__pycache__/x.pyc"):
        write(second, {ignored: b"x"})
    assert read_folder(second).hash == expected
    for changed in ({"adt.py": ADT + "\n"}, {"shared/data/x": b""}):
        assert read_folder(write(second, changed)).hash != expected
        expected = read_folder(second).hash


def test_two_files_do_not_hash_like_others_with_the_same_bytes(tmp_path: Path) -> None:
    one = read_folder(write(tmp_path / "a", {"ab": b"c", "d": b""}))
    other = read_folder(write(tmp_path / "b", {"a": b"bc", "d": b""}))
    assert one.hash != other.hash


def test_the_data_folder_is_left_out_wherever_it_lies(tmp_path: Path) -> None:
    feeds = write(tmp_path / "feeds", FILES)
    expected = read_folder(feeds).hash
    data = feeds / "inner" / "store"
    copy = snapshot(read_folder(feeds, data), data)
    assert load(feeds, data=data, variables={}).hash == copy.name == expected
    write(data, {"store.db": b""})
    assert read_folder(feeds).hash == expected


def test_links_to_files_are_read_and_links_to_folders_refused(tmp_path: Path) -> None:
    feeds = write(tmp_path / "feeds", {"..data/adt.py": ADT, "..data/engine.toml": ""})
    (feeds / "adt.py").symlink_to("..data/adt.py")
    registry = load(feeds, variables={})
    assert registry.hash == read_folder(write(tmp_path / "plain", {"adt.py": ADT})).hash
    assert not (snapshot(read_folder(feeds), tmp_path / "data") / "adt.py").is_symlink()
    (feeds / "more").symlink_to(tmp_path)
    (feeds / "gone.py").symlink_to("nowhere")
    os.mkfifo(feeds / "pipe")
    with pytest.raises(ConfigurationError) as caught:
        load(feeds, variables={})
    assert [finding.line() for finding in caught.value.findings] == [
        "gone.py: No such file or directory",
        "more: this is a link to a folder, and only links to files are followed",
        "pipe: this is not a file",
    ]
    with pytest.raises(ConfigurationError):
        snapshot(read_folder(feeds), tmp_path / "data")


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MAX_FILE", 2_000)
    feeds = write(tmp_path, {"adt.py": ADT, "large.bin": b"x" * 2_001, "small.bin": b"x" * 2_000})
    (finding,) = read_folder(feeds).findings
    assert finding.line().startswith("large.bin: this file is too large")
