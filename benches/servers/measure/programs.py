"""What has to be built first: the load generator, and the server in C."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).resolve().parent.parent
BENCHES = SERVERS.parent


@dataclass(frozen=True)
class Programs:
    """Paths of the programs."""

    mllpload: Path
    epoll_fixed: Path


def build() -> Programs:
    """Build what is not up to date.

    Raises:
        subprocess.CalledProcessError: A compiler failed; it has said why.
    """
    cargo = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "mllpload"]
    subprocess.run(cargo, cwd=BENCHES, check=True)
    metadata = ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"]
    found = subprocess.run(metadata, cwd=BENCHES, check=True, capture_output=True)
    release = Path(json.loads(found.stdout)["target_directory"], "release")
    programs = Programs(release / "mllpload", release / "epoll_fixed")
    compiler = ["cc", "-O2", "-o", str(programs.epoll_fixed), str(SERVERS / "epoll_fixed.c")]
    subprocess.run(compiler, check=True)
    return programs
