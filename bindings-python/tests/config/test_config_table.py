"""A table of settings is a value: another program has one of its own."""

import argparse
import pathlib

import pytest
from fastmllp.config import TABLE, ConfigError, Setting, SettingsTable, show
from fastmllp.config.bounds import Range
from fastmllp.config.flags import add_flags, load_with_flags


@pytest.fixture
def table() -> SettingsTable:
    return SettingsTable(
        [
            Setting("engine", "lanes", 4, "lanes", Range(1, 64)),
            Setting("engine", "peers", (), "who may connect", never_empty=True),
            Setting("store", "store_path", "", "where messages are kept"),
        ],
        prefix="FASTMLLP_ENGINE_",
        section_prefixes={"store": "store_"},
        section_heads={"engine": "Of the engine."},
    )


def test_names(table: SettingsTable) -> None:
    assert [setting.variable for setting in table.settings] == [
        "FASTMLLP_ENGINE_ENGINE_LANES",
        "FASTMLLP_ENGINE_ENGINE_PEERS",
        "FASTMLLP_ENGINE_STORE_PATH",
    ]
    assert table.sections == ("engine", "store")
    # The rows of this program are not touched by another table made of them.
    other = SettingsTable(TABLE.settings, prefix="OTHER_")
    assert other.settings[0].variable == "OTHER_SERVER_HOST"
    assert TABLE.settings[0].variable == "FASTMLLP_SERVER_HOST"


def test_sources(table: SettingsTable, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "engine.toml"
    path.write_text("[engine]\nlanes = 2\n[store]\nstore_path = '/srv'\n")
    settings = table.load(file=path, environment={"FASTMLLP_ENGINE_ENGINE_LANES": "3"})
    assert settings.section("engine") == {"lanes": 3, "peers": ()}
    assert settings.section("store") == {"store_path": "/srv"}
    assert settings.source("engine", "lanes") == "FASTMLLP_ENGINE_ENGINE_LANES"


def test_what_is_wrong(table: SettingsTable, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown variable, did you mean FASTMLLP_ENGINE_ENG"):
        table.load(environment={"FASTMLLP_ENGINE_ENGINE_LANE": "3"})
    with pytest.raises(ConfigError, match="set, but empty"):
        table.load(environment={"FASTMLLP_ENGINE_ENGINE_PEERS": ""})
    # The variables of one program mean nothing to the other.
    assert table.load(environment={"FASTMLLP_SERVER_PORT": "x"}).changed("engine") == {}
    assert TABLE.load(environment={"FASTMLLP_ENGINE_ENGINE_LANES": "x"}).changed("server") == {}
    path = tmp_path / "engine.toml"
    path.write_text("[server]\nport = 1\n")
    with pytest.raises(ConfigError, match=r"unknown section \[server\]"):
        table.load(file=path, environment={})


def test_flags(table: SettingsTable) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, table, ["engine"])
    settings = load_with_flags(parser.parse_args(["--lanes", "7"]), table)
    assert settings.section("engine")["lanes"] == 7
    assert settings.source("engine", "lanes") == "--lanes"
    assert settings.section("store") == {}
    with pytest.raises(argparse.ArgumentError, match="from 1 to 64"):
        parser.parse_args(["--lanes", "65"])


def test_shown(table: SettingsTable, tmp_path: pathlib.Path) -> None:
    settings = table.load(environment={"FASTMLLP_ENGINE_STORE_PATH": "/srv"})
    text = show.toml(settings)
    assert text.splitlines() == [
        "[engine]",
        "lanes = 4     # default",
        "# peers = []  # default",
        "",
        "[store]",
        'store_path = "/srv"  # FASTMLLP_ENGINE_STORE_PATH',
    ]
    path = tmp_path / "engine.toml"
    path.write_text(text)
    again = table.load(file=path, environment={})
    assert [e.value for e in again.effective] == [e.value for e in settings.effective]
    page = show.markdown(table, "engine config")
    assert "`engine config --markdown`" in page and "FASTMLLP_ENGINE_STORE_PATH" in page
    assert "## [engine]\n\nOf the engine.\n\n| key" in page and "## [store]\n\n| key" in page


def test_two_settings_of_one_name() -> None:
    with pytest.raises(ValueError, match="same environment variable"):
        SettingsTable([Setting("a", "b", "", ""), Setting("a", "b", "", "")])
