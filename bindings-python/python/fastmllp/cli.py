"""The command line: ``fastmllp serve`` and ``fastmllp send``.

Exit status of ``serve``: 0 stopped by SIGINT or SIGTERM, 1 cannot listen or cannot print where,
2 wrong usage.
Exit status of ``send``: 0 all accepted, 1 a negative acknowledgment came, 2 wrong usage (also a
file that cannot be read or holds no message), 3 server not reached or no answer in time. It tells
what became of the messages, also when their acknowledgments cannot be printed.
Both: 130 interrupted before there was anything to finish.
"""

import argparse
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TextIO, TypeVar

from fastmllp import __version__, config
from fastmllp.client import Client, DeliveryError
from fastmllp.files import FileError, read_messages
from fastmllp.hl7 import readable
from fastmllp.logging import LEVELS, configure
from fastmllp.server import Server

__all__ = ["main"]

ACCEPTED, REFUSED, WRONG_USAGE, NOT_DELIVERED = 0, 1, 2, 3
STOPPED, CANNOT_LISTEN = 0, 1
INTERRUPTED = 130

_Number = TypeVar("_Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line without the program's name; that of the process if not given.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        # An acknowledgment may hold characters that the terminal's encoding does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _serve(options) if options.command == "serve" else _send(options)
    except KeyboardInterrupt:
        return INTERRUPTED


def _serve(options: argparse.Namespace) -> int:
    configure("warning" if options.quiet else options.log_level)
    try:
        server = Server(
            host=options.host,
            port=options.port,
            timeout=options.timeout,
            max_size=options.max_size,
        )
    except OSError as error:
        text = error.strerror or error
        _complain(f"serve: cannot listen on {_place(options.host, options.port)}: {text}")
        return CANNOT_LISTEN

    def stop(number: int, interrupted: FrameType | None) -> None:
        server.shutdown()

    with server:
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        failure = _write(sys.stdout, f"listening {_place(*server.address)}\n")
        # A reader that has left wants to know no more. Any other failure hides the port from the
        # one who waits for it.
        if failure is None or isinstance(failure, BrokenPipeError):
            failure = None
            server.serve_forever()
    # The interpreter takes its handlers down before it is gone; a signal then would be its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if failure is not None:
        _complain(f"serve: cannot write to standard output: {failure.strerror or failure}")
        return CANNOT_LISTEN
    return STOPPED


def _send(options: argparse.Namespace) -> int:
    configure("warning")
    # All files are read before the first message goes: a wrong name at the end of the list must not
    # leave the work half done.
    payloads: list[bytes] = []
    for name in options.files:
        try:
            contents = read_messages(_read(name))
        except OSError as error:
            _complain(f"send: cannot read {name}: {error.strerror or error}")
            return WRONG_USAGE
        except FileError as error:
            _complain(f"send: {name}: {error}")
            return WRONG_USAGE
        if contents.left_out:
            _complain(f"send: {name}: left out {contents.left_out} of no message")
        payloads += contents.payloads
    client = Client(options.host, options.port, timeout=options.timeout, max_size=options.max_size)
    status = ACCEPTED
    try:
        with client:
            for payload in payloads:
                reply = client.send(payload)
                failure = _write(sys.stdout, readable(reply.payload) + "\n")
                if failure is not None and not isinstance(failure, BrokenPipeError):
                    text = failure.strerror or failure
                    _complain(f"send: cannot print acknowledgments, sending goes on: {text}")
                if not reply.accepted:
                    status = REFUSED
    except DeliveryError as error:
        _complain(f"send: {error}")
        return NOT_DELIVERED
    return status


def _read(name: str) -> bytes:
    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def _write(stream: TextIO | None, text: str) -> OSError | None:
    """Write to a standard stream, if the process has it.

    Returns:
        What went wrong. The work goes on, and its exit status still counts. The stream now leads
        nowhere, so that this is told once and the interpreter does not stumble over it at exit.
    """
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # A stream without a descriptor.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return error
    return None


def _complain(text: str) -> None:
    _write(sys.stderr, f"fastmllp {text}\n")


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _checked(
    convert: type[_Number], check: Callable[[str, _Number], _Number], name: str
) -> Callable[[str], _Number]:
    def parse(text: str) -> _Number:
        try:
            number = convert(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} is not a number: {text!r}") from None
        try:
            return check(name, number)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastmllp", description="Receive and send HL7 v2 messages over MLLP."
    )
    parser.add_argument("--version", action="version", version=f"fastmllp {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser(
        "serve",
        help="acknowledge every message",
        description="Acknowledge every complete frame with AA. Prints 'listening HOST:PORT' when it"
        " listens; log records go to standard error. SIGINT and SIGTERM end it after everything"
        " received is answered. Exit status: 0 stopped, 1 cannot listen or print, 2 wrong usage.",
    )
    _add_connection(
        serve,
        "0.0.0.0",
        "address or name to listen on, :: for IPv6 only",
        "idle seconds after which a connection is closed, 0 for never",
    )
    level = serve.add_mutually_exclusive_group()
    level.add_argument("--log-level", choices=LEVELS, default="info", help="default: %(default)s")
    level.add_argument("-q", "--quiet", action="store_true", help="same as --log-level warning")

    send = commands.add_parser(
        "send",
        help="send messages and print their acknowledgments",
        description="Send each message of each file and print its acknowledgment. A message begins"
        " at each line that starts with MSH; line ends become CR. A file of MLLP frames is sent"
        " frame by frame, its payloads unchanged. Exit status: 0 all accepted, 1 a negative"
        " acknowledgment came, 2 wrong usage, 3 server not reached or no answer in time.",
    )
    _add_connection(
        send,
        "127.0.0.1",
        "address or name of the server",
        "seconds to connect and to wait for each answer, 0 for ever",
    )
    send.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for standard input")
    return parser


def _add_connection(parser: argparse.ArgumentParser, host: str, meaning: str, timeout: str) -> None:
    parser.add_argument("--host", default=host, help=f"{meaning}; default: %(default)s")
    parser.add_argument(
        "--port",
        type=_checked(int, config.port, "port"),
        default=config.DEFAULT_PORT,
        help="default: %(default)s",
    )
    parser.add_argument(
        "--timeout",
        type=_checked(float, config.seconds, "timeout"),
        default=config.DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=f"{timeout}; default: %(default)s",
    )
    parser.add_argument(
        "--max-size",
        type=_checked(int, config.size, "max-size"),
        default=config.DEFAULT_MAX_SIZE,
        metavar="BYTES",
        help="largest payload taken from the peer; default: %(default)s",
    )
