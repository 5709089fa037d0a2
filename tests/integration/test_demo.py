"""`make demo` shows what it promises; it checks that itself."""

import os
import subprocess

import pytest

from support.process import HANG
from support.servers import BUILD, PYTHON, TESTS


@pytest.mark.parametrize("method, shown", [
    ("gssapi", ["method: gssapi", "01 03", "Kerberos AP-REQ"]),
    ("ssl", ["method: ssl", "tls version: TLS 1.3", "cipher: ", "options: subauthentication", "client principal: alice",
             "STATE 1: ", "STATE 2: ", "STATE 3: ", "    01 01 ", "    01 02 ", "    01 03 "]),
])
def test_demo(method, shown):
    done = subprocess.run([PYTHON, str(TESTS / "demo" / "demo.py"), method], env=os.environ | {"SOCKSIFY_BUILD": str(BUILD)},
                          capture_output=True, text=True, timeout=3 * HANG, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for text in shown:
        assert text in done.stdout, done.stdout


def test_no_such_method():
    done = subprocess.run([PYTHON, str(TESTS / "demo" / "demo.py"), "magic"], capture_output=True, text=True, timeout=HANG,
                          check=False)
    assert done.returncode != 0 and "gssapi, ssl" in done.stderr
