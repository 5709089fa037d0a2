#!/usr/bin/python3
"""Runs one of CPython's own test modules and writes what each test came to, one JSON object a line.

    unittest_events.py [--only ID]... [--without PATTERN]... EVENTS TIMEOUT MODULE

EVENTS is appended to: `{"start": ID}`, then `{"id": ID, "outcome": ..., "why": ...}`. Tests that EVENTS says were started before are
not run again; so when one ends the process, or takes longer than TIMEOUT seconds and is ended with it, another run goes
on behind it. The file is opened for each line: a test may close, count or inherit descriptors.
"""

import argparse
import faulthandler
import fnmatch
import json
import sys
import unittest
from pathlib import Path

from test import support


class Events(unittest.TestResult):
    """The worst that a test or one of its subtests came to."""

    RANK = ("pass", "skip", "expected failure", "fail", "error")

    def __init__(self, path, timeout):
        super().__init__()
        self.path = path
        self.timeout = timeout
        self.current = None
        self.worst = ("pass", "")

    def write(self, **event):
        with open(self.path, "a", encoding="utf-8") as events:
            print(json.dumps(event), file=events)

    def note(self, test, outcome, why=""):
        if self.current is None:  # a class or module fixture, which is no test
            self.write(id=test.id(), outcome=outcome, why=why)
        elif self.RANK.index(outcome) >= self.RANK.index(self.worst[0]):
            self.worst = (outcome, why)

    def startTest(self, test):
        self.current = test.id()
        self.worst = ("pass", "")
        self.write(start=self.current)
        print("==", self.current, file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(self.timeout, exit=True)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        self.write(id=self.current, outcome=self.worst[0], why=self.worst[1])
        self.current = None

    def addError(self, test, err):
        self.note(test, "error", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        self.note(test, "fail", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            outcome = "fail" if issubclass(err[0], test.failureException) else "error"
            self.note(test, outcome, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self.note(test, "skip", reason)

    def addExpectedFailure(self, test, err):
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        self.note(test, "fail", "unexpected success")


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


def started(path):
    if not path.exists():
        return set()
    return {event.get("start", event.get("id")) for event in map(json.loads, path.read_text().splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="ID")
    parser.add_argument("--without", action="append", default=[], metavar="PATTERN")
    parser.add_argument("events", type=Path)
    parser.add_argument("timeout", type=float)
    parser.add_argument("module")
    options = parser.parse_args()

    support.use_resources = ()  # none that leave the machine or take long
    # Loopback is slower through a proxy on a busy machine; how long may be waited for what must come proves nothing.
    support.LOOPBACK_TIMEOUT = support.SHORT_TIMEOUT = options.timeout / 2
    done = started(options.events)

    def wanted(name):
        return (name not in done and (options.only is None or name in options.only)
                and not any(fnmatch.fnmatchcase(name, pattern) for pattern in options.without))

    tests = flat(unittest.defaultTestLoader.loadTestsFromName(options.module))
    unittest.TestSuite(test for test in tests if wanted(test.id())).run(Events(options.events, options.timeout))
    faulthandler.dump_traceback_later(options.timeout, exit=True)  # threads that a test has left must end too


if __name__ == "__main__":
    main()
