"""What has to be built first: the load generator, and the servers in C."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).resolve().parent.parent
BENCHES = SERVERS.parent
ROOT = BENCHES.parent


@dataclass(frozen=True)
class Programs:
    """Paths of the programs."""

    mllpload: Path
    epoll_fixed: Path
    ack_server: Path

    def path(self, name: str) -> Path:
        """The program of this name."""
        return {"epoll_fixed": self.epoll_fixed, "ack_server": self.ack_server}[name]


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
    programs = Programs(release / "mllpload", release / "epoll_fixed", release / "ack_server")
    compiler = ["cc", "-O2", "-o", str(programs.epoll_fixed), str(SERVERS / "epoll_fixed.c")]
    subprocess.run(compiler, check=True)
    # The example as it is, with the library as it is delivered.
    subprocess.run([str(ROOT / "bindings-c" / "build")], check=True)
    library = os.path.join(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"), "c", "libmllp.a")
    example = [str(ROOT / "examples" / "c" / "ack_server.c"), library]
    header = f"-I{ROOT / 'bindings-c' / 'include'}"
    compiler = ["cc", "-O2", header, "-o", str(programs.ack_server), *example]
    subprocess.run(compiler, check=True)
    return programs
