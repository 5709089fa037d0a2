#!/usr/bin/python3
"""Datagrams there and back on loopback, direct and through socksify-gss and socksd-gss, by turns.

    datagrams.py       prints a table of medians and keeps every figure in build/bench/datagrams.json
"""

import contextlib
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import report  # noqa: E402
from bench.paths import Paths  # noqa: E402
from support.servers import BUILD  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SIZES = (64, 1200)
COUNTS = {"ping": 2000, "rate": 20000}
PROGRAM = str(BUILD / "bench" / "datagrams")


def main():
    results = {}
    with contextlib.ExitStack() as stack:
        paths = Paths(stack, [PROGRAM, "serve"])
        for _ in range(ROUNDS):
            for path in paths.names:
                for size in SIZES:
                    for what, count in COUNTS.items():
                        said = paths.output(path, [PROGRAM, what, "127.0.0.1", str(paths.sink.port), str(size), str(count)])
                        figures = results.setdefault(path, {})
                        figures.setdefault(f"{what} {size}", []).append(float(said.split()[0]))
                        if what == "rate":
                            figures.setdefault(f"lost {size}", []).append(int(said.split()[1]))
    report.keep(BUILD, "datagrams", results)
    median = {path: {name: statistics.median(values) for name, values in figures.items()} for path, figures in results.items()}
    report.table(f"datagrams there and back on loopback, median of {ROUNDS} runs: round trips in a second with 32 on their way, "
                 "the time of one alone",
                 ("path", *(f"{size} octets, 1/s" for size in SIZES), *(f"{size} octets, us" for size in SIZES), "lost"),
                 [(path, *(f"{of[f'rate {size}']:.0f}" for size in SIZES), *(f"{of[f'ping {size}']:.1f}" for size in SIZES),
                   sum(sum(results[path][f"lost {size}"]) for size in SIZES)) for path, of in median.items()])


if __name__ == "__main__":
    main()
