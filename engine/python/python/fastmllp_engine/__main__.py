"""``python -m fastmllp_engine``: the command line."""

import sys

from fastmllp_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
