"""Prints the import graph of the Python package and whatever is not tidy: ``python .ci/tidy``."""

import sys

import crates
import lengths
import rooms
import waits
from source import files


def main() -> int:
    """Look at everything; the result is the exit status."""
    print(rooms.show(rooms.package_graph()))
    sources = list(files())
    found = [
        *rooms.findings(),
        *crates.findings(),
        *lengths.findings(sources),
        *waits.findings(sources),
    ]
    for finding in found:
        print(f"tidy: {finding}", file=sys.stderr)
    print(f"tidy: {len(sources)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
