"""Both distributions are of one version, and each names the other by it."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def read(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_two_packages_are_of_one_version() -> None:
    version = read("Cargo.toml")["workspace"]["package"]["version"]
    assert read("engine/Cargo.toml")["workspace"]["package"]["version"] == version
    package = read("bindings-python/pyproject.toml")["project"]
    assert package["optional-dependencies"]["engine"] == [f"fastmllp-engine=={version}"]
    engine = read("engine/python/pyproject.toml")["project"]
    assert f"fastmllp=={version}" in engine["dependencies"]
