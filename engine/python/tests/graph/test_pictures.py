"""Pictures of a graph, differences of two, and the example of `init`."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fastmllp_engine.graph import (
    as_json,
    as_mermaid,
    as_svg,
    as_text,
    check,
    difference,
    init,
    load,
    read_folder,
)
from feeds import ADT, findings, loaded

MORE = (
    ADT
    + """
    from fastmllp_engine import PassThrough, File

    inbound("HOP", PassThrough(), router="hop")
    outbound("OB_<&>" if False else "OB_FILE", File(directory='a"<b>&'))

    @router("hop")
    def hop(msg):
        return msg["MSH-5"]

    @handler("to_hop")
    def to_hop(msg):
        return [Send("HOP", msg), Send("OB_FILE", msg)]
"""
)


def test_the_graph_as_text(tmp_path: Path) -> None:
    registry = loaded(tmp_path, {"adt.py": MORE.replace('["to_lab"]', '["to_lab", "to_hop"]')})
    assert as_text(registry).splitlines() == [
        "HOP  passthrough",
        "  hop (and names that are computed)",
        "IB_ADT  mllp 127.0.0.1:2600",
        "  adt",
        "    to_hop",
        "      HOP  passthrough",
        "        hop (and names that are computed)",
        '      OB_FILE  file a"<b>&',
        "    to_lab",
        "      OB_LAB  mllp lab:2601",
    ]


def test_the_graph_as_mermaid_json_and_svg(tmp_path: Path) -> None:
    registry = loaded(tmp_path, {"adt.py": MORE.replace('["to_lab"]', '["to_lab", "to_hop"]')})
    chart = as_mermaid(registry).splitlines()
    assert chart[0] == "flowchart LR"
    assert '  n1(["IB_ADT<br>mllp 127.0.0.1:2600"])' in chart
    assert '  n6[["OB_FILE<br>file a#34;#60;b#62;#38;"]]' in chart
    graph = json.loads(as_json(registry))
    assert ["handler:to_hop", "inbound:HOP"] in graph["arrows"]
    assert graph["hash"] == registry.hash
    drawn = ET.fromstring(as_svg(registry))
    space = "{http://www.w3.org/2000/svg}"
    labels = [it.text for it in drawn.iter(f"{space}text")]
    assert {node["name"] for node in graph["nodes"]} <= set(labels)
    boxes = [(it.get("x"), it.get("y")) for it in drawn.iter(f"{space}rect")]
    assert len(set(boxes)) == len(boxes) == len(graph["nodes"])
    arrows = [it for it in drawn.iter(f"{space}path") if it.get("marker-end")]
    assert len(arrows) == len(graph["arrows"])


def test_a_circle_through_a_pass_through_is_seen(tmp_path: Path) -> None:
    circle = MORE.replace('["to_lab"]', '["to_lab", "to_hop"]').replace('msg["MSH-5"]', '"to_hop"')
    said = findings(tmp_path, {"adt.py": circle})
    assert said == ["adt.py:23: handlers send in a circle: to_hop to to_hop"]


def test_what_differs_between_two_configurations(tmp_path: Path) -> None:
    old = loaded(tmp_path / "old", {"adt.py": ADT, "engine.toml": ""})
    new = loaded(
        tmp_path / "new",
        {
            "adt.py": ADT.replace("port=2601)", "port=2602), window=4, key='PID-3.1'").replace(
                '["to_lab"]', '["to_lab", "to_reg"]'
            )
            + """
    from fastmllp_engine import RetryPolicy
    outbound("OB_REG", MLLP(host="reg", port=1), retry=RetryPolicy(max_attempts="forever"))

    @handler("to_reg")
    def to_reg(msg):
        return Send("OB_REG", msg), Send("OB_LAB", msg)
    """,
            "engine.toml": "[retention]\nbodies_days = 40\n",
        },
    )
    assert difference(old, new) == [
        "+ outbound OB_REG",
        "+ handler to_reg",
        "OB_LAB: key none -> PID-3.1",
        "OB_LAB: ordering fifo -> key",
        "OB_LAB: port 2601 -> 2602",
        "OB_LAB: window 1 -> 4",
        "adt: + handler to_reg",
        "[retention]: bodies_days 30 -> 40",
    ]
    assert difference(new, old)[:2] == ["- outbound OB_REG", "- handler to_reg"]
    assert difference(new, new) == []


def test_init_writes_an_example_that_passes_and_overwrites_nothing(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    written = init(feeds)
    assert (feeds / ".gitignore").read_text().splitlines()[0] == "data/"
    assert check(feeds, variables={}).lines() == [
        "2 connections, 1 router, 1 handler, 3 golden tests"
    ]
    assert load(feeds, variables={}).inbounds["IB_EXAMPLE"].address == ("127.0.0.1", 2575)
    before = read_folder(feeds).files
    with pytest.raises(FileExistsError, match="example.py"):
        init(feeds)
    (feeds / "engine.toml").unlink()
    with pytest.raises(FileExistsError):
        init(feeds)
    assert not (feeds / "engine.toml").exists()
    assert read_folder(feeds).files == {k: v for k, v in before.items() if k != "engine.toml"}
    assert {path.relative_to(feeds).as_posix() for path in written} >= {
        ".gitignore",
        "environments/dev.toml",
        "example.py",
        "tests/IB_EXAMPLE/a01.hl7",
    }


def test_init_beside_one_file_of_its_own_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "example.py").write_text("mine")
    with pytest.raises(FileExistsError):
        init(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"tests", "example.py"}
