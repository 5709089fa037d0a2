"""Probes use the fixtures of the integration tests: a realm, socksd-gss, socksify-gss; and a scripted peer."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support.fixtures import *  # noqa: E402,F401,F403


@pytest.fixture(scope="session")
def peer_port():
    """The port of a peer.py of this run's own."""
    with subprocess.Popen([sys.executable, str(HERE / "peer.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        yield int(process.stdout.readline())
        process.stdin.close()
