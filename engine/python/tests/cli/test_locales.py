"""Every command and a whole engine under locales that are Turkish, not UTF-8, or none at all."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from partners import Partner, message, send
from running_engines import until
from serving import Server

FEED = """
from fastmllp_engine import MLLP, Send, env, handler, inbound, outbound, router

inbound("IB_MÜLLER", MLLP(port=0), router="größe")
outbound("OB_BÜRO_İıI", MLLP(host="127.0.0.1", port={port}))


@router("größe")
def route(msg):
    return ["nach_büro"]


@handler("nach_büro")
def nach_büro(msg):
    msg["MSH-5"] = env("ziel", default="Büro İ")
    return Send("OB_BÜRO_İıI", msg)
"""
LOCALES = ("C", "POSIX", "tr_TR.UTF-8", "tr_TR.ISO-8859-9")


@pytest.fixture(params=LOCALES)
def locale(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Has every process of the test run under a locale, without help of Python's."""
    name: str = request.param
    if "." in name:
        compiled = tmp_path_factory.getbasetemp() / "locales"
        compiled.mkdir(exist_ok=True)
        if shutil.which("localedef") is None:
            pytest.skip("there is no localedef")
        if not (compiled / name).exists():
            form = ["localedef", "-i", "tr_TR", "-f", name.partition(".")[2], str(compiled / name)]
            # Status 1: made, with warnings.
            if subprocess.run(form, capture_output=True, check=False).returncode > 1:
                pytest.skip("there are no sources of locales")
        monkeypatch.setenv("LOCPATH", str(compiled))
    settings = {"LC_ALL": name, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    for key in ("LANG", "LC_CTYPE", "PYTHONIOENCODING"):
        monkeypatch.delenv(key, raising=False)
    said = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.getencoding())"
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert ("UTF-8" in ran.stdout) == ("UTF-8" in name), ran.stdout
    return name


def run(*arguments: str | bytes | Path, more: Mapping[str, str] = {}) -> tuple[int, str]:  # noqa: B006
    """The status of a command, and what it prints."""
    # A terminal gives what is typed in its own character set, a file by the bytes of its name.
    form = "iso-8859-9" if "8859" in os.environ["LC_ALL"] else "utf-8"
    given = [it.encode(form) if isinstance(it, str) else os.fsencode(it) for it in arguments]
    ran = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine", *given],
        capture_output=True, check=False, timeout=50, env={**os.environ, **more},
    )  # fmt: skip
    said = (ran.stdout + ran.stderr).decode("utf-8", "replace")
    assert "Traceback" not in said, said
    return ran.returncode, said


@pytest.mark.timeout(180)
def test_every_command_works(
    locale: str, tmp_path: Path, partner: Partner, servers: list[Server]
) -> None:
    feeds = tmp_path / "fährten_İ"
    assert run("init", feeds)[0] == 0
    assert run("check", feeds)[0] == 0
    shutil.rmtree(feeds)
    feeds.mkdir()
    (feeds / "größe.py").write_text(FEED.format(port=partner.port), encoding="utf-8")
    golden = feeds / "tests" / "IB_MÜLLER"
    (golden / "ä.expected").mkdir(parents=True)
    (golden / "ä.hl7").write_bytes(message("M1"))
    expected = message("M1").replace(b"|LAB|", "|Büro İ|".encode())
    (golden / "ä.expected" / "OB_BÜRO_İıI.hl7").write_bytes(expected)
    assert run("check", feeds) == (0, "2 connections, 1 router, 1 handler, 1 golden test\n")
    for form in ("text", "mermaid", "svg", "json"):
        assert run("graph", feeds, "--format", form)[0] == 0
    file = tmp_path / "ü.hl7"
    file.write_bytes(message("M1", patient="Ä").replace(b"JANE", b"J\xff"))
    assert run("dryrun", feeds, file, "--twice", "--show-phi")[0] == 0
    servers.append(server := Server(str(feeds)))
    assert send(server.port(), [message("M1"), message("MÜ-İ")]) == [b"AA", b"AA"]
    assert "|Büro İ|".encode() in partner.wait_for(2)[1]
    data = ("--data", feeds / "data")
    until(lambda: run("show", "2", *data), lambda it: "PROCESSED" in it[1])
    for words in (
        ["status"], ["messages"], ["messages", "--json"], ["show", "2", "--show-phi"],
        ["why", "2"], ["dead"], ["held", "list"], ["retention", "status"], ["verify"], ["reload"],
        ["pause", "OB_BÜRO_İıI", "--because", "Übung İ"], ["status"], ["start", "OB_BÜRO_İıI"],
        ["retry", "OB_BÜRO_İıI"], ["stop", "IB_MÜLLER"], ["start", "IB_MÜLLER"],
    ):  # fmt: skip
        status, said = run(words[0], *words[1:], *data)
        assert status == 0, (words, said)
    assert server.end() == 0
    assert run("verify", *data)[0] == 0
    assert not any("Traceback" in it or "SECRETNAME" in it for it in server.errors)


def test_names_and_values_that_are_no_text_are_said(locale: str, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "feed.py").write_text(FEED.format(port=1), encoding="utf-8")
    odd = os.fsencode(feeds) + b"/n\xff.py"
    with open(odd, "wb") as file:
        file.write(b"# nothing\n")
    status, said = run("check", feeds)
    assert status == 2 and "ufffd.py" in said and "UTF-8" in said
    os.unlink(odd)
    value = os.fsdecode(b"\xff")
    status, said = run("check", feeds, more={"FASTMLLP_VALUE_ZIEL": value})
    assert status == 0, said
