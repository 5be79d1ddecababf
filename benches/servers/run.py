"""Measures the servers, the client and the package in process, and prints one set of tables.

    python run.py [--seconds 1] [--rounds 3]

Seconds are for each load of each server; the defaults take three to four minutes. Every server that
reads its messages must answer all of them rightly: one that does not is left out, and the exit
status is 1.
"""

import argparse
import sys

from measure import budgets, tables
from measure.figures import measure, tell
from measure.load import Generator, WrongAnswerError
from measure.package import client, in_process
from measure.programs import build
from measure.server import NotListeningError
from measure.workers import reason_against, workers

# Above this share of one core, in percent, others have taken part in the measurement.
QUIET = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1, help="for each load (1)")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken (3)")
    options = parser.parse_args()
    tell("building")
    programs = build()
    generator = Generator(programs.mllpload, options.seconds)
    try:
        figures = measure(programs, generator, options.rounds)
        tell("client")
        rates = client(programs, generator, options.rounds)
        tell("in process")
        times = in_process(generator)
        why_not = reason_against()
        scaled = None if why_not else workers(programs, generator, options.rounds)
    except (NotListeningError, WrongAnswerError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    print(tables.servers(figures), end="\n\n")
    print(tables.client(rates), end="\n\n")
    print(tables.in_process(times), end="\n\n")
    lines = budgets.server_lines(figures)
    lines += [budgets.client_line(rates), budgets.worker_line(scaled, why_not)]
    print(tables.budgets(lines + budgets.in_process_lines(times)), end="\n\n")
    print(f"foreign cpu: {figures.foreign:.0f} percent of one core", end="")
    print("" if figures.foreign <= QUIET else "; preliminary: the machine was not quiet")
    return 1 if figures.failed else 0


if __name__ == "__main__":
    sys.exit(main())
