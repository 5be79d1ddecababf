"""The names in the code of routers and handlers, read without running it."""

from pathlib import Path

import pytest
from feeds import loaded

FUNCTIONS = """
    from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router
"""


@pytest.mark.parametrize(
    ("body", "names", "computed"),
    [
        ('return ["a", "b"] if msg else ("c",)', "abc", False),
        ('return "a" if msg else None', "a", False),
        ("return []", "", False),
        ("return", "", False),
        ('yield "a"\nyield from ["b"]', "ab", False),
        (
            'names = ["a"]\nif msg:\n    names.append("b")\nnames += ["c"]\nreturn names',
            "abc",
            False,
        ),
        ("return ONE", "a", False),
        ("return MANY", "bc", False),
        ('return TABLE[msg["MSH-9"]]', "abc", False),
        ('return TABLE.get(msg["MSH-9"], "d")', "abcd", False),
        ("return Kind.A", "a", False),
        ("return choose(msg)", "bd", False),
        ("return [name for name in MANY if msg[name]]", "bc", False),
        ("for name in MANY:\n    yield name", "bc", False),
        ('return "a" + msg["MSH-6"]', "", True),
        ('return [msg["MSH-6"]]', "", True),
        ("return f'{msg}'", "", True),
        ("name = msg['MSH-6']\nreturn name", "", True),
        ("def inner():\n    return 'x'\nreturn 'a'", "a", False),
        ("return sorted(MANY)", "bc", False),
        ("import os\nreturn os.environ['X']", "", True),
    ],
)
def test_the_names_in_a_routers_code_are_read(
    tmp_path: Path, body: str, names: str, computed: bool
) -> None:
    lines = body.replace("\n", "\n        ")
    handlers = "".join(
        f'\n    @handler("{name}")\n    def handle_{name}(msg): return None\n' for name in "abcd"
    )
    files = {
        "adt.py": FUNCTIONS
        + f"""
    from enum import StrEnum

    ONE = "a"
    MANY = ("b", "c")
    TABLE = {{"ADT": "a", "ORU": ["b", "c"]}}

    class Kind(StrEnum):
        A = "a"

    def choose(msg):
        return "b" if msg else ["d"]

    inbound("IB_ADT", MLLP(port=2600), router="adt")

    @router("all")
    def everything(msg): return ["a", "b", "c", "d"]

    inbound("IB_ALL", MLLP(port=2601), router="all")

    @router("adt")
    def route(msg):
        {lines}
    {handlers}
    """
    }
    router = loaded(tmp_path, files).routers["adt"]
    assert ("".join(router.names), router.is_computed) == (names, computed)


@pytest.mark.parametrize(
    ("body", "sends", "computed"),
    [
        ('return Send("a", msg)', "a", False),
        ('for one in "xy":\n    yield Send("b", msg)', "b", False),
        ("sends = []\nsends.append(Send(ONE, msg))\nreturn sends", "a", False),
        ("return [Send(name, msg) for name in MANY]", "bc", False),
        ("for name in MANY:\n    yield Send(name, msg)", "bc", False),
        ("return both(msg)", "ab", False),
        ('msg["MSH-6"] = named(msg)\nreturn Send("a", msg)', "a", False),
        ("return [engine.Send('c', msg), Later('d', msg)]", "cd", False),
        ("return None", "", False),
        ("return outside(msg)", "", True),
        ('return Send(msg["MSH-6"], msg)', "", True),
    ],
)
def test_the_targets_in_a_handlers_code_are_read(
    tmp_path: Path, body: str, sends: str, computed: bool
) -> None:
    lines = body.replace("\n", "\n        ")
    files = {
        "_more.py": """
            from fastmllp_engine import Send

            def both(msg):
                return [Send("a", msg), one(msg)]

            def one(msg):
                return Send("b", msg) if msg else both(msg)

            def named(msg):
                return str(msg["MSH-4"])
        """,
        "adt.py": FUNCTIONS
        + f"""
    import fastmllp_engine as engine
    from copy import copy as outside
    from fastmllp_engine import Send as Later
    from _more import both, named

    ONE = "a"
    MANY = ("b", "c")

    inbound("IB_ADT", MLLP(port=2600), router="adt")
    for name in "abcd":
        outbound(name, MLLP(host="lab", port=2601))

    @router("adt")
    def route(msg):
        return "to"

    @handler("to")
    def handle(msg):
        {lines}
    """,
    }
    to = loaded(tmp_path, files).handlers["to"]
    assert ("".join(to.sends), to.is_computed) == (sends, computed)
