"""What a reader could check with the eye: arrows between rooms, exports, options named everywhere, scripts, manuals."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOCKSIFY_BUILD", ROOT / "build")).resolve()
SHIM = BUILD / "libsocksify-gss.so"
CALL = re.compile(r"^(?:CALL|CALL_CHK|ALIAS)\((\w+)\)", re.M)

sys.path.insert(0, str(Path(__file__).resolve().parent))
import layers  # noqa: E402


def run(*argv):
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(path):
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW", str(path))))


def shell_files():
    named = [p for d in (".ci", "tests", "tools") for p in (ROOT / d).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return sorted(p for p in named if p.suffix in (".sh", ".bash") or p.read_bytes()[:64].splitlines()[:1] in
                  ([b"#!/bin/sh"], [b"#!/bin/bash"], [b"#!/usr/bin/env bash"]))


def test_layers():
    assert list(layers.problems(ROOT)) == []


@pytest.mark.parametrize("path, quote, included, allowed", [
    ("lib/wire/x.cc", '"', "lib/base/bytes.h", True),
    ("lib/wire/x.cc", '"', "lib/security/security_layer.h", False),
    ("lib/wire/x.cc", '"', "bytes.h", False),
    ("lib/wire/x.cc", "<", "sys/socket.h", False),
    ("lib/engine/x.cc", '"', "lib/config/config.h", True),
    ("lib/engine/x.cc", "<", "mutex", False),
    ("lib/config/x.cc", '"', "lib/engine/core.h", False),
    ("lib/security/gss_x.cc", "<", "gssapi/gssapi.h", True),
    ("lib/security/clear_layer.cc", "<", "gssapi/gssapi.h", False),
    ("lib/security/krb5_x.cc", "<", "gssapi/gssapi.h", False), ("lib/security/krb5_x.cc", "<", "gnutls/crypto.h", True),
    ("lib/security/gss_x.cc", "<", "gnutls/crypto.h", False), ("tests/unit/krb5_x.cc", "<", "krb5/krb5.h", True),
    ("shim/x.cc", "<", "krb5.h", False),
    ("shim/x.cc", '"', "tools/socksd-gss/rules.h", False),
    ("tools/socksd-gss/x.cc", '"', "tools/loop/relay.h", True),
    ("tools/loop/x.cc", '"', "tools/socksd-gss/rules.h", False),
    ("tools/socksify-gss-relay/x.cc", '"', "tools/socksify-gss/parts.h", False),
])
def test_layers_judges(path, quote, included, allowed):
    assert (layers.judge(path, quote, included) is None) == allowed


def test_exports():
    """The shim exports the calls of the list and nothing else."""
    wanted = CALL.findall((ROOT / "shim" / "calls.def").read_text())
    exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", str(SHIM)).splitlines()]
    assert sorted(exported) == sorted(wanted)
    assert len(set(wanted)) == len(wanted)


def test_exports_are_unversioned():
    """A named version node would switch interposition off without a word."""
    assert "Version definition" not in run("readelf", "-VW", str(SHIM))


@pytest.mark.parametrize("name", ["libsocksify-gss.so", "socksify-gss"])
def test_needs_libc_alone(name):
    assert needed(BUILD / name) <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libgcc_s.so.1"}


def test_core_exports_its_door():
    out = run("nm", "-D", "--defined-only", str(BUILD / "libsocksify-gss-core.so"))
    assert [line.split()[-1] for line in out.splitlines()] == ["socksify_core"]


def test_options_named_everywhere():
    run("sh", "tests/lint/options.sh", str(BUILD))


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
@pytest.mark.parametrize("path", shell_files(), ids=lambda p: p.name)
def test_shell(path):
    run("shellcheck", str(path))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("path", sorted((ROOT / "man").iterdir()), ids=lambda p: p.name)
def test_manual(path):
    run("mandoc", "-T", "lint", "-W", "warning", str(path))
