"""A configuration whose handler does to each message what its control ID says, mostly harm."""

FEED = '''
import logging, os, resource, signal, sys, threading, time, traceback, warnings

from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

inbound("IB_ADT", MLLP(port=0), router="adt")
outbound("OB_LAB", MLLP(host="127.0.0.1", port={port}))
kept = []


class Loud:
    """Its end raises, which Python prints."""

    def __init__(self, text):
        self.text = text

    def __del__(self):
        raise RuntimeError(self.text)


def leak():
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), -1))
    while True:
        kept.append(bytearray(1 << 20))


def raise_everything(text):
    error = ExceptionGroup(text, [ValueError(text), KeyError(text)])
    error.add_note(text)
    raise error from LookupError(text)


def say_everything(text):
    print(text)
    print(text, file=sys.stderr)
    os.write(1, text.encode())
    os.write(2, text.encode())
    logging.error(text)
    warnings.warn(text)
    traceback.print_stack()
    thread = threading.Thread(target=raise_everything, args=(text,))
    thread.start()
    thread.join()
    del Loud(text).text
    Loud(text)


def fork():
    if os.fork() == 0:
        os._exit(0)


DEEDS = {{
    "raise": raise_everything,
    "say": say_everything,
    "hang": lambda text: time.sleep(3600),
    "spin": lambda text: [None for _ in iter(int, 1)],
    "leak": lambda text: leak(),
    "fork": lambda text: fork(),
    "exit": lambda text: sys.exit(text),
    "interrupt": lambda text: (_ for _ in ()).throw(KeyboardInterrupt(text)).__next__(),
    "kill": lambda text: os.kill(os.getpid(), signal.SIGKILL),
    "segv": lambda text: os.kill(os.getpid(), signal.SIGSEGV),
    "end": lambda text: os._exit(0),
}}
RETURNS = {{
    "number": 3, "text": "OB_LAB", "bytes": b"OB_LAB", "dict": {{"OB_LAB": 1}}, "list": ["OB_LAB"],
}}


@router("adt")
def route(msg):
    if msg["MSH-10"].startswith("router-"):
        raise_everything(msg["PID-5.1"])
    return "to_lab"


@handler("to_lab")
def to_lab(msg):
    name = msg["MSH-10"].partition("-")[0]
    if name in RETURNS:
        return RETURNS[name]
    if name in DEEDS:
        DEEDS[name](msg["PID-5.1"])
    if name == "where":
        return Send(msg["PID-5.1"], msg)
    return Send("OB_LAB", msg)
'''
"""A text for `str.format` with the port of the partner."""

HARMLESS = ("say", "fork")
"""What a handler may do and be done with its message."""
HARMFUL = (
    "raise", "hang", "spin", "leak", "exit", "interrupt", "kill", "segv", "end", "where", "router",
    "number", "text", "bytes", "dict", "list",
)  # fmt: skip
"""What ends its message in ERROR, and harms no other."""
