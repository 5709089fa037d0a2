#!/usr/bin/python3
"""What a program feels, by every path to the same origin, by turns: throughput, processor time, connect, ping-pong.

    end_to_end.py      prints a table (medians) and keeps every figure in build/bench/end_to_end.json

Client, server and origin are in namespaces of one machine, so a path's rate counts the processors' work at all three.
DANTE_PREFIX=DIR adds Dante (sbin/sockd and lib/libdsocks.so, both with GSSAPI). BENCH_ROUNDS rounds, 5 unless given.
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
PUMP = str(BUILD / "bench" / "pump")
PINGS, CONNECTS, PARALLEL = 1000, 50, 1000
SLOW = ("Dante, level 1", "Dante, level 2")  # of which 1,000 parallel connects are not asked: it connects one by one


def measure(route, target):
    """One round of one route: figures by name."""
    figures = {}
    for way in ("down", "up"):
        (seconds, processor), helpers, server = route.run(PUMP, way, *target, OCTETS)
        figures[way] = OCTETS / 1e6 / seconds
        figures[f"{way} cpu"] = (processor + helpers) / (OCTETS / 1e9)
        if route.servers:
            figures[f"{way} server"] = server / (OCTETS / 1e9)
    figures["ping"] = route.run(PUMP, "ping", *target, PINGS)[0][0] * 1e6
    figures["connect"] = route.run(PUMP, "connect", *target, CONNECTS)[0][0] * 1e3
    return figures


def collect():
    results = {}
    with contextlib.ExitStack() as stack:
        paths = Paths(stack, [PUMP, "serve"])
        paths.add_others()
        for _ in range(ROUNDS):
            for name, route in paths.routes.items():
                figures = measure(route, paths.target)
                if name not in SLOW:
                    figures["parallel"] = route.run(PUMP, "parallel", *paths.target, PARALLEL)[0][0]
                for figure, value in figures.items():
                    results.setdefault(name, {}).setdefault(figure, []).append(value)
    return results


def main():
    results = collect()
    report.keep(BUILD, "end_to_end", results)
    medians = {name: {figure: statistics.median(values) for figure, values in figures.items()}
               for name, figures in results.items()}
    columns = {"down": "down MB/s", "up": "up MB/s", "down cpu": "client s/GB down", "up cpu": "up",
               "down server": "server s/GB down", "up server": "up", "connect": "connect ms",
               "ping": "ping us", "parallel": f"{PARALLEL} connects s"}
    digits = {"down": 0, "up": 0, "ping": 0}
    report.table(f"end to end, medians of {ROUNDS} rounds by turns", ("path", *columns.values()),
                 [(name, *(f"{figures[column]:.{digits.get(column, 2)}f}" if column in figures else "-" for column in columns))
                  for name, figures in medians.items()])
    compare(medians)


def compare(medians):
    """Each figure beside the ones it has to be measured by."""
    level2, none = medians["level 2"], medians["method none"]
    rows = [("level 2: ping-pong, times method none", f"{level2['ping'] / none['ping']:.2f}"),
            ("level 2: connect, ms more than method none", f"{level2['connect'] - none['connect']:.2f}")]
    for way in ("down", "up"):
        rows += [(f"{name}, {way}: times ssh -D", f"{medians[name][way] / medians['ssh -D'][way]:.2f}")
                 for name in ("level 2", "level 2, AES-128", "ssl")]
        if dante := medians.get("Dante, level 2"):
            rows += [(f"level 2, {way}: times Dante", f"{level2[way] / dante[way]:.2f}"),
                     (f"level 2, {way}: client's processor time, of Dante's", f"{level2[f'{way} cpu'] / dante[f'{way} cpu']:.2f}")]
    report.table("ratios", ("", ""), rows)


if __name__ == "__main__":
    main()
