"""``python -m fastmllp_engine.workers FOLDER [ENVIRONMENT]``: what the engine starts."""

import os
import sys

from fastmllp_engine.workers import serve

if __name__ == "__main__":
    status = serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    # Without the interpreter's own end: it would wait for threads that functions have left behind.
    os._exit(status)
