"""Feeds for MessageFoundry, loaded and run."""

from pathlib import Path

import pytest
from fastmllp_engine.compat.message import Message, RawMessage
from fastmllp_engine.graph import ConfigurationError, Registry, check, load, run
from partners import message

FEED = """
from messagefoundry import (
    MLLP, RetryPolicy, Send, current_ingest_time, env, handler, inbound, message_type_of,
    outbound, router,
)

inbound("IB_ADT", MLLP(port=env("port", cast=int)), router="adt", strict=False)
outbound("OB_LAB", MLLP(host="127.0.0.1", port=2601), retry=RetryPolicy(max_attempts=None))


@router("adt")
def route(msg):
    return ["to_lab", "to_bill"]


@handler("to_lab")
def to_lab(msg):
    if msg["PID-99"] is None and msg["PID-2"] is None and current_ingest_time() == 1767225600.0:
        msg["PID-5"] = "DOE^JIM"
        msg["PV1-3.1"] = "A^B"
    before = Send("OB_LAB", msg)
    msg["PID-5"] = "LATER"
    return [before]


@handler("to_bill", accepts=message_type_of("ORU"))
def to_bill(msg):
    return (Send("OB_LAB", m) for m in [msg.encode()])
"""
ENGINE = "[compat]\nmessagefoundry = true\n"


def feeds(folder: Path, module: str = FEED, engine: str = ENGINE, **files: str) -> Path:
    (folder / "engine.toml").write_text(engine)
    (folder / "adt.py").write_text(module)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


def loaded(folder: Path) -> Registry:
    return load(folder, variables={"MEFOR_VALUE_PORT": "2600"})


def test_functions_get_and_return_what_they_know(tmp_path: Path) -> None:
    registry = loaded(feeds(tmp_path))
    assert registry.inbounds["IB_ADT"].spec.port == 2600
    assert registry.outbounds["OB_LAB"].retry.max_attempts == "forever"
    assert registry.handlers["to_lab"].sends == ("OB_LAB",)
    made = run(registry, registry.inbounds["IB_ADT"], message("M1"))
    assert made.failures == []
    (sent,) = made.sent
    assert sent.payload == message("M1").replace(b"SECRETNAME^JANE", b"DOE^JIM").replace(
        b"|W1", rb"|A\S\B"
    )


def test_what_they_ask_of_a_message_is_an_error_with_its_line(tmp_path: Path) -> None:
    feeds(tmp_path, FEED.replace("before = Send", "msg.groups(); before = Send"))
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path)
    assert [it.line() for it in caught.value.findings if it.level == "error"] == [
        'adt.py:21: messagefoundry: "msg.groups": say msg.segments of fastmllp_engine'
    ]


def test_without_the_setting_the_import_says_what_to_set(tmp_path: Path) -> None:
    feeds(tmp_path, engine="")
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path)
    assert "adt.py:2: messagefoundry is imported: say [compat] messagefoundry = true in engine" in (
        str(caught.value)
    )


def test_connections_as_data_have_the_same_verdicts(tmp_path: Path) -> None:
    feeds(
        tmp_path,
        functions_only(),
        connections="""\
[[inbound]]
name = "IB_ADT"
transport = "mllp"
router = "adt"
settings = { port = 2600, tls_verify = false, persistent = false }

[[outbound]]
name = "OB_LAB"
transport = "mllp"
simulate = false
internal_error = "stop"
settings = { host = "lab", port = 2601 }
""",
    )
    report = check(tmp_path, variables={})
    errors = [it.line() for it in report.findings if it.level == "error"]
    assert errors == [
        'connections.toml:5: inbound IB_ADT: messagefoundry: the key "tls_verify": the certificate '
        "of a partner is always verified",
        'connections.toml:11: outbound OB_LAB: messagefoundry: the key "internal_error": an error '
        "of a handler ends that message in ERROR, and the lane goes on",
    ]
    assert any("a connection is always kept" in it.text for it in report.findings)


def functions_only() -> str:
    names = "Send, current_ingest_time, handler, message_type_of, router"
    return f"from messagefoundry import {names}\n\n\n" + FEED[FEED.index("@router") :]


def test_check_lists_what_is_alike_and_what_differs(tmp_path: Path) -> None:
    report = check(feeds(tmp_path), variables={"MEFOR_VALUE_PORT": "2600"})
    assert report.status == 0
    alike = [it.line() for it in report.findings if "alike" in it.text]
    assert len(alike) == 1
    for name in ("Message.encode", "inbound.router", " handler,", " router"):
        assert name in alike[0]
    differs = {it.place.line for it in report.findings if "differs" in it.text}
    assert {3, 4, 8} >= differs


def test_they_get_nothing_of_the_package_itself(tmp_path: Path) -> None:
    feeds(tmp_path, FEED + "\nimport messagefoundry\nassert 'compat' in messagefoundry.__name__\n")
    loaded(tmp_path)
    feeds(tmp_path, FEED + "\nimport messagefoundry.config.wiring\n")
    with pytest.raises(ConfigurationError, match="only names of the package itself"):
        loaded(tmp_path)


def test_each_name_of_an_import_is_looked_at(tmp_path: Path) -> None:
    feeds(tmp_path, FEED.replace("MLLP, RetryPolicy,", "MLLP, SetState, Sendd, RetryPolicy,"))
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path)
    assert [it.line() for it in caught.value.findings if it.level == "error"] == [
        'adt.py:3: messagefoundry has no "Sendd" that is known here; did you mean "Send"?',
        'adt.py:3: messagefoundry: "SetState": state belongs to a later version',
    ]


def test_a_schedule_has_the_time_zone_of_its_windows(tmp_path: Path) -> None:
    window = "ActiveWindow(start='06:00', end='22:00', timezone='Europe/Berlin')"
    text = FEED.replace("router,\n)", "router, Schedule, ActiveWindow,\n)").replace(
        "strict=False", f"schedule=Schedule(windows=[{window}])"
    )
    schedule = loaded(feeds(tmp_path, text)).inbounds["IB_ADT"].schedule
    assert schedule is not None
    assert (schedule.timezone, schedule.given) == ("Europe/Berlin", [("", "06:00", "22:00")])
    other = window.replace("Berlin", "Paris")
    feeds(tmp_path, text.replace(window, f"{window}, {other}"))
    with pytest.raises(ConfigurationError, match="its windows share one time zone"):
        loaded(tmp_path)


ESCAPED = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|M1|P|2.5\rNTE|1|a|a \\T\\ b\\.br\\c~x\\R\\y|\\F\\\r"


def test_a_whole_field_is_read_as_it_stands_and_written_so() -> None:
    msg = Message.parse(ESCAPED)
    assert msg["NTE-4"] == "\\F\\" and msg["NTE-4.1"] == "|"
    assert msg["NTE-3"] == "a \\T\\ b\\.br\\c~x\\R\\y"
    assert msg.field("NTE-3", repetition=2) == msg.field("NTE[1]-3[2]") == "x\\R\\y"
    assert msg.repetitions("NTE-3") == ["a \\T\\ b\\.br\\c", "x\\R\\y"]
    assert (msg["MSH-2"], msg["MSH-9"], msg["NTE-9"]) == ("^~\\&", "ADT^A01", None)
    for field in ("NTE-3", "NTE-4", "MSH-9"):
        msg[field] = msg[field] or ""
    assert msg.encode() == str(msg) == ESCAPED


def test_a_text_of_a_message_is_the_message() -> None:
    assert f"{Message.parse(ESCAPED)}" == ESCAPED
    assert str(RawMessage('{"a": 1}')) == '{"a": 1}'
    msg = Message.parse(ESCAPED)
    assert getattr(msg, "no_such_name", 7) == 7 and not hasattr(msg, "another")
    with pytest.raises(AttributeError, match="only its inbound knows it"):
        _ = RawMessage("x").content_type


DECLARED = """
from messagefoundry import MLLP, Send, handler, inbound, outbound, router

inbound("IB", MLLP(port=2600), router="r", messages_days=0, {more})
outbound("OB", MLLP(host="lab", port=2601))


@router("r")
def route(msg):
    return ["h"]


@handler("h")
def handle(msg):
    return Send("OB", msg)
"""


def test_no_days_keep_what_they_kept_there_and_a_time_zone_stays(tmp_path: Path) -> None:
    window = "windows=[{'start': '06:00', 'end': '22:00'}]"
    schedule = f"schedule=dict({window}, timezone='Europe/Berlin')"
    one = loaded(feeds(tmp_path, DECLARED.format(more=schedule))).inbounds["IB"]
    assert one.bodies_days == "forever"
    assert one.schedule is not None and one.schedule.timezone == "Europe/Berlin"


@pytest.mark.parametrize("more", ["schedule={'windows': 'x'}", "content_type=['x']"])
def test_what_has_no_sense_is_a_finding(tmp_path: Path, more: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(feeds(tmp_path, DECLARED.format(more=more)))
    errors = [finding for finding in caught.value.findings if finding.level == "error"]
    assert any(finding.place.line == 4 for finding in errors)
    assert "Traceback" not in str(caught.value)
