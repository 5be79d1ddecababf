"""`torture` is the program of that name: its arguments and its status."""

import os
from pathlib import Path

import pytest
from fastmllp_engine.cli import main


def test_arguments_and_status_are_those_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "fastmllp-torture"
    program.write_text('#!/bin/sh\necho "$@"\nexit 4\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert main(["torture", "--", "--plan", "kill", "--seconds", "60", "--seed", "7"]) == 4
    assert capfd.readouterr().out == "--plan kill --seconds 60 --seed 7\n"


def test_where_it_is_not_installed_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["torture"]) == 3
    assert "fastmllp-torture is not installed: cargo build" in capsys.readouterr().err
