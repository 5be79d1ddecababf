"""``python -m fastmllp``: the same program as ``fastmllp``."""

import sys

from fastmllp.cli import main

sys.exit(main())
