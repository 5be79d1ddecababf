"""``python -m fastmllp_engine.comparison``: see `fastmllp_engine.comparison.program`."""

import sys

from fastmllp_engine.comparison.program import main

sys.exit(main(sys.argv[1:]))
