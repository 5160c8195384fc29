"""`make bench`: everything once, one Markdown table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.setting import analyze, own_database, prepare

if TYPE_CHECKING:
    from registry.models import User
    from tests.benchmarks.measure import Line
    from trials.models import Trial

HEAD = "| what | against | ratio | aim | rows | SQL | times |\n|---|---|---|---|---|---|---|\n"


def main() -> None:
    """Measure what was asked for, all by default."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full sizes")
    parser.add_argument("--only", default="", help=", ".join(ALL))
    asked = parser.parse_args()
    prepare()
    with own_database() as name:
        bench = Bench(name, asked.scale)
        sys.stdout.write(HEAD)
        for part in asked.only.split(",") if asked.only else ALL:
            start = time.perf_counter()
            for line in ALL[part](bench):
                sys.stdout.write(row(line))
                sys.stdout.flush()
            sys.stderr.write(f"({part}: {time.perf_counter() - start:.0f} s)\n")


class Bench:
    """The database of one run, and the sizes."""

    def __init__(self, database: str, scale: float) -> None:
        from registry.models import User

        self.database = database
        self.scale = scale
        self.user: User = User.objects.create_user("bench")

    def size(self, full: int) -> int:
        """A number of patients."""
        return max(int(full * self.scale), 10)

    def trial(self, registry_id: str, patients: int) -> Trial:
        """A trial with so many patients."""
        from tests.benchmarks import tables
        from tests.benchmarks.courses import courses

        made = tables.trial(registry_id, self.user)
        for first in range(0, patients, 1000):
            few = courses(min(1000, patients - first), first)
            tables.insert(tables.rows(few, made), self.user)
        analyze()
        return made


def survival(bench: Bench) -> Iterator[Line]:
    from tests.benchmarks import survival

    yield from survival.measured(bench.size(100_000), repetitions=100)


def visits(bench: Bench) -> Iterator[Line]:
    from tests.benchmarks import visits

    yield visits.measured(bench.user, repetitions=25)


def dashboards(bench: Bench) -> Iterator[Line]:
    from tests.benchmarks import dashboards

    small = bench.trial("BENCH-50", bench.size(50))
    large = bench.trial("BENCH-5000", bench.size(5000))
    yield from dashboards.pages(small, large, bench.user, repetitions=5)
    if line := dashboards.conditional(large, bench.user, repetitions=5):
        yield line


def reports(bench: Bench) -> Iterator[Line]:
    from tests.benchmarks import analyses, memory, reports

    trial = bench.trial("BENCH-10000", bench.size(10_000))
    line = reports.measured(trial, bench.user, repetitions=7)
    yield line
    yield from analyses.measured(trial, bench.user, repetitions=3)
    yield memory.reports(trial.registry_id, bench.database, line.rows)
    yield reports.previewed(trial, bench.user, repetitions=5)


def imports(bench: Bench) -> Iterator[Line]:
    from tests.benchmarks import imports, memory
    from tests.benchmarks.courses import courses

    if not imports.exists():
        sys.stderr.write("no import yet: not measured\n")
        return
    few = courses(bench.size(3333), first=2_000_000)
    line = imports.measured(few, bench.user, repetitions=2)
    yield line
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(imports.lines(few))
        trial = imports.empty_trial(bench.user).registry_id
        yield memory.imports(trial, bench.database, Path(file.name), line.rows)


ALL: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "survival": survival,
    "visits": visits,
    "dashboards": dashboards,
    "reports": reports,
    "imports": imports,
}


def row(line: Line) -> str:
    """A line of the table."""
    aim = f"≤ {line.aim:g}" if line.aim else ""
    times = f"{_number(line.ours, line.unit)} / {_number(line.other, line.unit)}"
    return (
        f"| {line.what} | {line.against} | **{line.ratio:.2f}** | {aim} | {line.rows}"
        f" | {line.statements} | {times} |\n"
    )


def _number(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    return f"{value:.3g} {unit}"


if __name__ == "__main__":
    main()
