"""Configurations for tests: files by their names, and what is said of them."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastmllp_engine.graph import ConfigurationError, Registry, load

ADT = """
    from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

    inbound("IB_ADT", MLLP(port=2600), router="adt")
    outbound("OB_LAB", MLLP(host="lab", port=2601))

    @router("adt")
    def route(msg):
        return ["to_lab"]

    @handler("to_lab")
    def handle(msg):
        return Send("OB_LAB", msg)
"""
"""A feed with nothing wrong in it."""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder. A text begins in its second line and is not indented."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(textwrap.dedent(content).removeprefix("\n"), encoding="utf-8")
        else:
            path.write_bytes(content)
    return folder


def loaded(
    folder: Path, files: Mapping[str, str | bytes], environment: str | None = None
) -> Registry:
    """A configuration of these files, without variables of the process."""
    return load(write(folder, files), environment, variables={})


def findings(
    folder: Path,
    files: Mapping[str, str | bytes],
    environment: str | None = None,
    variables: Mapping[str, str] = {},  # noqa: B006
) -> list[str]:
    """What `load` says of them: errors, and notes if there is an error."""
    with pytest.raises(ConfigurationError) as caught:
        load(write(folder, files), environment, variables=variables)
    return [finding.line() for finding in caught.value.findings]


def notes(registry: Registry) -> list[str]:
    """What a reader should know of a configuration."""
    return [finding.line() for finding in registry.notes]
