#!/usr/bin/python3
"""`make check`: runs the suites one after the other and sums what they report; the last line is the sum.

    run.py BUILD SUITE...      unit, or a directory of tests, or server: socksd-gss alone against good and bad clients, the relay and the agent

Each suite leaves a JUnit report in BUILD/reports. One that ends badly without reporting a failure, or runs nothing, counts
as one failure.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(min(os.cpu_count() or 1, 8))]
SERVER = tuple(f"integration/test_{name}.py" for name in (
    "socksd", "socksd_udp", "socksd_udp_life", "socksd_bind", "socksd_ssl", "socksd_users", "hostile_client", "ssl_client", "relay",
    "agent", "agent_life", "agent_bind"))


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") == "notrun":
        return "skipped"
    return "passed"


class Run:
    def __init__(self, build):
        self.build = build
        self.env = os.environ | {"SOCKSIFY_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env.setdefault("LSAN_OPTIONS", f"suppressions={TESTS / 'support' / 'lsan.supp'}:print_suppressions=0")
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.reports = build / "reports"
        self.reports.mkdir(parents=True, exist_ok=True)

    def suite(self, name, argv, report_option):
        print(f"== {name}", flush=True)
        report = self.reports / f"{name}.xml"
        report.unlink(missing_ok=True)
        status = subprocess.run([*argv, f"{report_option}{report}"], env=self.env, stdin=subprocess.DEVNULL,
                                check=False).returncode
        try:
            outcomes = [outcome(case) for case in xml.parse(report).iter("testcase")]
        except (OSError, xml.ParseError) as error:
            print(f"{name}: no report: {error}")
            outcomes = []
        for kind in outcomes:
            self.counts[kind] += 1
        if not outcomes or (status != 0 and "failed" not in outcomes):
            print(f"{name}: ended with {status} after {len(outcomes)} tests")
            self.counts["failed"] += 1

    def unit(self):
        realm = [sys.executable, str(TESTS / "support" / "realm.py"), "run", "--"]
        program = [str(self.build / "unit-tests"), "--gtest_brief=1"]
        self.suite("unit", [*realm, *program], "--gtest_output=xml:")
        for who in ("nobody", "client", "server"):  # makes messages of Kerberos without its library
            self.suite(f"unit-fast-path-{who}",
                       [*realm, "env", f"SOCKSIFY_TEST_GSS_FAST_PATH={who}", *program, "--gtest_filter=Gss*"],
                       "--gtest_output=xml:")

    def pytest(self, name, *paths):
        self.suite(name, [*PYTEST, *(str(TESTS / path) for path in paths)], "--junitxml=")


def main():
    run = Run(Path(sys.argv[1]).resolve())
    for name in sys.argv[2:]:
        if name == "unit":
            run.unit()
        else:
            run.pytest(name, *(SERVER if name == "server" else [name]))
    print(", ".join(f"{count} {kind}" for kind, count in run.counts.items() if count or kind != "skipped"))
    return 1 if run.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
