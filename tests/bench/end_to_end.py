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


<<<<<<< HEAD
class EndToEnd:
    def __init__(self, stack):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        realm = stack.enter_context(Realm(directory / "realm"))
        realm.populate()
        self.plain_env = base_env(realm.env)
        self.socksify = Socksify(realm, directory)
        self.sink = stack.enter_context(Service([PUMP, "serve"]))
        sealed = stack.enter_context(SocksServer("socksd-gss", realm, directory / "gssapi"))
        slow = ("--gss-fast-path=0",)
        library = stack.enter_context(SocksServer("socksd-gss", realm, directory / "library", options=slow))
        clear = stack.enter_context(SocksServer("socksd-gss", realm, directory / "none", methods="none"))
        tls = Tls(Pki(directory / "pki"))
        ssl = stack.enter_context(SocksServer("socksd-gss", realm, directory / "ssl", methods="ssl", tls=tls))
        self.paths = {
            "direct": None,
            "SOCKS, method none": (clear, "confidentiality", ("--methods=none",)),
            "level 1, integrity": (sealed, "integrity", ()),
            "level 2, confidentiality": (sealed, "confidentiality", ()),
            "level 1, by the Kerberos library": (library, "integrity", slow),
            "level 2, by the Kerberos library": (library, "confidentiality", slow),
            "ssl": (ssl, "confidentiality", ()),
        }

    def once(self, path, way):
        argv = [PUMP, way, "127.0.0.1", str(self.sink.port), str(OCTETS)]
        if self.paths[path] is None:
            done = subprocess.run(argv, env=self.plain_env, capture_output=True, check=True)
        else:
            server, level, options = self.paths[path]
            done = self.socksify.run(server, argv, level=level, options=options)
        if done.returncode != 0:
            raise SystemExit(f"{path}, {way}: {done.stderr}")
        return OCTETS / 1e6 / float(done.stdout)


=======
>>>>>>> main
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
