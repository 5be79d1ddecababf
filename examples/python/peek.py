"""Prints what stands at each path of a message, as it stands there.

    python peek.py FILE PATH...

Exit status: 0 shown, 1 no message, 2 wrong usage. The same program: ../c/peek.c,
../rust/src/bin/peek.rs.
"""

import sys
from pathlib import Path

from fastmllp import Message, MessageError


def main(file: str, paths: list[str]) -> int:
    message = Message(Path(file).read_bytes())
    for path in paths:
        try:
            value = message.get(path)
        except MessageError as error:
            print(f"{path}: {error.code}", file=sys.stderr)
            return 1
        sys.stdout.buffer.write(path.encode() + b"\t" + (b"(absent)" if value is None else value))
        sys.stdout.buffer.write(b"\n")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print("usage: peek.py FILE PATH...", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
