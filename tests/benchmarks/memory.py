"""Peak memory of a process that does one thing: `python -m tests.benchmarks.memory TASK TRIAL`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measure import Line

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "BENCHMARK_DATABASE"


def peak(task: str, trial: str, database: str, file: Path | None = None) -> float:
    """Peak memory in MB of a fresh process that does the task."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.memory", task, trial, str(file or "")],
        cwd=ROOT, env=os.environ | {NAME: database}, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return float(done.stdout)


def reports(trial: str, database: str, rows: str) -> Line:
    """A report against the same process that reads the rows."""
    ours, other = (peak(task, trial, database) for task in ("report", "rows"))
    what, against = "Peak memory of that report", "a process that reads the rows by psycopg2"
    return Line(what, against, ours, other, ours / other, unit="MB", rows=rows)


def imports(trial: str, database: str, file: Path, rows: str) -> Line:
    """An import against the same process that imports nothing."""
    ours, other = peak("import", trial, database, file), peak("nothing", trial, database)
    what, against = "Peak memory of that import", "a process that has started and does nothing"
    return Line(what, against, ours, other, ours / other, unit="MB", rows=rows)


def _do(task: str, registry_id: str, file: str) -> None:
    from registry.models import User
    from tests.benchmarks import imports as importing
    from tests.benchmarks import reports as reporting
    from trials.models import Trial

    trial, user = Trial.objects.get(registry_id=registry_id), User.objects.get(username="bench")
    if task == "report":
        reporting.document(trial, user)
    elif task == "rows":
        reporting.rows(trial)
    elif task == "import":
        importing.send(Path(file).read_bytes(), trial, importing.client_of(user))


def _peak_of_this_process() -> float:
    """Megabytes (Linux)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    from tests.benchmarks.setting import prepare

    prepare(os.environ[NAME])
    _do(*sys.argv[1:4])
    sys.stdout.write(f"{_peak_of_this_process():.1f}")
