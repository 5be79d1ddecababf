"""Code sets: tables of codes in the folder ``codesets``."""

from pathlib import Path

import pytest
from fastmllp_engine import OnMiss, code_set
from fastmllp_engine.graph import ConfigurationError, Registry, difference, run
from feeds import ADT, findings, loaded, notes
from graph_messages import adt

TRANSLATES = """
    from fastmllp_engine import MLLP, Send, code_set, handler, inbound, outbound, router

    inbound("IB_ADT", MLLP(port=2600), router="adt")
    outbound("OB_LAB", MLLP(host="lab", port=2601))
    WARDS = code_set("wards")

    @router("adt")
    def route(msg):
        return ["to_lab"]

    @handler("to_lab")
    def handle(msg):
        msg["PV1-3"] = WARDS[msg["PV1-3"]]
        msg["PV1-2"] = code_set("classes").translate(msg["PV1-2"]) or "?"
        return Send("OB_LAB", msg)
"""


def sets(folder: Path, files: dict[str, str | bytes]) -> Registry:
    return loaded(folder, {"adt.py": ADT, **files})


def refused(folder: Path, files: dict[str, str | bytes]) -> list[str]:
    return findings(folder, {"adt.py": ADT, **files})


def test_a_handler_translates_at_the_top_of_its_module_and_inside(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        {
            "adt.py": TRANSLATES,
            "codesets/wards.csv": "code,ward\nW1,West 1\n",
            "codesets/classes.toml": 'I = "inpatient"\n',
        },
    )
    (sent,) = run(registry, registry.inbounds["IB_ADT"], adt()).sent
    assert b"PV1|1|inpatient|West 1\r" in sent.payload


def test_several_columns_give_a_mapping(tmp_path: Path) -> None:
    text = 'code,short,long\n2A,"2,A","West\nwing"\n\n2B,,Ö\n'
    wards = sets(tmp_path, {"codesets/wards.csv": b"\xef\xbb\xbf" + text.encode()}).code_sets
    assert dict(wards["wards"]) == {
        "2A": {"short": "2,A", "long": "West\nwing"},
        "2B": {"short": "", "long": "Ö"},
    }
    assert repr(wards["wards"]) == "<CodeSet wards: 2>"


@pytest.mark.parametrize(
    ("policy", "found", "not_found", "of_nothing"),
    [
        (None, "West", KeyError, KeyError),
        ('kind = "error"', "West", KeyError, KeyError),
        ('kind = "none"', "West", KeyError, KeyError),
        ('kind = "default"\ndefault_value = "??"', "West", "??", "??"),
        ('kind = "passthrough"', "West", "X", None),
    ],
)
def test_the_policy_says_what_a_code_is_that_is_not_there(
    tmp_path: Path, policy: str | None, found: str, not_found: object, of_nothing: object
) -> None:
    files: dict[str, str | bytes] = {"codesets/wards.csv": "code,ward\nW1,West\nW2,\n"}
    if policy is not None:
        files["codesets/wards.policy.toml"] = policy
    wards = sets(tmp_path, files).code_sets["wards"]
    # A text without anything is a value too.
    assert (wards.translate("W1"), wards.translate("W2")) == (found, "")
    for code, expected in (("X", not_found), (None, of_nothing)):
        if expected is KeyError:
            with pytest.raises(KeyError):
                wards.translate(code)
        else:
            assert wards.translate(code) == expected


@pytest.mark.parametrize(
    ("files", "complaints"),
    [
        (
            {"codesets/w.csv": "code,ward\nA,1\nB\n\nA,2\n,3\n"},
            [
                "codesets/w.csv:3: this row has 1 columns, the first has 2",
                'codesets/w.csv:5: the code "A" is also in line 2',
                "codesets/w.csv:6: this row has no code",
            ],
        ),
        (
            {"codesets/w.csv": "code;ward\nA;1\n"},
            [
                "codesets/w.csv:1: the first row names the column of the codes and at least one "
                "more; columns are separated by commas"
            ],
        ),
        (
            {"codesets/w.csv": ""},
            ["codesets/w.csv:1: the first row names the column of the codes and at least one more"],
        ),
        (
            {"codesets/w.csv": "code,a,a\n"},
            ["codesets/w.csv:1: each column has a name of its own"],
        ),
        (
            {"codesets/w.csv": 'code,ward\nA,1\nB,"2\n'},
            ["codesets/w.csv:3: this is not CSV: unexpected end of data"],
        ),
        (
            {"codesets/w.csv": b"code,ward\nA,M\xfcnchen\n"},
            ["codesets/w.csv:2: this line is not UTF-8"],
        ),
        (
            {"codesets/w.csv": "code,ward\n", "codesets/w.toml": ""},
            ['codesets/w.toml: there is another code set "w"'],
        ),
        (
            {"codesets/w.toml": 'A = 1\n"" = "x"\n[B]\nC = "2"\n'},
            [
                'codesets/w.toml:1: "A": must be a text',
                'codesets/w.toml:2: "": this is no code',
                'codesets/w.toml:3: "B": must be a text',
            ],
        ),
        (
            {"codesets/w.toml": "A = \n"},
            ["codesets/w.toml:1: this is not TOML: Invalid value"],
        ),
        (
            {"codesets/w.policy.toml": "", "codesets/a/w.policy.toml": "", "codesets/a.csv": ""},
            [
                "codesets/a.csv:1: the first row names the column of the codes and at least one "
                "more",
                "codesets/a/w.policy.toml: there is no code set that this is the policy of",
                "codesets/w.policy.toml: there is no code set that this is the policy of",
            ],
        ),
        (
            {
                "codesets/w.csv": "code,ward\n",
                "codesets/w.policy.toml": 'knd = 1\nkind = "pass"\n',
            },
            [
                'codesets/w.policy.toml:1: unknown key "knd"; did you mean "kind"?',
                'codesets/w.policy.toml:2: kind must be one of "error", "none", "default", '
                '"passthrough"',
            ],
        ),
        (
            {"codesets/w.csv": "code,ward\n", "codesets/w.policy.toml": 'kind = "default"\n'},
            ["codesets/w.policy.toml: default_value is missing"],
        ),
        (
            {"codesets/w.csv": "code,ward\n", "codesets/w.policy.toml": "default_value = 'x'\n"},
            ['codesets/w.policy.toml:1: default_value is for kind = "default" alone'],
        ),
        (
            {
                "codesets/w.csv": "code,a,b\n",
                "codesets/w.policy.toml": 'kind = "default"\ndefault_value = 7\n',
            },
            [
                'codesets/w.policy.toml:1: "default" is for a code set of one column beside the '
                "codes",
                "codesets/w.policy.toml:2: default_value must be a text",
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, files: dict[str, str | bytes], complaints: list[str]
) -> None:
    assert refused(tmp_path, files) == complaints


def test_names_that_no_code_set_has(tmp_path: Path) -> None:
    source = TRANSLATES.replace('code_set("classes")', "_class(code_set)").replace(
        "    @router",
        """
    def _class(asked):
        return code_set(name="clases")

    @router""",
    )
    assert findings(
        tmp_path,
        {"adt.py": source, "codesets/ward.csv": "c,w\n", "codesets/classes.csv": "c,w\n"},
    ) == [
        'adt.py:5: there is no code set "wards"; did you mean "ward"?',
        'adt.py:9: handler to_lab: there is no code set "clases"; did you mean "classes"?',
    ]


def test_a_name_that_is_computed_is_found_when_it_runs(tmp_path: Path) -> None:
    source = TRANSLATES.replace('code_set("classes")', 'code_set("of" + msg["PV1-3"])')
    registry = loaded(tmp_path, {"adt.py": source, "codesets/wards.csv": "c,w\nW1,W1\n"})
    outcome = run(registry, registry.inbounds["IB_ADT"], adt())
    (failure,) = outcome.failures
    assert "ConfigurationError" in failure and "W1" not in failure
    with pytest.raises(ConfigurationError, match=r'there is no code set "wards"'):
        code_set("wards")


def test_other_files_in_the_folder_are_named(tmp_path: Path) -> None:
    registry = sets(tmp_path, {"codesets/README.md": "x", "codesets/old/w.csv": "c,w\n"})
    text = "note: this is no code set: those are codesets/NAME.csv and .toml"
    assert notes(registry) == [f"codesets/README.md: {text}", f"codesets/old/w.csv: {text}"]
    assert not registry.code_sets


def test_what_has_changed_is_counted(tmp_path: Path) -> None:
    old = sets(
        tmp_path / "old",
        {"codesets/w.csv": "c,w\nA,1\nB,2\n", "codesets/v.csv": "c,v\nA,1\n"},
    )
    new = sets(
        tmp_path / "new",
        {
            "codesets/w.csv": "c,w\nA,9\nC,3\nD,4\n",
            "codesets/w.policy.toml": 'kind = "none"\n',
            "codesets/u.toml": "",
        },
    )
    assert difference(old, new) == [
        "- code set v",
        "+ code set u",
        "code set w: 2 new, 1 gone, 1 differ, another policy",
    ]
    assert old != new and new.code_sets["w"].policy.kind is OnMiss.NONE
