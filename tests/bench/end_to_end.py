#!/usr/bin/python3
"""Bulk transfers on loopback, direct and through socksify-gss and socksd-gss, by turns.

    end_to_end.py      prints a table of MB/s (medians) and keeps every figure in build/bench/end_to_end.json
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
OCTETS = 128_000_000
WAYS = ("down", "up")
PUMP = str(BUILD / "bench" / "pump")


def main():
    results = {}
    with contextlib.ExitStack() as stack:
        paths = Paths(stack, [PUMP, "serve"])
        for _ in range(ROUNDS):
            for path in paths.names:
                for way in WAYS:
                    seconds = float(paths.output(path, [PUMP, way, "127.0.0.1", str(paths.sink.port), str(OCTETS)]))
                    results.setdefault(path, {}).setdefault(way, []).append(OCTETS / 1e6 / seconds)
    report.keep(BUILD, "end_to_end", results)
    report.table(f"end to end on loopback, MB/s, median of {ROUNDS} transfers of {OCTETS // 1_000_000} MB",
                 ("path", "download", "upload"),
                 [(path, *(f"{statistics.median(ways[way]):.0f}" for way in WAYS)) for path, ways in results.items()])


if __name__ == "__main__":
    main()
