"""How long a newcomer waits: `make demo` on a fresh clone, then again.

The clone has no environment, so the first figure includes creating it and installing every package with pip.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"first": 180.0, "second": 5.0}


def start_and_stop(folder: Path) -> float:
    """Run `make demo` in ``folder`` until its first page answers; return the seconds it took."""
    environ = {**os.environ, "PATH": without_uv(os.environ["PATH"])}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "demo", "ARGS=--port 0"], cwd=folder, env=environ, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                wait_for(found[0] + "/login")
                return time.monotonic() - began
        raise SystemExit("make demo ended before it printed an address")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)


def without_uv(path: str) -> str:
    """Leave out folders that hold uv: a fresh machine has only pip."""
    return os.pathsep.join(part for part in path.split(os.pathsep) if not (Path(part) / "uv").exists())


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ieum-bench-"))
    try:
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
        for name, limit in LIMITS.items():
            seconds = start_and_stop(folder / "clone")
            verdict = "within" if seconds <= limit else "OVER"
            sys.stdout.write(f"{name:7} start {seconds:6.1f} s  {verdict} {limit:.0f} s\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
