"""The program matrix: everyday programs in a network namespace from which only the SOCKS server and the KDC answer.

A test takes `wrapped`, which runs commands there under socksify-gss, and the servers it needs (origins.py), which
listen behind the SOCKS server. After each test the capture at the namespace's edge answers for every packet.
Each test runs by GSS-API at level 2 and by SSL; one marked `both_levels` at level 1 too. MATRIX_RUNS=10 repeats each that
often, MATRIX_MODES="ssl" runs those alone.
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from origins import *  # noqa: E402,F401,F403
from support import capture as packets  # noqa: E402
from support import world as worlds  # noqa: E402
from support.realm import SERVICE_HOSTS, Realm  # noqa: E402
from support.runner import Socksify  # noqa: E402
from support.servers import SocksServer, Tls  # noqa: E402

RUNS = int(os.environ.get("MATRIX_RUNS", "1"))
MODES = os.environ.get("MATRIX_MODES", "integrity confidentiality ssl").split()

# What is known not to pass, by test and why. A line is deleted when its reason is gone.
KNOWN = {}


def pytest_configure(config):
    config.addinivalue_line("markers", "both_levels: also at level 1")


def pytest_generate_tests(metafunc):
    if "wrapped" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_levels")
        modes = ("integrity", "confidentiality", "ssl") if both else ("confidentiality", "ssl")
        metafunc.parametrize("mode", [mode for mode in modes if mode in MODES])
    if RUNS > 1:
        metafunc.fixturenames.append("run")
        metafunc.parametrize("run", range(RUNS))


def pytest_collection_modifyitems(items):
    for item in items:
        if reason := KNOWN.get(getattr(item, "originalname", None)):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=False))


@pytest.fixture(scope="session")
def world():
    with worlds.world() as made:
        if not made.isolated:
            warnings.warn(f"THE MATRIX IS NOT ISOLATED: no network namespaces here ({made.reason})", stacklevel=1)
        yield made


@pytest.fixture(scope="session")
def realm(world):
    enter, probe = world.enter["server"], world.prober("server")
    with Realm(address=world.proxy_address, enter=enter, probe=probe) as running:
        yield running.populate((world.proxy,) if world.isolated else SERVICE_HOSTS)


@pytest.fixture(scope="session")
def proxy(world, realm, pki, tmp_path_factory):
    with SocksServer("socksd-gss", realm, tmp_path_factory.mktemp("socksd"), methods="gssapi,ssl", tls=Tls(pki),
                     listen=f"{world.proxy_address}:0", enter=world.enter["server"],
                     options=["--ssl-udp-naked", f"--udp-from={world.origin_address}"]) as running:
        yield running


@pytest.fixture(scope="session")
def edge(world, realm, proxy):
    if not world.isolated:
        yield None
        return
    with packets.Capture(world.administer["server"], "edge", worlds.CLIENT_ADDRESS, worlds.PROXY_ADDRESS,
                         (proxy.port, realm.port)) as running:
        running.proxy = f"{worlds.PROXY_ADDRESS}:{proxy.port}"
        yield running


class Wrapped:
    """`run` insists on success and on silence about ourselves; `popen` does not wait; `direct` is there too, unwrapped."""

    def __init__(self, world, socksify, proxy, mode):
        self.world = world
        self.socksify = socksify
        self.server = f"{world.proxy}:{proxy.port}"
        self.level = None if mode == "ssl" else mode
        self.method = {"SOCKSIFY_METHODS": "gssapi"}
        if mode == "ssl":
            self.method = proxy.client_env | {"SOCKSIFY_METHODS": "ssl", "SOCKSIFY_TLS_NAME": "localhost",
                                              "SOCKSIFY_SSL_UDP_NAKED": "1"}

    def run(self, argv, status=0, env=None, **more):
        done = self.socksify.run(self.server, argv, level=self.level, env=self.method | (env or {}), **more)
        assert done.returncode == status, (argv, done.returncode, done.stdout[-1000:], done.stderr[-3000:])
        assert "socksify-gss:" not in done.stderr, done.stderr
        return done

    def popen(self, argv, env=None, **more):
        return self.socksify.popen(self.server, argv, level=self.level, env=self.method | (env or {}), **more)

    def direct(self, argv, **more):
        return subprocess.run(self.world.enter["client"](argv), env=self.socksify.env(), check=True, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **more)


@pytest.fixture
def socksify(world, realm, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Socksify(realm, home, world.enter["client"])


@pytest.fixture
def wrapped(world, socksify, proxy, edge, mode):
    """Runs the program; afterwards, every packet that left the client went to the server or the KDC."""
    if edge is not None:
        edge.seen()
    yield Wrapped(world, socksify, proxy, mode)
    if edge is not None:
        seen = edge.seen()
        assert seen["others"] == [] and seen["lost"] == 0, seen
        # SSL seals no datagrams: here both sides have agreed to that.
        assert mode == "ssl" or not seen["datagrams"].keys() - {"sealed", "fragment"}, seen
        assert seen["connections"].get(edge.proxy, 0) > 0, f"nothing went to the server: {seen}"
