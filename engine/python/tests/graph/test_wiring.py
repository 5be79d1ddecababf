"""Names that lead nowhere, ports that are taken, circles: all at once, each with its line."""

from pathlib import Path

import pytest
from feeds import ADT, findings, loaded, notes, write

FUNCTIONS = """
    from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router
"""


MISTAKES = """
                [[inbound]]
                name = "IB_ADT"
                transport = "mllp"
                settings = { port = 2600 }
                # the router
                router = "atd"

                [[outbound]]
                name = "OB_LAB"
                transport = "mllp"
                retry = { max_atempts = 3 }
                settings.host = "lab"
                settings.port = 2601
                windo = 3

                [[inbound]]
                name = "IB_BILL"
                transport = "mllp"
                router = "adt"
                [inbound.settings]
                port = 2610
                prot = 1

                [[outbound]]
                name = "OB_BILL"
                transport = "mlp"

                [outbond]
            """


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = findings(
        tmp_path,
        {
            "connections.toml": MISTAKES,
            "oru.py": FUNCTIONS
            + """
    inbound("IB_ORU", MLLP(port=2610), router="adt")

    @router("adt")
    def route(msg):
        return ["to_bill", "to_lap"]

    @handler("to_lab")
    def to_lab(msg):
        return Send("OB_LAB", msg)

    @handler("to_bill")
    def to_bill(msg):
        return Send("OB_BIL", msg)
            """,
        },
    )
    assert said == [
        'connections.toml:6: inbound IB_ADT: unknown router "atd"; did you mean "adt"?',
        'connections.toml:11: outbound OB_LAB: unknown key "max_atempts"; '
        'did you mean "max_attempts"?',
        'connections.toml:14: outbound OB_LAB: unknown key "windo"; did you mean "window"?',
        'connections.toml:22: inbound IB_BILL: unknown key "prot"; did you mean "port"?',
        'connections.toml:26: outbound OB_BILL: unknown transport "mlp"; did you mean "mllp"?',
        'connections.toml:28: unknown table "outbond"; did you mean "outbound"?',
        f"oru.py:3: inbound IB_ORU: port 2610 is also the port of inbound IB_BILL "
        f"({tmp_path}/connections.toml:21)",
        'oru.py:7: router adt names unknown handler "to_lap"; did you mean "to_lab"?',
        'oru.py:15: handler to_bill sends to "OB_BIL"; did you mean "OB_BILL"?',
    ]


def test_one_name_means_one_thing(tmp_path: Path) -> None:
    said = findings(
        tmp_path,
        {
            "adt.py": ADT,
            "more.py": FUNCTIONS
            + """
    inbound("IB_ADT", MLLP(port=2700), router="adt")
    outbound("to_lab", MLLP(host="lab", port=2601))
    outbound("adt", MLLP(host="lab", port=2601))
            """,
        },
    )
    assert said == [
        "adt.py: note"
        if False
        else f"more.py:3: inbound IB_ADT: the name is declared twice ({tmp_path}/adt.py:3)",
        "more.py:4: outbound to_lab: the name is also the name of a handler "
        f"({tmp_path}/adt.py:10)",
        "more.py:5: note: outbound adt: no handler sends to it",
    ]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (
            'MLLP(port=2700), bind_address="10.0.0.1"',
            'MLLP(port=2700), bind_address="10.0.0.2"',
            False,
        ),
        (
            'MLLP(port=2700), bind_address="10.0.0.1"',
            'MLLP(port=2700), bind_address="0.0.0.0"',
            True,
        ),
        ("MLLP(port=2700)", 'MLLP(port=2700, host="localhost")', True),
        ("MLLP(port=2700)", 'MLLP(port=2700, host="::1")', False),
        ("MLLP(port=2700)", 'MLLP(port=2700, host="::")', True),
        ('MLLP(port=2700, host="::1")', 'MLLP(port=2700, host="0.0.0.0")', False),
        ("MLLP(port=2700)", "Tcp(port=2700)", True),
        ("MLLP(port=0)", "MLLP(port=0)", False),
    ],
)
def test_two_inbounds_cannot_listen_at_one_place(
    tmp_path: Path, one: str, other: str, clash: bool
) -> None:
    files = {
        "adt.py": ADT
        + f"""
    from fastmllp_engine import Tcp
    inbound("IB_ONE", {one}, router="adt")
    inbound("IB_TWO", {other}, router="adt")
    """
    }
    if clash:
        (said,) = findings(tmp_path, files)
        assert "port 2700 is also the port of inbound IB_ONE" in said
    else:
        assert loaded(tmp_path, files).inbounds.keys() == {"IB_ADT", "IB_ONE", "IB_TWO"}


def test_what_no_message_reaches_is_an_error(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT
        + """
    @router("unused")
    def unused(msg):
        return []

    @handler("unreached")
    def unreached(msg):
        return None

    @handler("chained")
    def chained(msg):
        return None

    @handler("chains")
    def chains(msg):
        return Send(to="chained", message=msg)
    """
    }
    assert findings(tmp_path, files) == [
        "adt.py:14: router unused: no inbound names it",
        "adt.py:18: handler unreached: no router names it, and no handler sends to it",
        "adt.py:26: handler chains: no router names it, and no handler sends to it",
    ]


def test_where_names_are_computed_nothing_is_sure(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        {
            "adt.py": FUNCTIONS
            + """
    inbound("IB_ADT", MLLP(port=2600), router="adt")
    outbound("OB_LAB", MLLP(host="lab", port=2601))

    @router("adt")
    def route(msg):
        return ["to_" + msg["MSH-6"]]

    @handler("to_lab")
    def to_lab(msg):
        return Send(f"OB_{msg['MSH-6']}", msg)
            """
        },
    )
    assert notes(registry) == [
        "adt.py:4: note: outbound OB_LAB: no handler sends to it",
        "adt.py:8: note: router adt names handlers by names that are computed",
        "adt.py:10: note: handler to_lab: no router names it, and no handler sends to it",
        "adt.py:12: note: handler to_lab sends to a name that is computed",
    ]
    assert registry.routers["adt"].is_computed and registry.handlers["to_lab"].is_computed


def test_a_circle_of_handlers_is_an_error_once(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT.replace("return Send(", 'return Send("b", msg), Send(')
        + """
    @handler("b")
    def b(msg):
        return Send("c", msg)

    @handler("c")
    def c(msg):
        return Send("to_lab", msg)
    """
    }
    assert findings(tmp_path, files) == [
        "adt.py:12: handlers send in a circle: b to c to to_lab to b"
    ]


def test_a_router_may_serve_two_inbounds(tmp_path: Path) -> None:
    files = {"adt.py": ADT + '\n    inbound("IB_TWO", MLLP(port=2601), router="adt")\n'}
    registry = loaded(tmp_path, files)
    assert [it.router for it in registry.inbounds.values()] == ["adt", "adt"]
    assert notes(registry) == []


def test_a_handler_may_send_to_a_pass_through_and_to_no_other_inbound(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT.replace(
            "return Send(", 'return Send("IB_HOP", msg), Send("IB_ADT", msg), Send('
        )
        + """
    from fastmllp_engine import PassThrough
    inbound("IB_HOP", PassThrough(), router="adt")
    """
    }
    assert findings(tmp_path, files) == [
        "adt.py:10: handlers send in a circle: to_lab to to_lab",
        'adt.py:12: handler to_lab sends to "IB_ADT", which is an inbound of another transport',
    ]


def test_what_a_broken_module_declares_is_not_missed(tmp_path: Path) -> None:
    files = {
        "a.py": FUNCTIONS
        + """
    boom
    inbound("IB_ADT", MLLP(port=2600), router="adt")
    outbound("OB_LAB", MLLP(host="lab", port=2601))
        """,
        "b.py": FUNCTIONS
        + """
    @router("adt")
    def route(msg):
        return "to_lab"

    @handler("to_lab")
    def to_lab(msg):
        return Send("OB_LAB", msg)
        """,
    }
    assert findings(tmp_path, files) == ["a.py:3: NameError: name 'boom' is not defined"]
    broken = {"connections.toml": '[[inbound]]\nname = "IB_ADT"\nname = "OB_LAB"\n', "a.py": ""}
    assert findings(tmp_path, broken) == [
        "connections.toml:3: this is not TOML: Cannot overwrite a value"
    ]


def test_connections_toml_says_what_is_wrong_with_its_values(tmp_path: Path) -> None:
    write(tmp_path, {"adt.py": ADT})
    said = findings(
        tmp_path,
        {
            "connections.toml": '''
                [[outbound]]
                transport = "mllp"
                name = "OB_BILL"
                metadata = { note = """
                [[inbound]]
                name = "not one"
                """ }
                key = [
                  "PID-3.1",
                ]
                settings.port = { env = "bill_port", cast = "integer" }
                settings.host = { env = "bill_host", defualt = "x" }
                capture_response = true

                [[outbound]]
                "name" = "OB_X"
                'spec' = 3

                [[inbound]]
                name = "IB_X"
                router = "adt"
                transport = "mllp"
                strict = true
                settings = { port = "2600" }
            '''
        },
        variables={"FASTMLLP_VALUE_BILL_PORT": "1"},
    )
    assert said == [
        "connections.toml:1: note: outbound OB_BILL: no handler sends to it",
        "connections.toml:8: outbound OB_BILL: key must be a text or nothing, is a list",
        'connections.toml:11: outbound OB_BILL: cast must be one of "str", "int", "float", "bool"',
        "connections.toml:11: outbound OB_BILL: port must be a whole number, is a text",
        'connections.toml:12: outbound OB_BILL: no value for "bill_host" '
        "(or FASTMLLP_VALUE_BILL_HOST)",
        'connections.toml:12: outbound OB_BILL: unknown key "defualt" beside env; '
        'did you mean "default"?',
        'connections.toml:13: outbound OB_BILL: unknown key "capture_response"',
        "connections.toml:15: note: outbound OB_X: no handler sends to it",
        'connections.toml:15: outbound OB_X: the key "transport" is missing',
        'connections.toml:17: outbound OB_X: unknown key "spec"',
        'connections.toml:23: inbound IB_X: the key "strict" is not supported by this version: '
        "strict validation: it belongs to a later version",
        "connections.toml:24: inbound IB_X: port must be a whole number, is a text",
    ]
