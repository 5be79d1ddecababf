"""``support``: what somebody who helps needs to know, in one file and without a patient's data."""

import argparse
import io
import json
import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from fastmllp_engine.api.door import Closed
from fastmllp_engine.cli.asking import Commands, about_an_engine, client_of, data_of
from fastmllp_engine.cli.client import Client
from fastmllp_engine.cli.printing import say_error, say_json, say_lines

ASKED = ("/health", "/status", "/connections", "/retention")

# Written by operators and partners, who may name a patient.
WORDS_OF_PEOPLE = frozenset({"reason", "because", "said", "note"})


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    support = about_an_engine(
        commands,
        "support",
        _support,
        "Write what a helper needs to know into a ZIP file, without a patient's data.",
        "How the engine, its lanes and its store stand, its metrics, its versions, and the names\n"
        "and sizes of its files. No message, no text of a partner or of an operator, no value of\n"
        "an environment. Of an engine that does not run it says what can be seen from outside.",
    )
    support.add_argument(
        "--out", type=Path, metavar="FILE", help="without it support-DATE-TIME.zip in this folder"
    )


def _support(given: argparse.Namespace) -> int:
    data = data_of(given)
    now = datetime.now(UTC)
    out = given.out or Path(f"support-{now:%Y%m%d-%H%M%S}.zip")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in _parts(client_of(given), data, now):
            bundle.writestr(name, text)
    try:
        # What is there is not replaced, and only its owner reads it.
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.getbuffer())
    except OSError as error:
        say_error(f"{out}: {error.strerror or error}")
        return 2
    if given.json:
        say_json(str(out))
    else:
        say_lines(f"wrote {out}")
    return 0


def _parts(client: Client, data: Path, now: datetime) -> Iterator[tuple[str, str]]:
    """Names of files, and what they hold."""
    yield "about.json", _json(_about(now))
    yield "files.json", _json(_files(data))
    try:
        for path in ASKED:
            yield f"{path[1:]}.json", _json(_without_words(client.get(path)))
        yield "metrics.txt", client.get_bytes("/metrics").decode()
    except Closed as error:
        yield "unreachable.txt", f"{error}\n"


def _about(now: datetime) -> dict[str, Any]:
    packages = {it.metadata["Name"]: it.version for it in distributions()}
    return {
        "at": now.isoformat(),
        "python": sys.version,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": dict(sorted(packages.items())),
    }


def _files(data: Path) -> dict[str, Any]:
    """Room on the disk, and the files of the data folder."""
    usage = shutil.disk_usage(data) if data.is_dir() else None
    found = sorted(path for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    # Below are copies of the configuration, whose files may be named after anything.
    own = [path for path in found if "configurations" not in path.relative_to(data).parts]
    return {
        "free_bytes": usage.free if usage else None,
        "total_bytes": usage.total if usage else None,
        "files": {str(path.relative_to(data)): path.stat().st_size for path in own},
    }


def _without_words(value: Any) -> Any:
    """The same without what people have written."""
    if isinstance(value, dict):
        return {
            key: "..." if key in WORDS_OF_PEOPLE and one else _without_words(one)
            for key, one in value.items()
        }
    return [_without_words(one) for one in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
