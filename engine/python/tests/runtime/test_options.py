"""Every option of a connection reaches the engine."""

import typing

import pytest
from fastmllp_engine import _native
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Inbound, Outbound, RetryPolicy, Settings
from fastmllp_engine.graph.checked import changed, parameters
from fastmllp_engine.runtime.options import inbound_options, outbound_options

SETTINGS = Settings()
TLS = {"tls": True, "tls_cert_file": "c.pem", "tls_key_file": "k.pem", "tls_ca_file": "ca.pem"}
IN = MLLP(port=1, **TLS)  # type: ignore[arg-type]
OUT = MLLP(port=1, host="lab", tls_server_name="lab", **TLS)  # type: ignore[arg-type]

OTHERS: dict[str, object] = {
    "profile": "strict",
    "over_limit": "close",
    "delimiters": "auto",
    "reply_rules": "CE=retry",
    "tls": False,
    "tls_client_auth": "optional",
    "tls_min_version": "1.3",
    "ack_mode": "enhanced",
    "ack_policy": "conformant",
    "ack_after": "delivered",
    "on_full": "wait",
    "ordering": "unordered",
    "key": "PID-3.1",
    "give_up_counts": "connected",
    "then": "held",
    "retry": RetryPolicy(max_attempts=7),
    "source_ip_allowlist": ["10.0.0.0/8"],
    "index": ["PID-3.1"],
}
"""Other values than the defaults, where a number is none."""

ONLY_IN = {
    "max_frame_bytes", "over_limit", "max_connections", "idle_timeout_seconds",
    "byte_timeout_seconds",
    "max_frame_seconds", "commit_blocks", "stop_timeout_seconds", "tls_client_auth",
}  # fmt: skip
ONLY_OUT = {
    "timeout_seconds", "max_reply_bytes", "reconnect_seconds", "max_reconnect_seconds",
    "reply_rules", "delimiters", "tls_server_name",
}  # fmt: skip
NOT_AN_OPTION = {"host", "port", "encoding", "persistent", "verify_ack_control_id"}
"""Given to the engine otherwise, or read by workers, or always so."""

OF_AN_INBOUND = {"content_type", "metadata", "auto_start", "router", "name", "spec", "bind_address"}
OF_AN_OUTBOUND = {"metadata", "auto_start", "name", "spec"}
LIMITS = {"capacity_messages", "capacity_bytes"}
HOURS = {"schedule", "closed"}
"""`Builder.schedule` gets them: `test_schedules.py`."""
WATCHED = {"alert_waiting"}
"""The watch reads it: `alerts/test_watch.py`."""
"""Given by `Builder.capacity`."""


def other(name: str, value: object) -> object:
    """Another value than this."""
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "other.pem" if isinstance(value, str) else 3


def keys(native: type) -> set[str]:
    return set(typing.get_type_hints(native))


def stub(name: str) -> set[str]:
    """The keywords that the stub of the native module gives to a class of options."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(_native.__file__).with_name("_native.pyi").read_text())
    (options,) = (it for it in tree.body if isinstance(it, ast.ClassDef) and it.name == name)
    fields = (it for it in options.body if isinstance(it, ast.AnnAssign))
    return {it.target.id for it in fields if isinstance(it.target, ast.Name)}


def test_every_keyword_of_the_engine_is_given() -> None:
    inbound, outbound = Inbound("IB", IN, router="r"), Outbound("OB", OUT)
    assert set(inbound_options(inbound, IN, SETTINGS)) == stub("InboundOptions")
    assert set(outbound_options(outbound, OUT, SETTINGS)) == stub("OutboundOptions")


@pytest.mark.parametrize("name", sorted(set(parameters(MLLP)) - NOT_AN_OPTION))
def test_every_parameter_of_mllp_changes_a_keyword(name: str) -> None:
    inbound, outbound = Inbound("IB", IN, router="r"), Outbound("OB", OUT)
    changed_in = changed(IN, **{name: other(name, getattr(IN, name))})
    changed_out = changed(OUT, **{name: other(name, getattr(OUT, name))})
    differs_in = inbound_options(inbound, changed_in, SETTINGS) != inbound_options(
        inbound, IN, SETTINGS
    )
    differs_out = outbound_options(outbound, changed_out, SETTINGS) != outbound_options(
        outbound, OUT, SETTINGS
    )
    assert differs_in == (name not in ONLY_OUT)
    assert differs_out == (name not in ONLY_IN)


@pytest.mark.parametrize(
    "name", sorted(set(parameters(Inbound)) - OF_AN_INBOUND - LIMITS - HOURS - WATCHED)
)
def test_every_parameter_of_an_inbound_changes_a_keyword(name: str) -> None:
    plain = Inbound("IB", IN, router="r")
    if name == "ack_timeout_seconds":
        plain = changed(plain, ack_after="delivered")
    different = changed(plain, **{name: other(name, getattr(plain, name))})
    assert inbound_options(different, IN, SETTINGS) != inbound_options(plain, IN, SETTINGS)


@pytest.mark.parametrize(
    "name", sorted(set(parameters(Outbound)) - OF_AN_OUTBOUND - LIMITS - HOURS - WATCHED)
)
def test_every_parameter_of_an_outbound_changes_a_keyword(name: str) -> None:
    plain = Outbound("OB", OUT, key="PID-2") if name == "also" else Outbound("OB", OUT)
    value = "MRG-1.1" if name == "also" else other(name, getattr(plain, name))
    different = changed(plain, **{name: value})
    assert outbound_options(different, OUT, SETTINGS) != outbound_options(plain, OUT, SETTINGS)


@pytest.mark.parametrize("name", sorted(parameters(RetryPolicy)))
def test_every_parameter_of_a_retry_policy_changes_a_keyword(name: str) -> None:
    plain = Outbound("OB", OUT, retry=RetryPolicy())
    assert plain.retry is not None
    retry = changed(plain.retry, **{name: other(name, getattr(plain.retry, name))})
    different = changed(plain, retry=retry)
    assert outbound_options(different, OUT, SETTINGS) != outbound_options(plain, OUT, SETTINGS)


def test_days_that_an_inbound_does_not_give_are_those_of_all() -> None:
    inbound = Inbound("IB", IN, router="r", bodies_days=7, dead_days="forever")
    assert inbound_options(inbound, IN, SETTINGS)["keep_days"] == (7, 400, None)


def test_forever_is_said_and_not_left_out() -> None:
    outbound = Outbound("OB", OUT, retry=RetryPolicy(max_attempts="forever"))
    options = outbound_options(outbound, OUT, SETTINGS)
    assert (options["max_attempts"], options["retry_forever"]) == (None, True)
