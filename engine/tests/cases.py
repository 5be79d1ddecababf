#!/usr/bin/env python3
"""Checks cases.toml: each case of a room that is built has a test that cargo or pytest collects.

Checks also that every source file that docs/engine-promises.md names is there.

    engine/tests/cases.py          fail when a case of a built room has no test
    engine/tests/cases.py --list   also print every case with its room and its tests

A test is written `FILE: NAME`, FILE from the root of the project. The test programs are built as
`make test-engine` and `make test-rust` build them and asked for their lists, and pytest is asked
for those of Python, so a name that was mistyped, renamed, deleted or marked `#[ignore]` does not
count. A case that waits for a part that is not there yet says so with `later`, and has no tests.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["rust", "python", "connectors", "console", "postgres"]
NUMBERS = [str(number) for number in range(1, 42)] + [f"M{number}" for number in range(1, 21)]
KEYS = {"number", "statement", "room", "tests", "later"}
PYTHON_TESTS = "engine/python/"
# The workspaces and the options with which their tests are built anyway.
WORKSPACES = {
    ROOT / "engine": ["--workspace", "--features", "mllp-store/postgres"],
    ROOT: ["--workspace", "--exclude", "fastmllp-python"],
}


def main() -> int:
    if sys.argv[1:] not in ([], ["--list"]):
        print(__doc__, file=sys.stderr)
        return 2
    document = tomllib.loads((ROOT / "engine/tests/cases.toml").read_text(encoding="utf-8"))
    built, cases = document["built"], document["case"]
    faults = shape(built, cases)
    named = {test for case in cases if case["room"] in built for test in case.get("tests", [])}
    if not faults:
        faults = missing(built, cases, collected(named))
    faults += absent(ROOT / "docs/engine-promises.md")
    for fault in faults:
        print(f"cases: {fault}")
    if sys.argv[1:]:
        for case in cases:
            print(f"{case['number']:>4}  {case['room']:<10}  {case['statement']}")
            print("".join(f"{'':18}{test}\n" for test in case.get("tests", [])), end="")
    if not faults:
        count = sum(case["room"] in built and "later" not in case for case in cases)
        waiting = [f"{it['number']} ({it['later']})" for it in cases if "later" in it]
        print(f"cases: {len(cases)}, {count} of them of built rooms and tested")
        print(f"cases that wait: {', '.join(waiting) or 'none'}")
    return 1 if faults else 0


def shape(built: list[str], cases: list[dict]) -> list[str]:
    """What is wrong with the file itself."""
    faults = [f"built: there is no room {room}" for room in built if room not in ROOMS]
    seen = [case.get("number") for case in cases]
    faults += [f"case {number} is missing" for number in NUMBERS if number not in seen]
    places = [(case.get("number"), case.get("room")) for case in cases]
    faults += [
        f"case {n}: {room} has it twice" for n, room in set(places) if places.count((n, room)) > 1
    ]
    for case in cases:
        where = f"case {case.get('number')}"
        faults += [f"{where}: unknown key {key}" for key in case.keys() - KEYS]
        if case.get("number") not in NUMBERS:
            faults.append(f"{where}: there is no such case")
        if case.get("room") not in ROOMS:
            faults.append(f"{where}: there is no room {case.get('room')}")
        if "later" in case and (case.get("tests") or not case["later"]):
            faults.append(f"{where}: later is a word about what it waits for, in place of tests")
        if not case.get("statement"):
            faults.append(f"{where}: no statement")
        for test in case.get("tests", []):
            if not re.fullmatch(r"[\w/.-]+\.(rs|py): \w+", test):
                faults.append(f'{where}: "{test}" is not FILE: NAME')
    return faults


def missing(built: list[str], cases: list[dict], known: dict[str, set[str]]) -> list[str]:
    """Cases of rooms that are built, and what is wrong with their tests."""
    faults = []
    for case in cases:
        if case["room"] not in built:
            continue
        if not case.get("tests") and "later" not in case:
            faults.append(f"case {case['number']} ({case['room']}) has no test")
        for test in case.get("tests", []):
            file, name = test.split(": ")
            if name not in known.get(file, ()):
                who = "pytest" if file.endswith(".py") else "cargo"
                faults.append(f"case {case['number']}: {who} collects no {name} from {file}")
    return faults


def absent(page: Path) -> list[str]:
    """Source files that a page names and that are not there."""
    files = re.findall(r"`([\w/.-]+\.(?:rs|toml))`", page.read_text(encoding="utf-8"))
    return [f"{page.name}: there is no {file}" for file in files if not (ROOT / file).is_file()]


def collected(named: set[str]) -> dict[str, set[str]]:
    """For each file that is named, the tests that its test program lists and that it defines."""
    files = {test.split(": ")[0] for test in named}
    known = collected_by_pytest({file for file in files if file.endswith(".py")})
    files -= known.keys()
    for workspace, options in WORKSPACES.items():
        mine = {file for file in files if workspace_of(file) == workspace}
        if not mine:
            continue
        for source, names in programs(workspace, options):
            for file in mine:
                if belongs(ROOT / file, source):
                    defined = set(
                        re.findall(r"\bfn (\w+)", (ROOT / file).read_text(encoding="utf-8"))
                    )
                    known.setdefault(file, set()).update(names & defined)
    return known


def collected_by_pytest(files: set[str]) -> dict[str, set[str]]:
    """For each file of Python, the tests that pytest finds in it."""
    known: dict[str, set[str]] = {file: set() for file in files}
    there = sorted(file for file in files if (ROOT / file).is_file())
    if not there:
        return known
    paths = [file.removeprefix(PYTHON_TESTS) for file in there]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts="]
    for line in output([*command, *paths], ROOT / PYTHON_TESTS).splitlines():
        file, _, name = line.partition("::")
        if name:
            known[PYTHON_TESTS + file].add(name.partition("[")[0])
    return known


def workspace_of(file: str) -> Path:
    return ROOT / "engine" if file.startswith("engine/") else ROOT


def belongs(file: Path, source: Path) -> bool:
    """Whether a file is part of the program whose root is `source`."""
    if not file.is_file():
        return False
    # `tests/life/main.rs` and `src/lib.rs` have modules beside and below them.
    return file == source or source.name in ("main.rs", "lib.rs") and source.parent in file.parents


def programs(workspace: Path, options: list[str]) -> list[tuple[Path, set[str]]]:
    """Each test program, as the source of its root and the names of the tests that it runs."""
    command = ["cargo", "test", "--quiet", "--no-run", "--message-format=json", *options]
    found = []
    for line in output(command, workspace).splitlines():
        message = json.loads(line)
        if message.get("executable") and message["profile"]["test"]:
            program = message["executable"]
            names = listed(program) - listed(program, "--ignored")
            found.append((Path(message["target"]["src_path"]), names))
    return found


def listed(program: str, *options: str) -> set[str]:
    lines = output([program, "--list", *options], ROOT).splitlines()
    return {
        line.removesuffix(": test").split("::")[-1] for line in lines if line.endswith(": test")
    }


def output(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=os.environ, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"cases.py: {' '.join(command[:3])} failed in {folder.relative_to(ROOT.parent)}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
