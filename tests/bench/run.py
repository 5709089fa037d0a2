#!/usr/bin/python3
"""`make bench`: every figure, side by side and by turns, medians; the JSON is kept in build/bench."""

import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench import report  # noqa: E402
from support.servers import BUILD, PYTHON, base_env, built  # noqa: E402

REPETITIONS = 5
KINDS = ("Seal", "GssWrap", "Open", "GssUnwrap")
READ_ROUNDS = 11
EXEC_ROUNDS = 1001


def output(*argv, env=None):
    return subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout


def settings():
    """Nothing is proxied in these: the server named here is never asked."""
    return base_env({}) | {"SOCKSIFY_SERVER": "127.0.0.1:1"}


def micro():
    """The Google Benchmark program, in a realm."""
    kept = BUILD / "bench" / "micro.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([PYTHON, str(TESTS / "support" / "realm.py"), "run", "--", built("benchmarks"),
                    f"--benchmark_repetitions={REPETITIONS}", "--benchmark_min_time=0.1",
                    "--benchmark_enable_random_interleaving=true", f"--benchmark_out={kept}",
                    "--benchmark_out_format=json"],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    run = json.loads(kept.read_text())["benchmarks"]
    if failed := {f"{b['name']}: {b['error_message']}" for b in run if b.get("error_occurred")}:
        raise SystemExit("\n".join(sorted(failed)))
    medians = {b["run_name"]: b for b in run if b.get("aggregate_name") == "median"}
    protection(medians)
    report.table("handshakes in memory, client and server engine on one core", ("method", "per second"),
                 [(name, f"{medians[f'Handshakes/{name}']['items_per_second']:.0f}")
                  for name in ("gssapi", "userpass", "none")])
    ssl(medians)
    report.table("codecs", ("encode and parse", "ns"),
                 [(name, f"{1e9 / medians[name]['items_per_second']:.0f}") for name in ("FrameHeader", "RequestByName")])


def protection(medians):
    """One row per level and size: ours beside the library's own."""
    rows = []
    for level, octets in sorted(tuple(map(int, re.findall(r"\d+", name))) for name in medians if name.startswith("Seal/")):
        row = [medians[f"{kind}/level:{level}/octets:{octets}/manual_time"] for kind in KINDS]
        rows.append((f"level {level}, {octets}", *(f"{b['bytes_per_second'] / 1e6:.1f}" for b in row),
                     f"{1e6 / row[0]['items_per_second']:.2f}"))
    report.table("per-message protection, MB/s on one core",
                 ("level, octets", "seal", "gss_wrap", "open", "gss_unwrap", "us per seal"), rows)
    bounds(medians)


def bounds(medians):
    """Ours as a multiple of the library, and of what GnuTLS's own cipher and MAC do one after the other."""
    def nanoseconds(name):
        return 1e9 / medians[name]["items_per_second"]

    rows = []
    for level in (1, 2):
        for octets in (1024, 16384, 65536):
            row = [f"level {level}, {octets}"]
            for ours, library, way in (("Seal", "GssWrap", "encrypt"), ("Open", "GssUnwrap", "decrypt")):
                time = nanoseconds(f"{ours}/level:{level}/octets:{octets}/manual_time")
                parts = [f"GnutlsHmac/octets:{octets}"] + [f"GnutlsCipher/{way}/octets:{octets}"] * (level - 1)
                row += [f"{nanoseconds(f'{library}/level:{level}/octets:{octets}/manual_time') / time:.1f}",
                        f"{100 * sum(map(nanoseconds, parts)) / time:.0f} %"]
            rows.append(row)
    report.table("the same, as a multiple of the library, and of GnuTLS's own cipher and MAC one after the other",
                 ("level, octets", "seal", "of GnuTLS", "open", "of GnuTLS"), rows)


def ssl(medians):
    """TLS 1.3 with AES-256-GCM: live in GnuTLS, and handed over to another process."""
    rows = [(f"{where or 'live'}, {octets}", *(f"{medians[f'Ssl{kind}{key}/octets:{octets}/manual_time']['bytes_per_second'] / 1e6:.1f}"
                                               for kind in ("Seal", "Open")))
            for key, where in (("", ""), ("HandedOver", "handed over")) for octets in (16384, 65536)]
    report.table("ssl: per-message protection, MB/s on one core", ("octets", "seal", "open"), rows)
    report.table("ssl: handshakes in memory, both sides on one core", ("", "per second"),
                 [(kind, f"{medians[f'SslHandshakes/{kind}']['items_per_second']:.0f}") for kind in ("whole", "resumed")])


def foreign_read():
    program = str(BUILD / "bench" / "foreign_read")
    times = {"without the shim": [], "with the shim": []}
    for _ in range(READ_ROUNDS):
        times["without the shim"].append(float(output(program, env=settings())))
        times["with the shim"].append(float(output(built("socksify-gss"), program, env=settings())))
    report.keep(BUILD, "foreign_read", times)
    report.table("read on a descriptor that is not ours", ("", "ns"),
                 [(way, f"{statistics.median(values):.1f}") for way, values in times.items()])


def exec_cost():
    wrapped = output(built("socksify-gss"), "env", "-0", env=settings()).split("\0")[:-1]
    said = output(str(BUILD / "bench" / "exec_cost"), str(EXEC_ROUNDS), built("socksify-gss"), *wrapped, env=settings())
    ways = ("/bin/true", "/bin/true under the shim", "socksify-gss /bin/true")
    medians = dict(zip(ways, map(float, said.split())))
    report.keep(BUILD, "exec_cost", medians)
    report.table(f"running /bin/true, median of {EXEC_ROUNDS}", ("", "ms", "more, ms"),
                 [(way, f"{us / 1000:.3f}", f"{(us - medians['/bin/true']) / 1000:+.3f}") for way, us in medians.items()])


def main():
    micro()
    foreign_read()
    exec_cost()
    for part in ("end_to_end.py", "datagrams.py", "idle.py"):
        subprocess.run([PYTHON, str(TESTS / "bench" / part)], env=os.environ | {"SOCKSIFY_BUILD": str(BUILD)}, check=True)


if __name__ == "__main__":
    main()
