"""``python -m fastmllp_engine.workers``: a configuration in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_side import HANDLER, ROUTER, WorkerProcess

ADT = b"MSH|^~\\&|A||||||ADT^A01|1|P|2.5\rPID|1||SECRET|||||F\r"

FEED = """
import gc, os, sys
from decimal import Decimal
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Send, env, handler, inbound, message_type_of, outbound, router
from rules import family

print("SECRET at import", os.getpid())
print(len(sys.stdin.read()), file=sys.stderr)
inbound("IB", MLLP(port=2600, encoding="latin-1"), router="adt")
outbound("OB", MLLP(host="localhost", port=2601))

@router("adt")
def route(msg):
    return ["to_lab", "only_oru"] if msg["PID-8"] != "frozen" else ["frozen"]

@handler("to_lab")
def to_lab(msg):
    if msg["PID-8"] != "F":
        return None
    out = msg.copy()
    out["PID-5.1"] = family(msg)
    return [Send("OB", msg), Send("OB", out)]

@handler("only_oru", accepts=message_type_of("ORU^R01"))
def only_oru(msg):
    return Send("OB", msg)

@handler("frozen")
def frozen(msg):
    return Send("OB", str(gc.get_freeze_count() > 1000 and gc.isenabled()))
"""

RULES = """
def family(msg):
    return {"SECRET": "M\\xfcller"}[msg["PID-3"]]
"""


def configuration(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return str(folder)


def worker(folder: str) -> WorkerProcess:
    return WorkerProcess("-m", "fastmllp_engine.workers", folder)


def test_a_configuration_is_run(tmp_path: Path) -> None:
    with worker(configuration(tmp_path, feed=FEED, rules=RULES)) as running:
        assert running.said() == ("hello", 1, ["adt"], ["frozen", "only_oru", "to_lab"])
        assert running.answer(ROUTER, "adt", ADT) == ("handlers", 0, ["to_lab"])
        oru = ADT.replace(b"ADT^A01", b"ORU^R01")
        assert running.answer(ROUTER, "adt", oru) == ("handlers", 0, ["to_lab", "only_oru"])
        changed = ADT.replace(b"SECRET||", b"SECRET||M\xfcller")
        assert running.answer(HANDLER, "to_lab", ADT) == (
            "sends",
            0,
            [("OB", None), ("OB", changed)],
        )
        assert running.answer(HANDLER, "to_lab", ADT.replace(b"F\r", b"M\r")) == ("sends", 0, [])
        assert running.answer(HANDLER, "frozen", ADT) == ("sends", 0, [("OB", b"True")])
        assert running.end() == 0


def test_an_exception_has_its_place_in_the_configuration(tmp_path: Path) -> None:
    with worker(configuration(tmp_path, feed=FEED, rules=RULES)) as running:
        running.said()
        failed = running.answer(HANDLER, "to_lab", ADT.replace(b"SECRET", b"HIDDEN"))
        assert failed[2:] == (
            False,
            "KeyError at rules.py:3 in family",
            "feed.py:22 in to_lab\nrules.py:3 in family\nKeyError",
        )


def test_what_is_wrong_with_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    wrong = FEED.replace('router="adt"', 'router="adr"')
    with worker(configuration(tmp_path, feed=wrong, rules=RULES, broken="def (")) as running:
        kind, text = running.said()
        assert kind == "refusal"
        assert f"{tmp_path}/broken.py:1: " in text and '"adr"' in text
        assert running.process.wait(30) == 0
    with worker(str(tmp_path / "nowhere")) as running:
        assert running.said()[0] == "refusal"


def test_a_configuration_that_ends_the_process_is_refused(tmp_path: Path) -> None:
    for text in ["import sys\nsys.exit('SECRET')", "raise KeyboardInterrupt('SECRET')"]:
        with worker(configuration(tmp_path, feed=text)) as running:
            kind, why = running.said()
            assert kind == "refusal" and "feed.py" in why
            assert running.process.wait(30) == 0


def test_control_c_at_a_terminal_does_not_end_a_worker(tmp_path: Path) -> None:
    with worker(configuration(tmp_path, feed=FEED, rules=RULES)) as running:
        running.said()
        os.kill(running.process.pid, signal.SIGINT)
        assert running.answer(ROUTER, "adt", ADT)[0] == "handlers"


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_the_locale_changes_nothing(
    tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in [("LC_ALL", locale), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")]:
        monkeypatch.setenv(name, value)
    rules = "# \u0130\u0131\n" + RULES.replace("\\\\xfc", "\u00fc")
    (tmp_path / "rules.py").write_text(rules, "utf-8")
    with worker(configuration(tmp_path, feed=FEED)) as running:
        running.said()
        assert running.answer(HANDLER, "to_lab", ADT)[2][1][1].count(b"M\xfcller") == 1


def test_by_hand_it_says_who_starts_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fastmllp_engine.workers", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1 and b"started by the engine" in done.stderr
