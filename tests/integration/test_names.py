"""Names, whoever asks for them and however: an answer at once, standard errors, and nothing leaves the machine.

The programs run in a network of their own (support/silent_net.py) in which every packet is seen that would go to another
machine, or to a name server's port on this one.
"""

import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

from support import namespace
from support.runner import PROGRAMS, program
from support.servers import built

STAND_INS = ipaddress.ip_network("198.18.0.0/15")
NOWHERE = "127.0.0.1:1"  # a server that is never asked: nothing connects
EAI_NONAME, EAI_NODATA, EAI_MEMORY = -2, -5, -10
SERVFAIL = 2
HOST_NOT_FOUND, NO_RECOVERY, NO_DATA = 1, 3, 4
NODE = """
const dns = require("dns"); dns.setServers(["192.0.2.7", "[2001:db8::1]:53"]);
dns.resolve4("node.example", (e, a) => { console.log(e ? e.code : a[0]);
dns.resolve6("node.example", (e) => { console.log(e.code);
dns.resolveMx("node.example", (e) => { console.log(e.code); }); }); });
"""
DNSPYTHON = """
import dns.resolver, dns.reversename
asker = dns.resolver.Resolver(configure=False); asker.nameservers = ["192.0.2.7"]; asker.lifetime = 60
address = asker.resolve("Py.example")[0].to_text(); print(address)
assert asker.resolve("py.example", tcp=True)[0].to_text() == address
print(asker.resolve(dns.reversename.from_address(address), "PTR")[0])
"""
CARES = """
import pycares, select, socket
channel = pycares.Channel(servers=["192.0.2.1", "2001:db8::53"])
said = []
channel.query("c.example", pycares.QUERY_TYPE_A, lambda found, error: said.append(error or found[0].host))
channel.getaddrinfo("c.example", 443, lambda found, error: said.append(error or [one.addr[0] for one in found.nodes]),
                    family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
while True:
    reads, writes = channel.getsock()
    if not reads and not writes: break
    ready = select.select(reads, writes, [], 5)
    for fd in ready[0]: channel.process_fd(fd, pycares.ARES_SOCKET_BAD)
    for fd in ready[1]: channel.process_fd(pycares.ARES_SOCKET_BAD, fd)
assert said[1] == [said[0].encode()], said
print(said[0])
"""
PYTHON = "/usr/bin/python3"
PROGRAMS_THAT_ASK = {
    "dig": ["dig", "+tries=1", "+time=60", "+short", "@192.0.2.1", "dig.example"],
    "dig_tcp": ["dig", "+tries=1", "+time=60", "+tcp", "+short", "@192.0.2.1", "dig.example"],
    "dig_ipv6": ["dig", "+tries=1", "+time=60", "+short", "@2001:db8::1", "dig.example"],
    "dig_stub": ["dig", "+tries=1", "+time=60", "+short", "@127.0.0.53", "dig.example"],
    "dig_many": ["dig", "+tries=1", "+time=60", "+short", "@192.0.2.1", "dig.example", "@192.0.2.2", "+dnssec", "other.example"],
    "host": ["host", "-W", "60", "host.example", "192.0.2.1"],
    "nslookup": ["nslookup", "-timeout=60", "host.example", "192.0.2.1"],
    "node": ["node", "-e", NODE],
    "dnspython": [PYTHON, "-c", DNSPYTHON],
    "c-ares": [PYTHON, "-c", CARES],
}


class Silence:
    """Runs programs under the shim in a network without a way out."""

    def __init__(self, socksify, tmp_path):
        self.socksify = socksify
        self.tmp_path = tmp_path

    def run(self, argv, *, hosts=None, resolv_conf="nameserver 192.0.2.99\n", env=None, status=0):
        setup = []
        for path, text in (("/etc/hosts", hosts), ("/etc/resolv.conf", resolv_conf)):
            if text is not None:
                mine = self.tmp_path / os.path.basename(path)
                mine.write_text(text)
                setup.append(f"mount --bind {shlex.quote(str(mine))} {path}")
        command = namespace.silent([str(built("socksify-gss")), "--", *argv], "; ".join(setup) or "true")
        done = subprocess.run(command, env=self.socksify.env(NOWHERE, extra=env), capture_output=True, text=True,
                              timeout=180, check=True, cwd=self.tmp_path)
        said = json.loads(done.stdout)
        assert said["status"] == status, said
        return said

    def json(self, argv, **more):
        said = self.run(argv, **more)
        assert said["left"] == []
        assert said["err"] == ""
        return json.loads(said["out"])


@pytest.fixture
def silence(socksify, tmp_path):
    if not namespace.can_be_silent():
        pytest.skip("no network namespaces here")
    return Silence(socksify, tmp_path)


def stands_in(address):
    return ipaddress.ip_address(address) in STAND_INS


def test_the_tap_sees_what_leaves(silence):
    """With --dns local the same query is seen to leave; so it would be seen here."""
    env = {"SOCKSIFY_DNS": "local", "SOCKSIFY_BYPASS": "192.0.2.1"}
    said = silence.run(["dig", "+tries=1", "+time=1", "@192.0.2.1", "dig.example"], env=env, status=9)
    assert said["left"] == [["udp", "192.0.2.1", 53]]


@pytest.mark.parametrize("name", PROGRAMS_THAT_ASK)
def test_programs_that_ask_themselves(name, silence):
    argv = PROGRAMS_THAT_ASK[name]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    said = silence.run(argv)
    assert said["left"] == []
    assert said["err"] == ""
    addresses = [one for one in re.findall(r"\d+\.\d+\.\d+\.\d+", said["out"]) if not one.startswith("192.0.2.")]
    assert addresses and all(map(stands_in, addresses)), said
    if name == "node":
        assert said["out"].split()[1:] == ["ENODATA", "ENODATA"]
    if name == "dnspython":
        assert said["out"].split()[1] == "py.example."


def test_answers_as_from_the_server_asked(silence):
    one, other, six = ["192.0.2.53", 53], ["192.0.2.54", 53], ["2001:db8::53", 53]
    expected = {
        "connected": {"peer": one, "sender": one, "ready": [True, True], "same": True, "stands_in": True, "case": True},
        "unconnected": {"1": [one, True], "2": [other, True], "3": [one, True]},
        "several": {"sent": 2, "answers": {"1": [one[0], True], "2": [other[0], True]}},
        "six": {"sender": six, "stands_in": True, "mapped": ["::ffff:192.0.2.53", 53], "mapped_stands_in": True,
                "only": True, "peer": six},
        "stream": {"started": os.strerror(115), "status": 0, "peer": one, "known": [True], "answers": [
            {"id": 1, "code": 0, "ra": True, "tc": False},
            {"id": 2, "code": 0, "ra": True, "tc": False, "data": []}]},
        "hostile": {"codes": [[7, 1], [7, 1], [0, 1], [7, 1], [7, 3], [7, 4], [7, 1], [99, 0]]},
        "forked": {"parent": True, "child": [True] * 5},
    }
    for case, facts in expected.items():
        assert silence.json(program("name_server", case)) == facts, case


def test_types(silence):
    said = silence.json(program("name_server", "types"), hosts="127.0.0.1 localhost\n")
    no_data = {"id": 7, "code": 0, "ra": True, "tc": False, "data": []}
    assert said == {"again": True, "aaaa": no_data, "mx": no_data, "ptr": "\5types\7example\0", "unknown_ptr": 3,
                    "localhost": ["127.0.0.1", "::1"], "numeric": ["192.0.2.77"], "root": 0, "libc": True}


def test_bypassed_names_are_asked_here_and_no_others(silence):
    """The local resolver is asked for what is bypassed, over UDP and TCP alike; nobody answers, which is SERVFAIL."""
    env = {"SOCKSIFY_BYPASS": ".corp.example"}
    resolv_conf = "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n"
    for more in ([], ["+tcp"]):
        argv = ["dig", "+tries=1", "+time=20", *more, "@192.0.2.1"]
        said = silence.run([*argv, "a.corp.example"], env=env, resolv_conf=resolv_conf)
        assert "SERVFAIL" in said["out"]
        assert said["left"] == [["udp", "127.0.0.1", 53]]
        said = silence.run([*argv, "+short", "a.example"], env=env, resolv_conf=resolv_conf)
        assert stands_in(said["out"].strip())
        assert said["left"] == []


def test_a_name_server_bypassed_with_its_port_is_asked(silence):
    argv = ["dig", "+tries=1", "+time=60", "@127.0.0.1", "a.example"]
    assert silence.run(argv, env={"SOCKSIFY_BYPASS": "127.0.0.0/8"})["left"] == []
    assert silence.run(argv, env={"SOCKSIFY_BYPASS": "127.0.0.1:53"}, status=9)["left"] == [["udp", "127.0.0.1", 53]]


def test_hosts_file(silence):
    """What this machine knows by itself is neither asked of the server nor of anybody else."""
    hosts = ("127.0.0.1 localhost\n127.0.1.1 box.example.org box\n10.0.0.5 intranet\n10.0.0.6 intranet\n"
             "::1 localhost\n2001:db8::9 six\n")
    said = silence.json(program("resolve", "localhost", "box", "intranet", "six", "www.localhost", "a..b", "box.other"),
                        hosts=hosts)
    assert said["localhost"] == {"any": ["::1", "127.0.0.1", "localhost"], "ipv4": ["127.0.0.1", "localhost"],
                                 "ipv6": ["::1", "localhost"], "old": ["localhost", [], ["127.0.0.1"]],
                                 "back": "localhost"}
    assert said["box"] == {"any": ["127.0.1.1", "box.example.org"], "ipv4": ["127.0.1.1", "box.example.org"],
                           "ipv6": EAI_NODATA, "old": ["box.example.org", [], ["127.0.1.1"]], "back": "box.example.org"}
    assert said["intranet"]["any"] == ["10.0.0.5", "10.0.0.6", "intranet"]
    assert said["intranet"]["old"] == ["intranet", [], ["10.0.0.5", "10.0.0.6"]]
    assert said["six"]["any"] == ["2001:db8::9", "six"]
    assert said["six"]["ipv4"] == EAI_NODATA
    assert said["www.localhost"]["any"] == ["::1", "127.0.0.1", "www.localhost"]
    assert said["a..b"] == {"any": EAI_NONAME, "ipv4": EAI_NONAME, "ipv6": EAI_NONAME, "old": EAI_NONAME}
    assert stands_in(said["box.other"]["any"][0])
    assert said["box.other"]["any"][1] == "box.other"
    assert said["box.other"]["ipv6"][0].startswith("2001:db8:198:18::")
    assert said["box.other"]["back"] == "box.other"


def test_case_and_final_dot_make_no_other_name(silence):
    said = silence.json(program("resolve", "one.example", "ONE.Example.", "one.example."))
    assert len({names["any"][0] for names in said.values()}) == 1
    assert said["ONE.Example."]["back"] == "one.example"


def test_res_query_and_its_kin(silence):
    binary = silence.tmp_path / "queries"
    subprocess.run(["cc", "-Wall", "-o", binary, PROGRAMS / "queries.c", "-lresolv"], check=True)
    said = silence.run([str(binary)])
    assert (said["left"], said["err"]) == ([], "")
    fine = "answers 1 code 0"
    assert dict(re.split(r" (?=answers|h_errno)", line) for line in said["out"].splitlines()) == {
        "query A": fine, "query AAAA": f"h_errno {NO_DATA}", "query MX": f"h_errno {NO_DATA}", "search": fine,
        "querydomain": fine, "nquery": fine, "nsearch": fine, "nquerydomain": fine,
        "empty label": f"h_errno {NO_RECOVERY}", "PTR": f"h_errno {HOST_NOT_FOUND}", "send": fine, "nsend": fine,
        "small": "answers 0 code 0"}


def test_forty_thousand_names_by_eight_processes(socksify, tmp_path):
    done = socksify.run(NOWHERE, program("many_names", 8, 40_000), cwd=tmp_path)
    assert json.loads(done.stdout) == {"statuses": [0] * 8, "same": True, "different": 40_000, "back": True}, done.stderr
    assert done.stderr == ""


def test_when_no_address_is_left(socksify, tmp_path):
    """An error, never another name's address; and the names that have one keep it."""
    done = socksify.run(NOWHERE, program("full_map"), cwd=tmp_path)
    assert json.loads(done.stdout) == {"count": 512 * 254, "full": EAI_MEMORY, "code": SERVFAIL, "first": True}, \
        done.stderr


def test_a_name_asked_for_by_dns_connects_by_name(long_lived, origin, socksify):
    """dig in one process, the connection in another: the server is asked for the name."""
    if not namespace.available():
        pytest.skip("origin.test needs a mount namespace")
    server = long_lived("independent")
    script = (f"host=$(dig +short @192.0.2.1 origin.test) && "
              f"exec curl -sS http://$host:{origin.ports['http']}/page")
    done = socksify.run(server, ["sh", "-c", script])
    assert done.returncode == 0, done.stderr
    assert b"It works" in done.stdout
