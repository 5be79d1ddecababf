"""From files to a registry: modules, helpers, environments, settings."""

import sys
from pathlib import Path

import pytest
from fastmllp_engine._native import Message
from fastmllp_engine.graph import ConfigurationError, RetryPolicy, load
from feeds import ADT, findings, loaded, write
from graph_messages import adt

SEED = """
    from fastmllp_engine import MLLP, Send, env, handler, inbound, outbound, router

    inbound("IB_ACME_ADT", MLLP(port=2600), router="acme_adt_router")
    outbound("OB_ACME_ADT", MLLP(host=env("acme_adt_host"), port=env("acme_adt_port", cast=int)))

    @router("acme_adt_router")
    def route(msg):
        return ["acme_adt_handler"]      # decide where it goes

    @handler("acme_adt_handler")
    def handle(msg):
        # filter / transform here
        return Send("OB_ACME_ADT", msg)  # deliver to the outbound
"""


def test_the_first_example_of_the_users_document_loads_and_runs(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        {
            "acme.py": SEED,
            "environments/dev.toml": 'acme_adt_host = "localhost"\nacme_adt_port = 2601\n',
            "environments/prod.toml": 'acme_adt_host = "acme"\nacme_adt_port = "2700"\n',
        },
        "prod",
    )
    inbound, outbound = registry.inbounds["IB_ACME_ADT"], registry.outbounds["OB_ACME_ADT"]
    assert inbound.address == ("127.0.0.1", 2600)
    assert (outbound.spec.host, outbound.spec.port) == ("acme", 2700)  # type: ignore[attr-defined]
    assert str(outbound.place) == "acme.py:4"
    assert outbound.retry == RetryPolicy()
    message = Message(adt())
    (name,) = registry.routers[inbound.router].function(message) or ()
    sent = registry.handlers[name].function(message)
    assert (sent.to, sent.payload) == ("OB_ACME_ADT", adt())  # type: ignore[union-attr]
    assert registry.summary == "2 connections, 1 router, 1 handler"
    assert registry.environment == "prod"


def test_toml_and_python_make_the_same_registry(tmp_path: Path) -> None:
    functions = """
        from fastmllp_engine import Send, handler, router

        @router("adt")
        def route(msg):
            return "to_lab"

        @handler("to_lab")
        def handle(msg):
            return Send("OB_LAB", msg)
    """
    connections = """
        from fastmllp_engine import MLLP, RetryPolicy, env, inbound, outbound

        inbound("IB_ADT", MLLP(port=2600), router="adt", ack_mode="enhanced", index=["PID-3.1"])
        outbound(
            "OB_LAB",
            MLLP(host=env("lab", default="lab"), port=env("lab_port", cast=int), tls=True,
                 tls_ca_file="ca.pem"),
            key="PID-3.1", also=["MRG-1.1"], window=4, then="held",
            retry=RetryPolicy(max_attempts="forever", backoff_seconds=1),
        )
    """
    toml = """
        [[inbound]]
        name = "IB_ADT"
        transport = "mllp"
        router = "adt"
        ack_mode = "enhanced"
        index = ["PID-3.1"]
        settings = { port = 2600 }

        [[outbound]]
        name = "OB_LAB"
        transport = "mllp"
        key = "PID-3.1"
        also = ["MRG-1.1"]
        window = 4
        then = "held"
        retry = { max_attempts = "forever", backoff_seconds = 1 }
        [outbound.settings]
        host = { env = "lab", default = "lab" }
        port = { env = "lab_port", cast = "int" }
        tls = true
        tls_ca_file = "ca.pem"
    """
    environment = {"environments/dev.toml": "lab_port = 2601\n", "_functions.py": functions}
    use = {"functions.py": functions}
    python = loaded(tmp_path / "a", {**environment, **use, "connections.py": connections})
    data = loaded(tmp_path / "b", {**environment, **use, "connections.toml": toml})
    assert python.inbounds == data.inbounds
    assert python.outbounds == data.outbounds
    assert str(data.outbounds["OB_LAB"].place_of("window")) == "connections.toml:14"
    assert str(data.outbounds["OB_LAB"].spec.place_of("tls_ca_file")) == "connections.toml:21"


def test_values_come_from_variables_before_the_file_and_the_default(tmp_path: Path) -> None:
    files = {
        "adt.py": SEED,
        "environments/dev.toml": 'acme_adt_host = "file"\nacme_adt_port = 1\n',
    }
    variables = {"FASTMLLP_VALUE_ACME_ADT_PORT": "2"}
    spec = load(write(tmp_path, files), variables=variables).outbounds["OB_ACME_ADT"].spec
    assert (spec.host, spec.port) == ("file", 2)  # type: ignore[attr-defined]


def test_a_value_that_is_missing_is_named_with_its_line(tmp_path: Path) -> None:
    said = findings(tmp_path, {"acme.py": SEED, "environments/dev.toml": 'acme_adt_hots = "x"\n'})
    assert said == [
        'acme.py:4: no value for "acme_adt_host" in environment dev; did you mean "acme_adt_hots"?',
        'acme.py:4: no value for "acme_adt_port" in environment dev; did you mean "acme_adt_hots"?',
    ]


def test_a_value_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    files = {"acme.py": SEED}
    variables = {
        "FASTMLLP_VALUE_ACME_ADT_PORT": "secret",
        "FASTMLLP_VALUE_ACME_ADT_HOST": "lab",
    }
    assert findings(tmp_path, files, variables=variables) == [
        'acme.py:4: int cannot read the value of "acme_adt_port" '
        "(FASTMLLP_VALUE_ACME_ADT_PORT): ValueError"
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "environments: there are several; say which one: dev, prod"),
        ("prot", 'environments: there is no environment "prot"; did you mean "prod"?'),
    ],
)
def test_the_environment_has_to_be_known(tmp_path: Path, name: str | None, said: str) -> None:
    files = {"adt.py": ADT, "environments/dev.toml": "", "environments/prod.toml": ""}
    assert findings(tmp_path, files, name) == [said]


def test_the_environment_can_be_asked_for_while_a_message_runs(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT
        + """
    from fastmllp_engine import current_environment, env

    def asked():
        return current_environment(), env("site")
    """,
        "environments/dev.toml": 'site = "one"\n',
        "environments/prod.toml": 'site = "two"\n',
    }
    for name, site in (("dev", "one"), ("prod", "two")):
        registry = loaded(tmp_path, files, name)
        asked = registry.routers["adt"].function.__globals__["asked"]  # type: ignore[attr-defined]
        assert asked() == (name, site)


def test_helpers_are_shared_by_the_modules_of_a_load_and_by_nobody_else(tmp_path: Path) -> None:
    files = {
        "_common.py": "PORT = 2600\nseen = []\n",
        "shared/__init__.py": "",
        "shared/_names.py": "from . import _more\nLAB = _more.LAB\n",
        "shared/_more.py": 'LAB = "OB_LAB"\n',
        "adt.py": """
            import json as plain_json
            import _common
            from _common import seen
            import shared._names
            import shared._names as names
            from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

            seen.append(__name__)
            inbound("IB_ADT", MLLP(port=_common.PORT), router="adt")
            outbound(shared._names.LAB, MLLP(host="lab", port=2601))

            @router("adt")
            def route(msg):
                return "to_lab"

            @handler("to_lab")
            def handle(msg):
                import _common
                seen_by = plain_json.dumps(len(seen))
                return [Send(names.LAB, str(_common.PORT)), Send(names.LAB, seen_by)]
        """,
        "oru.py": "from _common import seen\nseen.append(__name__)\n",
        "json.py": "# Python's own comes first\n",
    }
    before = {name for name in sys.modules if not name.startswith("_fastmllp_engine")}
    first = loaded(tmp_path, files)
    second = loaded(tmp_path, {"_common.py": "PORT = 2610\nseen = []\n"})
    after = {name for name in sys.modules if not name.startswith("_fastmllp_engine")}
    for registry, port in ((first, 2600), (second, 2610), (first, 2600)):
        sent = registry.handlers["to_lab"].function(None)
        assert [it.payload for it in sent] == [b"%d" % port, b"2"]  # type: ignore[union-attr]
        assert registry.inbounds["IB_ADT"].address == ("127.0.0.1", port)
    assert first.handlers["to_lab"].sends == ("OB_LAB",)
    assert not {"_common", "adt", "oru", "shared"} & (after - before)
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_function_in_a_helper_declares_at_the_line_of_the_module(tmp_path: Path) -> None:
    files = {
        "_common.py": """
            from fastmllp_engine import MLLP, inbound

            def feed(name, port):
                inbound(name, MLLP(port=port), router="adt")
        """,
        "adt.py": ADT
        + '\n    from _common import feed\n    feed("IB_X", 2610)\n    feed("IB_Y", 2610)\n',
    }
    assert findings(tmp_path, files) == [
        "adt.py:16: inbound IB_Y: port 2610 is also the port of inbound IB_X "
        f"({tmp_path}/adt.py:15)"
    ]


def test_what_fails_in_a_module_is_a_finding_without_a_traceback(tmp_path: Path) -> None:
    said = findings(
        tmp_path,
        {
            "adt.py": ADT,
            "a_syntax.py": 'inbound("IB",\n\n',
            "b_raises.py": "from _help import make\n\nmake()\n",
            "_help.py": "def make():\n    return {}['x']\n",
            "c_exits.py": "import sys\nsys.exit(3)\n",
            "d_import.py": "import no_such_module\n",
            "e_names.py": "from fastmllp_engine import MLLPP, SetMeta, Send\n",
            "f_later.py": ADT.replace('"IB_ADT"', '"IB_B"').replace("2600", "2611"),
            "g_bytes.py": b"X = 1\nY = '\xff'\n",
        },
    )
    assert said[:2] == [
        "_help.py:2: KeyError: 'x'",
        "a_syntax.py:1: syntax: '(' was never closed",
    ]
    assert said[2:6] == [
        "c_exits.py:2: SystemExit: 3",
        "d_import.py:1: ModuleNotFoundError: No module named 'no_such_module'",
        'e_names.py:1: "SetMeta" is not supported by this version: '
        "metadata of messages: it belongs to a later version",
        'e_names.py:1: fastmllp_engine has no "MLLPP"; did you mean "MLLP"?',
    ]
    assert [line for line in said if line.startswith("f_later")] == [
        f"f_later.py:4: outbound OB_LAB: the name is declared twice ({tmp_path}/adt.py:4)",
        f"f_later.py:6: router adt: the name is declared twice ({tmp_path}/adt.py:6)",
        f"f_later.py:10: handler to_lab: the name is declared twice ({tmp_path}/adt.py:10)",
    ]
    assert said[-1].startswith("g_bytes.py")
    assert not [line for line in said if "fastmllp_engine/graph" in line]


def test_declarations_are_refused_once_a_load_is_over(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        {
            "adt.py": ADT.replace(
                "return Send", 'inbound("X", MLLP(port=1), router="adt"); return Send'
            )
        },
    )
    with pytest.raises(RuntimeError, match="while a module loads"):
        registry.handlers["to_lab"].function(Message(adt()))


def test_settings_come_from_variables_then_the_file_then_defaults(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT,
        "engine.toml": """
            [intake]
            bind_address = "0.0.0.0"
            [delivery]
            retry = { max_attempts = 7 }
            [retention]
            bodies_days = "forever"
        """,
    }
    variables = {
        "FASTMLLP_ENGINE_RETENTION_DEAD_DAYS": "7",
        "FASTMLLP_ENGINE_API_HOST": "::1",
        "FASTMLLP_ENGINE_DATA": "/somewhere",
    }
    registry = load(write(tmp_path, files), variables=variables)
    settings = registry.settings
    assert (settings.retention.bodies_days, settings.retention.dead_days) == ("forever", 7)
    assert (settings.api.host, settings.api.port, settings.workers.count) == ("::1", 8765, 1)
    assert registry.inbounds["IB_ADT"].address == ("0.0.0.0", 2600)
    assert registry.outbounds["OB_LAB"].retry == RetryPolicy(max_attempts=7)


def test_a_wrong_setting_is_refused_with_its_line(tmp_path: Path) -> None:
    files = {
        "adt.py": ADT,
        "engine.toml": """
            # of this machine
            [retenion]
            bodies_days = 3
            [workers]
            count = "two"
            cuont = 2
            [delivery.retry]
            max_attempts = 0
            [cluster]
            mode = "active-passive"
        """,
    }
    variables = {"FASTMLLP_ENGINE_STORE_BAKEND": "sqlite", "FASTMLLP_ENGINE_API_PORT": "seven"}
    assert findings(tmp_path, files, variables=variables) == [
        "$FASTMLLP_ENGINE_API_PORT: [api]: port must be a whole number, is a text",
        '$FASTMLLP_ENGINE_STORE_BAKEND: unknown key "bakend" of [store]; did you mean "backend"?',
        'engine.toml:2: unknown section "retenion"; did you mean "retention"?',
        "engine.toml:5: [workers]: count must be a whole number, is a text",
        'engine.toml:6: [workers]: unknown key "cuont"; did you mean "count"?',
        "engine.toml:8: [delivery.retry]: max_attempts must be at least 1, is 0",
        'engine.toml:9: the section "cluster" is not supported by this version: '
        "it belongs to a later version",
    ]


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "feeds")
    assert str(caught.value) == f"{tmp_path}/feeds: there is no such folder"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "empty")
    assert str(caught.value) == f"{tmp_path}/empty: there is no inbound"
