"""``serve reload``: runs the engine of a configuration, and changes it."""

import argparse
import dataclasses
import functools
from pathlib import Path

from fastmllp_engine.cli.asking import Commands, about_an_engine, data_of
from fastmllp_engine.cli.client import Client
from fastmllp_engine.cli.printing import counted, say, say_error, say_json, say_lines
from fastmllp_engine.graph import ConfigurationError, Registry, load, read_folder, snapshot
from fastmllp_engine.graph.loader import load_read

LEVELS = ("error", "warn", "info", "debug")
STOP_SECONDS = 60.0
RELOAD_SECONDS = 120.0
"""For the answer to a reload: longer than what was received may take to be answered."""


def add_to(commands: Commands) -> None:
    """Add the commands of this family."""
    serve = commands.add_parser(
        "serve",
        help="run the engine of a configuration",
        description="Run the engine of a configuration: receive, route, transform and deliver.\n\n"
        "Prints a line for each inbound once it listens, then ready. SIGTERM ends it once all\n"
        "that was received is stored and answered; SIGHUP has certificates read again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.set_defaults(run=_serve)
    serve.add_argument("folder", metavar="DIR", help="the configuration")
    serve.add_argument("--data", type=Path, metavar="DATA", help="the data folder (DIR/data)")
    serve.add_argument(
        "--env", metavar="NAME", help="the environment: values of environments/NAME.toml"
    )
    serve.add_argument(
        "--log-level", choices=LEVELS, default="info", help="of the lines on standard error (info)"
    )
    serve.add_argument(
        "--stop-timeout",
        type=float,
        default=STOP_SECONDS,
        metavar="SECONDS",
        help=f"how long what was received may take to be stored and answered ({STOP_SECONDS:g})",
    )
    serve.add_argument("--json", action="store_true", help="print refused configurations as JSON")
    _add_reload(commands)


def _add_reload(commands: Commands) -> None:
    reload = about_an_engine(
        commands,
        "reload",
        _reload,
        "Have a running engine load its configuration again.",
        "All of it is checked first. If anything is wrong, or a connection or handler would\n"
        "vanish that holds something, nothing has changed.",
    )
    reload.add_argument(
        "--move", action="append", default=[], metavar="OLD=NEW",
        help="NEW gets what OLD holds, which vanishes; may be given again",
    )  # fmt: skip
    reload.add_argument(
        "--cancel", action="append", default=[], metavar="OLD",
        help="what OLD holds, which vanishes, ends in ERROR; may be given again",
    )  # fmt: skip
    reload.add_argument("--because", default="", metavar="TEXT", help="why, for the journeys")


def _reload(given: argparse.Namespace) -> int:
    moves = dict(one.split("=", 1) for one in given.move if "=" in one)
    if len(moves) != len(given.move):
        say_error("--move needs OLD=NEW, each OLD once")
        return 2
    wanted = {"moves": moves, "cancels": given.cancel, "because": given.because}
    report = Client(data_of(given), RELOAD_SECONDS).post("/config/reload", wanted)
    if given.json:
        say_json(report)
        return 0
    say_lines(f"configuration {report['configuration'][:7]}: {report['summary']}")
    for done in ("moved", "cancelled"):
        if report[done]:
            say(f"{counted(report[done], 'delivery', 'deliveries')} {done}")
    return 0


def loaded(given: argparse.Namespace, data: Path | None = None) -> Registry | None:
    """The configuration of a command; None: it is refused, and what is wrong was printed."""
    try:
        return load(given.folder, given.env, data=data)
    except ConfigurationError as error:
        _say_findings(error, given)
        return None


def _say_findings(error: ConfigurationError, given: argparse.Namespace) -> None:
    if given.json:
        say_json({"findings": [dataclasses.asdict(it) for it in error.findings]})
        return
    say_error("\n".join(it.line(given.folder) for it in error.findings))
    say_error(counted(len(error.findings), "error"))


def _load_to_run(folder: str, environment: str | None, data: Path) -> Registry:
    """Load a configuration, and keep a copy of what was loaded with the data."""
    read = read_folder(folder, data)
    registry = load_read(read, environment)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    snapshot(read, data)
    return registry


def _serve(given: argparse.Namespace) -> int:
    from fastmllp_engine._native import EngineError, log_to_stderr
    from fastmllp_engine.alerts import Watch
    from fastmllp_engine.api.serving import Api
    from fastmllp_engine.runtime import Running, Wakes, serve
    from fastmllp_engine.runtime.processes import in_processes

    data = given.data or Path(given.folder) / "data"
    try:
        registry = _load_to_run(given.folder, given.env, data)
    except ConfigurationError as error:
        _say_findings(error, given)
        return 2
    except OSError as error:
        say_error(f"{data} cannot be used: {error.strerror}")
        return 4
    log_to_stderr(given.log_level)
    say(f"{given.folder}: {registry.summary}")
    # A signal from here on ends the engine, and does not break it off.
    wakes = Wakes()
    try:
        load_again = functools.partial(_load_to_run, given.folder, given.env, data)
        running = Running.start(registry, data, in_processes(data), given.folder, load_again)
    except ConfigurationError as error:
        _say_findings(error, given)
        return 2
    except EngineError as error:
        say_error(str(error))
        return error.exit_status
    except OSError as error:
        say_error(f"{data} cannot be used: {error.strerror}")
        return 4
    return serve(running, wakes, lambda it: Api(it, Watch(it)), given.stop_timeout)
