"""CPython's own tests of sockets, selectors, asyncio, TLS and subprocesses come out under the shim as they do without it.

Test by test: pass, fail, error, skip. With the default bypass, where loopback goes direct, nothing may differ; with
everything through the server what `cpython_differences.py` lists must differ, and nothing else may.
"""

import fnmatch
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from cpython_differences import DIFFERENCES, NOT_RUN
from support import cpython
from support.servers import built

BYPASS = {"bypassed": "localhost,127.0.0.0/8,::1", "proxied": ""}
NOT_RUN_PROXIED = [d.pattern for d in DIFFERENCES if d.outcome == "not run"]
TRIES = 3  # pairs of runs in which a test must differ: its own limits are too tight for a machine that is busy


def listed(name):
    return next((d for d in DIFFERENCES if fnmatch.fnmatchcase(name, d.pattern)), None)


def differences(mode, plain, shimmed):
    """Lines about the tests that are not as expected, by id. What is listed must differ, unless it only may."""
    for name in sorted(plain.keys() | shimmed.keys()):
        before, after = (run.get(name, {"outcome": "not run", "why": ""}) for run in (plain, shimmed))
        expected = before["outcome"]
        entry = listed(name) if mode == "proxied" else None
        if entry is not None and (entry.always or after["outcome"] == entry.outcome):
            expected = entry.outcome
        if after["outcome"] != expected:
            yield name, f"{name}: {expected} expected, {after['outcome']} {mode}\n{after['why']}"


@pytest.mark.parametrize("module", cpython.modules())
def test_same_outcomes(module, long_lived, socksify, tmp_path):
    server = long_lived("socksd-gss")

    def run(mode, only=None):
        env = socksify.env(server, extra={"SOCKSIFY_BYPASS": BYPASS.get(mode)})
        return cpython.outcomes(module, wrapper=[built("socksify-gss"), "--"] if mode in BYPASS else [], env=env, only=only,
                                log=tmp_path / mode, without=[*NOT_RUN, *(NOT_RUN_PROXIED if mode == "proxied" else ())])

    def persists(mode, name):
        """Nothing is the shim's doing that happens without it too, or not again with it."""
        only = None if name.endswith(" at exit") else [name]
        befores, afters = [came["plain"]], [came[mode]]
        for _ in range(TRIES - 1):
            befores.append(run("plain", only))
            afters.append(run(mode, only))
            if any(name not in dict(differences(mode, before, after)) for before in befores for after in afters
                   if only is None or name in before.keys() & after.keys()):
                return False
        return True

    modes = ("plain", *BYPASS)
    with ThreadPoolExecutor(len(modes)) as pool:
        came = dict(zip(modes, pool.map(run, modes)))
    assert came["plain"], (tmp_path / "plain").read_text()
    complaints = []
    for mode in BYPASS:
        for name, complaint in differences(mode, came["plain"], came[mode]):
            if persists(mode, name):
                complaints.append(complaint)
            else:
                warnings.warn(f"not so each time: {complaint}", stacklevel=1)
    assert not complaints, "\n".join([*complaints, f"the programs' own output is in {tmp_path}"])


@pytest.mark.parametrize("entry", DIFFERENCES, ids=lambda entry: entry.pattern)
def test_list_is_not_overtaken(entry):
    """Each entry of the list still names modules that are run; that they differ is seen above."""
    assert any(fnmatch.fnmatchcase(entry.pattern, f"{module}.*") for module in cpython.modules())
