"""Takes away from Python what Windows lacks, before anything else is imported.

`make test-platforms` has this folder in PYTHONPATH, so that it holds for the tests and for every
program that they start.
"""

import importlib

# `select` before `socket`, which imports `selectors`, which chooses once what it waits with.
LACKING = {
    "select": ("epoll", "poll"),
    "os": ("fork", "forkpty", "register_at_fork"),
    "signal": ("SIGHUP", "pthread_sigmask"),
    "socket": ("SO_REUSEPORT",),
}

for module, names in LACKING.items():
    for name in names:
        vars(importlib.import_module(module)).pop(name, None)
