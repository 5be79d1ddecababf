"""Runs the generators in a copy of this folder and compares what they write with the committed vectors."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
WRITES = {"mllp_frames.json": "gen_mllp.py", "hl7_peek.json": "gen_hl7.py", "ack.json": "gen_ack.py",
          "ack_always.json": "gen_ack_always.py", "detect.json": "gen_misc.py", "charsets.json": "gen_misc.py",
          "tables.json": "gen_misc.py", "proxy.json": "gen_proxy.py", "astm_frames.json": "gen_astm.py"}

failed = 0
with tempfile.TemporaryDirectory() as folder:
    copy = pathlib.Path(folder, "gen")
    shutil.copytree(HERE, copy)
    for written, generator in WRITES.items():
        # A generator exits with an error when a package for its optional cross-check is missing;
        # what counts is the file.
        run = subprocess.run([sys.executable, generator], cwd=copy, capture_output=True, text=True)
        new = pathlib.Path(folder, written)
        same = new.exists() and json.loads(new.read_text()) == json.loads((HERE.parent / written).read_text())
        failed += not same
        print(f"{written}: {'as generated' if same else 'DIFFERS'}")
        if not same:
            print(run.stdout[-2000:], run.stderr[-2000:])
print(f"vectors: {len(WRITES) - failed} passed, {failed} failed")
sys.exit(failed > 0)
