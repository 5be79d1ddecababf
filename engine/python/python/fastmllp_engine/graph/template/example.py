"""An example: patients' movements are sent on to one partner."""

from fastmllp_engine import MLLP, Message, Send, env, handler, inbound, outbound, router

inbound("IB_EXAMPLE", MLLP(port=2575), router="example")
outbound("OB_EXAMPLE", MLLP(host=env("example_host"), port=env("example_port", cast=int)))


@router("example")
def route(msg: Message) -> list[str]:
    """Choose the handlers of a message. What is not ADT is kept as UNROUTED."""
    return ["to_example"] if msg["MSH-9.1"] == "ADT" else []


@handler("to_example")
def handle(msg: Message) -> Send | None:
    """Filter and change a message, and say where it is sent."""
    if msg["PV1-2"] == "P":
        return None
    msg["MSH-5"] = "EXAMPLE"
    return Send("OB_EXAMPLE", msg)
