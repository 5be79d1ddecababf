"""Builds the wheel and the source distribution, installs each in a clean environment, and uses it.

Run by `make test-package`, with the interpreter that has maturin.
"""

import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
DIST = ROOT / "target" / "package"
LICENCES = {"LICENSE-MIT", "LICENSE-APACHE"}
# In the wheel, the files beside the native module that a user's type checker needs.
TYPING = {"fastmllp/py.typed", "fastmllp/_native.pyi"}


def run(*command: str | pathlib.Path) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def build() -> tuple[pathlib.Path, pathlib.Path]:
    for old in DIST.glob("*"):
        old.unlink()
    maturin = pathlib.Path(sys.executable).parent / "maturin"
    manifest = ROOT / "bindings-python" / "Cargo.toml"
    run(maturin, "build", "--release", "--quiet", "-m", manifest, "-o", DIST)
    run(maturin, "sdist", "-m", manifest, "-o", DIST)
    (wheel,) = DIST.glob("*.whl")
    (source,) = DIST.glob("*.tar.gz")
    return wheel, source


def check_contents(wheel: pathlib.Path, source: pathlib.Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= TYPING, TYPING - names
    assert {name.rpartition("/")[2] for name in names} >= LICENCES, names
    (entry_points,) = (name for name in names if name.endswith("/entry_points.txt"))
    plugin = "[pytest11]\nfastmllp.pytest_plugin=fastmllp.testing.pytest_plugin\n"
    assert plugin in zipfile.ZipFile(wheel).read(entry_points).decode()
    with tarfile.open(source) as archive:
        packed = {name.rpartition("/")[2] for name in archive.getnames()}
    assert packed >= LICENCES, packed
    assert "cp311-abi3" in wheel.name, wheel.name


def install_and_use(package: pathlib.Path) -> None:
    readme = (ROOT / "README.md").read_text()
    example, *_ = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        bin_ = pathlib.Path(folder, "bin")
        run(
            bin_ / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            package,
        )
        assert run(bin_ / "python", "-c", example) == "b'M1' b'1001'\nAA M1\n"
        version = run(bin_ / "fastmllp", "--version")
        assert re.fullmatch(r"fastmllp \d+\.\d+\.\d+\n", version), version
        requires = run(bin_ / "python", "-m", "pip", "show", "fastmllp")
        assert "\nRequires: \n" in requires, requires


def main() -> None:
    wheel, source = build()
    check_contents(wheel, source)
    for package in (wheel, source):
        install_and_use(package)
        print(f"{package.name}: installed in a clean environment, the README's example runs")
    print("packages: 2 passed, 0 failed")


if __name__ == "__main__":
    main()
