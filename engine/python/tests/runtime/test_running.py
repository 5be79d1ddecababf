"""A graph at work: what it receives is stored, routed, transformed and delivered."""

import pytest
from fastmllp_engine import Message
from fastmllp_engine._native import EngineError
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import ConfigurationError, Inbound, Outbound, Send, Spec
from fastmllp_engine.graph.checked import changed
from partners import Partner, message
from running_engines import Feed, until


def kinds(feed: Feed, number: int) -> list[str]:
    return [event.kind for event in feed.engine.journey(number).events]


def test_a_message_is_delivered_through_python_functions(feed: Feed, partner: Partner) -> None:
    def to_lab(msg: Message) -> Send:
        msg["MSH-5"] = "L2"
        return Send("OB_LAB", msg)

    feed.handlers["to_lab"] = to_lab
    feed.start()
    assert feed.send(message("M1"), message("M2")) == [b"AA", b"AA"]
    received = partner.wait_for(2)
    assert [it.split(b"|")[9] for it in received] == [b"M1", b"M2"]
    assert all(b"|L2|" in it for it in received)
    until(lambda: feed.engine.why(2).message.disposition, lambda it: it == "PROCESSED")


def test_what_a_handler_raises_is_in_the_journey_without_what_it_says(feed: Feed) -> None:
    def to_lab(msg: Message) -> None:
        raise ValueError(msg["PID-5"])

    feed.handlers["to_lab"] = to_lab
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "ERROR")
    (answer,) = feed.engine.why(1).answers
    assert answer.reason == "failed"
    assert answer.said.startswith("ValueError at runtime/test_running.py:")
    assert answer.said.endswith(" in to_lab")
    assert "SECRETNAME" not in feed.engine.journey(1).text


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (7, "handler to_lab returned int; "),
        ({"OB_LAB": b"x"}, "handler to_lab returned str in an iterable; "),
        (b"MSH|SECRETNAME", "handler to_lab returned bytes; "),
        (["OB_LAB"], "handler to_lab returned str in an iterable; "),
    ],
)
def test_a_handler_that_returns_nonsense_ends_its_message_in_error(
    feed: Feed, made: object, note: str
) -> None:
    feed.handlers["to_lab"] = lambda msg: made
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "ERROR")
    assert feed.engine.why(1).answers[0].said == note + "return Send, an iterable of Sends or None"


def test_system_exit_in_a_handler_is_a_failure_of_its_message(feed: Feed) -> None:
    def to_lab(msg: Message) -> None:
        raise SystemExit(3)

    feed.handlers["to_lab"] = to_lab
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "ERROR")


def test_a_router_without_handlers_leaves_a_message_unrouted(feed: Feed) -> None:
    feed.routers["adt"] = lambda msg: None
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).message.disposition, lambda it: it == "UNROUTED")


def test_a_handler_that_does_not_accept_a_message_is_as_if_it_were_not_named(feed: Feed) -> None:
    registry = feed.registry()
    handler = changed(registry.handlers["to_lab"], accepts=lambda msg: msg["MSH-9.2"] == "A40")
    feed.registry = lambda: changed_registry(registry, handler)  # type: ignore[method-assign]
    feed.start()
    feed.send(message("M1"), message("M2", kind="ADT^A40"))
    until(lambda: feed.engine.why(2).message.disposition, lambda it: it == "PROCESSED")
    assert feed.engine.why(1).message.disposition == "UNROUTED"


def changed_registry(registry, handler):  # type: ignore[no-untyped-def]
    import dataclasses

    return dataclasses.replace(registry, handlers={"to_lab": handler})


def test_connections_without_auto_start_wait_for_an_operator(feed: Feed, partner: Partner) -> None:
    feed.outbounds[0] = changed(feed.outbounds[0], auto_start=False)
    feed.start()
    feed.send(message("M1"))
    answers = until(lambda: feed.engine.why(1).answers)
    answers = until(lambda: feed.engine.why(1).answers, lambda it: it[0].place == "OB_LAB")
    assert (answers[0].reason, answers[0].because) == ("stopped", "auto_start = false")
    feed.engine.switch("outbound", "OB_LAB", "output", "on", by="anna")
    partner.wait_for(1)
    feed.start()
    feed.send(message("M2"))
    partner.wait_for(2)


class Odd(Spec):
    """Settings of a transport that nothing carries out."""

    transport = "odd"
    receives = True
    sends = True


def test_everything_that_the_engine_refuses_is_said(feed: Feed) -> None:
    feed.outbounds.append(Outbound("OB_ODD", Odd()))
    feed.inbounds.append(Inbound("IB_ODD", Odd(), router="adt"))
    with pytest.raises(ConfigurationError) as caught:
        feed.start()
    assert [it.text.partition(":")[0] for it in caught.value.findings] == [
        "outbound OB_ODD",
        "inbound IB_ODD",
    ]


def test_a_data_folder_in_use_is_refused_and_left_alone(feed: Feed, partner: Partner) -> None:
    feed.start()
    second = Feed(feed.data, partner.port)
    with pytest.raises(EngineError) as caught:
        second.start()
    assert caught.value.exit_status == 4
    feed.send(message("M1"))
    partner.wait_for(1)


def test_a_port_in_use_is_said_with_the_inbound(feed: Feed, partner: Partner) -> None:
    feed.inbounds[0] = Inbound("IB_ADT", MLLP(port=partner.port), router="adt")
    with pytest.raises(EngineError) as caught:
        feed.start()
    assert caught.value.exit_status == 3
    assert "IB_ADT" in str(caught.value)
