"""`load`: from a folder to a `Registry`, or to everything that is wrong with it."""

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from fastmllp_engine.graph.checked import changed
from fastmllp_engine.graph.code_set_files import read_code_sets
from fastmllp_engine.graph.compat import begin_compat, tell_compat
from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.engine_toml import read_settings
from fastmllp_engine.graph.environment import Environment
from fastmllp_engine.graph.findings import (
    ConfigurationError,
    Finding,
    Place,
    did_you_mean,
    in_order,
)
from fastmllp_engine.graph.folder import Folder, read_folder
from fastmllp_engine.graph.kinds import MISSING
from fastmllp_engine.graph.loading import Loading
from fastmllp_engine.graph.modules import Modules
from fastmllp_engine.graph.registry import Registry
from fastmllp_engine.graph.settings import Settings
from fastmllp_engine.graph.tables import declare_connections, read_toml
from fastmllp_engine.graph.wiring import Wiring


def load(
    folder: str | os.PathLike[str],
    environment: str | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Registry:
    """Read a configuration, run its modules, and check how everything is wired.

    All files are read at once and used from memory: what is checked is what runs.

    Args:
        folder: The configuration.
        environment: Which file of ``environments/`` has the values of `env`; it may be left out if
            there is only one, or none.
        data: The engine's data folder, which is left out if it lies inside ``folder``.
        variables: The variables of the process, if not those of this one.

    Raises:
        ConfigurationError: it is refused. All that is wrong is in there.
    """
    return load_read(read_folder(folder, data), environment, variables=variables)


def load_read(
    folder: Folder,
    environment: str | None = None,
    *,
    variables: Mapping[str, str] | None = None,
) -> Registry:
    """`load` for a folder that is read already."""
    registry, findings = examine(folder, environment, variables=variables)
    if registry is None or any(finding.level == "error" for finding in findings):
        raise ConfigurationError(findings, folder.shown)
    return registry


def examine(
    folder: Folder,
    environment: str | None = None,
    *,
    variables: Mapping[str, str] | None = None,
) -> tuple[Registry | None, tuple[Finding, ...]]:
    """Everything that is to be said of a folder, and its registry.

    With errors the registry is good for running functions and for nothing else; it is None if a
    module or a file could not be read to its end.
    """
    variables = os.environ if variables is None else variables
    loading = Loading(folder.path, Environment(variables=variables), folder.shown)
    loading.findings += folder.findings
    if folder.findings and not folder.files:
        return None, in_order(loading.findings)
    settings = read_settings(folder, loading, variables)
    loading.values = _environment(folder, environment, loading, variables)
    if settings.compat is not MISSING and settings.compat.messagefoundry is True:
        begin_compat(loading)
    loading.code_sets = read_code_sets(folder, loading)
    modules = Modules(folder, loading)
    modules.run()
    is_read = declare_connections(folder, loading)
    loading.is_open = False
    failed = modules.failed + ([] if is_read else ["connections.toml"])
    wiring = Wiring(loading, modules.trees, [folder.files[path] for path in failed], settings)
    wiring.check()
    tell_compat(loading)
    findings = in_order(loading.findings)
    if failed:
        return None, findings
    registry = Registry(
        inbounds={name: _listening(it, settings) for name, it in wiring.inbounds.items()},
        outbounds={name: _retrying(it, settings) for name, it in wiring.outbounds.items()},
        routers=wiring.routers,
        handlers=wiring.handlers,
        code_sets=loading.code_sets,
        settings=settings,
        environment=loading.values.name,
        hash=folder.hash,
        folder=str(folder.path),
        notes=tuple(finding for finding in findings if finding.level == "note"),
    )
    return registry, findings


def _listening(inbound: Inbound, settings: Settings) -> Inbound:
    if inbound.spec is MISSING or not inbound.spec.listens:
        return inbound
    if getattr(inbound.spec, "host", None) or inbound.bind_address:
        return inbound
    return changed(inbound, bind_address=settings.intake.bind_address)


def _retrying(outbound: Outbound, settings: Settings) -> Outbound:
    return outbound if outbound.retry else changed(outbound, retry=settings.delivery.retry)


def _environment(
    folder: Folder, name: str | None, loading: Loading, variables: Mapping[str, str]
) -> Environment:
    files = {
        PurePosixPath(path).stem: path
        for path in folder.files
        if PurePosixPath(path).parent == PurePosixPath("environments") and path.endswith(".toml")
    }
    if name is None:
        if len(files) > 1:
            names = ", ".join(sorted(files))
            loading.error(Place("environments"), f"there are several; say which one: {names}")
        name = next(iter(files), "")
    if files and name not in files:
        text = f'there is no environment "{name}"{did_you_mean(name, files)}'
        loading.error(Place("environments"), text)
    file = files.get(name, "")
    read = read_toml(folder, file, loading)
    values = dict(_flat(read[0])) if read else {}
    return Environment(name, values, file, variables)


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Values by their keys; one inside a table has the key ``table.key``."""
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found
