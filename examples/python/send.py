"""Sends each file as one message, waits for its acknowledgment, and says what became of it.

    python send.py HOST PORT FILE...

Exit status: 0 every message was accepted, 1 one was not, 2 wrong usage. The same program:
../c/send.c, ../rust/src/bin/send.rs.
"""

import contextlib
import sys
from pathlib import Path

import fastmllp


def main(host: str, port: int, files: list[str]) -> int:
    accepted = 0
    # CA is enough: the receiver has stored the message.
    with contextlib.closing(fastmllp.Client(host, port, wait_for="accept")) as client:
        for file in files:
            try:
                text = Path(file).read_bytes()
                reply = client.send(text.replace(b"\r\n", b"\r").replace(b"\n", b"\r"))
            except fastmllp.DeliveryError as error:
                print(f"{file}: {error.code}", flush=True)
            except OSError:
                print(f"{file}: not_readable", flush=True)
            else:
                print(f"{file}: {'unasked' if reply.unasked else reply.code}", flush=True)
                accepted += reply.accepted
    return 0 if accepted == len(files) else 1


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: send.py HOST PORT FILE...", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
