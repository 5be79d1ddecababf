"""The tests in C: the header in every dialect, and `c/` under every tool, with what is delivered.

* With -O2, linked with libmllp.a, and with the shared library: blocks end at a page that may not be
  touched.
* Under AddressSanitizer and UndefinedBehaviorSanitizer, with the library built the same way, and
  with Rust's own assertions.
* Under valgrind, with libmllp.a.
"""

import pathlib
import re
import sys
import time

import misuse
from tools import BUILT, CC, CXX, HEADER, STRICT, TESTS, WORK, functions, has, run

import vectors

SOURCES = sorted((TESTS / "c").glob("*.c"))
INCLUDE = (f"-I{HEADER.parent}", f"-I{WORK}")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
DIALECTS = {
    CC: ("c99", "c11", "c17"),
    CXX: ("c++11", "c++17", "c++20"),
}


def check_header() -> None:
    """It compiles on its own, and twice."""
    source = WORK / "header.h"
    source.write_text('#include "mllp.h"\n#include "mllp.h"\n')
    for compiler, dialects in DIALECTS.items():
        if not has(compiler, "header"):
            continue
        language = "c++" if compiler == CXX else "c"
        for dialect in dialects:
            flags = (f"-std={dialect}", *STRICT, *INCLUDE, "-fsyntax-only", "-x", language)
            run(compiler, *flags, source)
        print(f"header: {', '.join(dialects)}")


def check_all_are_called() -> None:
    """In `c/`, or for a name in abi.txt: the calls that misuse.py makes are not what it is for."""
    tests = "".join(path.read_text() for path in [*SOURCES, TESTS / "abi.txt"])
    missing = [name for name in functions() if not re.search(rf"\b{name}\b", tests)]
    if missing:
        sys.exit(f"functions that no test in C calls: {' '.join(missing)}")


def build(name: str, *flags: str | pathlib.Path) -> pathlib.Path:
    program = WORK / name
    run(CC, "-std=c99", "-g", *STRICT, *INCLUDE, *SOURCES, "-o", program, *flags)
    return program


def sanitized_library() -> pathlib.Path:
    """libmllp.a with the memory accesses of Rust checked too. A failed assertion of Rust's never
    returns: the test is ended after its time."""
    host = next(
        line.removeprefix("host: ")
        for line in run("rustc", "-vV").splitlines()
        if line.startswith("host: ")
    )
    target = BUILT / "sanitized"
    flags = "-Zsanitizer=address -Cdebug-assertions=on -Coverflow-checks=on"
    env = {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": flags, "CARGO_TARGET_DIR": str(target)}
    options = ("--profile", "capi", "--features", "artefact", "--crate-type", "staticlib")
    run("cargo", "rustc", "--quiet", "--target", host, "-p", "mllp-c", *options, env=env)
    return target / host / "capi" / "libmllp.a"


def test(what: str, *command: str | pathlib.Path) -> None:
    begun = time.monotonic()
    *_, total = run(*command).splitlines()
    print(f"{what}: {total}, {time.monotonic() - begun:.0f} s", flush=True)


def main() -> None:
    if not has(CC, "tests in C"):
        return
    WORK.mkdir(parents=True, exist_ok=True)
    vectors.write(WORK)
    misuse.write(WORK)
    check_header()
    check_all_are_called()

    archive = BUILT / "libmllp.a"
    test("libmllp.a", build("archive", "-O2", "-DGUARD_PAGES", archive))
    shared = (f"-L{BUILT}", f"-Wl,-rpath,{BUILT}", "-lmllp")
    test("libmllp.so", build("shared", "-O2", "-DGUARD_PAGES", *shared))
    program = build("sanitized-tests", "-O1", *SANITIZE, sanitized_library())
    test("sanitizers", program)
    if has("valgrind", "valgrind"):
        valgrind = ("valgrind", "--quiet", "--error-exitcode=1", "--leak-check=full")
        suppressions = f"--suppressions={TESTS / 'c' / 'valgrind.supp'}"
        test("valgrind", *valgrind, suppressions, build("heap", "-O2", archive), "100")


if __name__ == "__main__":
    main()
