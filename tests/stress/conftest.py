"""The stress test: a realm, socksd-gss, and its own origin."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import *  # noqa: E402,F401,F403

import pytest  # noqa: E402

from support.process import Service  # noqa: E402
from support.servers import built  # noqa: E402


@pytest.fixture(scope="session")
def echo():
    with Service([built("stress/stress"), "echo"], name="echo") as running:
        yield running
