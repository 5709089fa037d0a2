"""A wire between client and server that loses, doubles and reorders datagrams: what arrives is right, and comes once."""

import json
import subprocess

import pytest

from support import world as worlds
from support.process import Service
from support.realm import Realm
from support.runner import Socksify, program
from support.servers import PYTHON, TESTS, SocksServer

WAYS = {"loss": {"lose": 4}, "doubled": {"double": 2}, "order": {"swap": 3}, "all": {"lose": 7, "double": 3, "swap": 5}}


@pytest.fixture(scope="module", params=WAYS)
def lossy(request):
    try:
        made = worlds.LossyWorld(**WAYS[request.param])
    except (OSError, PermissionError) as error:
        pytest.skip(f"no network namespaces here: {error}")
    with made:
        yield made


@pytest.fixture(scope="module")
def realm(lossy):
    with Realm(address=lossy.proxy_address, enter=lossy.enter["server"], probe=lossy.prober("server")) as running:
        yield running.populate((lossy.proxy,))


@pytest.fixture(scope="module")
def echo(lossy):
    argv = [PYTHON, str(TESTS / "support" / "udp_origin.py"), "--address", lossy.origin_address]
    with Service(lossy.enter["origin"](argv)) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(lossy, realm, tmp_path_factory):
    with SocksServer("socksd-gss", realm, tmp_path_factory.mktemp("socksd"), listen=f"{lossy.proxy_address}:0",
                     enter=lossy.enter["server"]) as running:
        yield running


@pytest.fixture
def run(lossy, realm, proxy, tmp_path):
    """What a program in the client's namespace says."""
    socksify = Socksify(realm, tmp_path, lossy.enter["client"])

    def run(*arguments):
        done = socksify.run(f"{lossy.proxy}:{proxy.port}", program("datagrams", *arguments))
        assert done.returncode == 0 and done.stderr == "", done
        return json.loads(done.stdout)

    return run


def test_the_wire_is_as_it_is_said_to_be(lossy):
    """The oracle: without socksify-gss, between the two machines."""
    with Service(lossy.enter["server"]([PYTHON, str(TESTS / "support" / "udp_origin.py"), "--address", lossy.proxy_address])) as echo:
        argv = lossy.enter["client"](program("datagrams", "reliable", lossy.proxy_address, echo.port, 20))
        said = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    assert said["done"] == 20 and said["wrong"] == 0
    assert said["sent"] > 20 or not {"lose", "swap"} & lossy.faults.keys()


def test_reliable(run, echo):
    said = run("reliable", worlds.ORIGIN, echo.port, 60)
    assert said["done"] == 60 and said["wrong"] == 0, said


def test_each_comes_once(run, echo):
    """Whatever the wire doubled: a datagram that comes again is dropped by both ends."""
    said = run("counted", worlds.ORIGIN, echo.port, 60)
    assert said["twice"] == 0 and said["wrong"] == 0 and said["seen"] > 10, said
