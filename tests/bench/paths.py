"""The ways to the origin that end_to_end.py measures beside each other: client, servers and origin each in a namespace.

Each path says how a command is run by it, and which processes of the client's machine work for it besides the command.
"""

import getpass
import os
import resource
import subprocess
import tempfile
from pathlib import Path

from support.pki import Pki
from support.process import Service, await_port, stop
from support.realm import SERVICE_HOSTS, Realm
from support.runner import Socksify
from support.servers import BUILD, SocksServer, Tls, base_env
from support.sshd import Sshd
from support.world import SERVER_ADDRESS, world as make_world

DANTE_PREFIX = os.environ.get("DANTE_PREFIX")
SSH_CIPHER = "aes128-gcm@openssh.com"  # the fastest that OpenSSH has
ENCTYPE_128 = "aes128-cts-hmac-sha1-96"  # and what has keys of the same length; sessions have aes256-cts-hmac-sha1-96 else

DANTE_SERVER = """\
logoutput: {dir}/danted.log
internal: {address} port = {port}
external: {external}
clientmethod: none
socksmethod: gssapi
user.privileged: {user}
user.unprivileged: {user}
client pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    gssapi.servicename: socks
    gssapi.keytab: FILE:{keytab}
}}
socks pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    protocol: tcp
    socksmethod: gssapi
    gssapi.servicename: socks
    gssapi.keytab: FILE:{keytab}
    gssapi.enctype: {level}
}}
"""
DANTE_CLIENT = """\
logoutput: {dir}/client.log
resolveprotocol: fake
route {{
    from: 0.0.0.0/0 to: 0.0.0.0/0 via: {host} port = {port}
    proxyprotocol: socks_v5
    protocol: tcp
    method: gssapi
    gssapi.servicename: socks
    gssapi.enctype: {level}
}}
"""


def processor_time(pid):
    """Of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Route:
    """`wrap` makes argv one that runs by it, with `env`; `helpers` are pids, and `servers`, where it is known who serves."""

    def __init__(self, wrap, env, helpers=(), servers=()):
        self.wrap, self.env, self.helpers, self.servers = wrap, env, helpers, servers

    def run(self, *argv):
        """What the command printed, and the processor time meanwhile: of the helpers, of the servers."""
        groups = (self.helpers, self.servers)
        before = [sum(map(processor_time, group)) for group in groups]
        done = subprocess.run(self.wrap(list(map(str, argv))), env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{argv}: {done.returncode}: {done.stderr}")
        times = (sum(map(processor_time, group)) - earlier for group, earlier in zip(groups, before))
        return [float(word) for word in done.stdout.split()], *times


class Paths:
    """`routes` by name, to the service `origin` at `target`, for as long as `stack` is open.

    `serve` is the service's command, which is given its address."""

    def __init__(self, stack, serve):
        self.stack = stack
        directory = self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))  # servers of 1,000 connections inherit it
        self.world = stack.enter_context(make_world())
        world = self.world
        self.realm = stack.enter_context(Realm(directory / "realm", address=world.proxy_address, enter=world.enter["server"],
                                               probe=world.prober("server")))
        self.realm.populate((world.proxy,) if world.isolated else SERVICE_HOSTS)
        self.socksify = Socksify(self.realm, directory, world.enter["client"])
        self.tls = Tls(Pki(directory / "pki"))
        self.origin = stack.enter_context(Service(world.enter["origin"]([*serve, world.origin_address])))
        self.target = (world.origin_address, self.origin.port)
        self.servers = {"gssapi": self.socksd("gssapi"), "library": self.socksd("gssapi", "--gss-fast-path=0"),
                        "ssl": self.socksd("ssl", "--ssl-udp-naked"), "none": self.socksd("none")}
        self.routes = {
            "direct": Route(world.enter["client"], base_env(self.realm.env)),
            "method none": self.wrapped("none"),
            "level 1": self.wrapped("gssapi", "integrity"),
            "level 2": self.wrapped("gssapi"),
            "level 2, AES-128": self.wrapped("gssapi", more=self.realm.enctype_env(ENCTYPE_128)),
            "level 2 by MIT's gss_wrap": self.wrapped("gssapi", server="library", more={"SOCKSIFY_GSS_FAST_PATH": "0"}),
            "ssl": self.wrapped("ssl"),
        }
        self.forward()

    def forward(self):
        """The server's machine forwards, for the direct path."""
        if not self.world.isolated:
            return
        for where, script in (("server", "echo 1 > /proc/sys/net/ipv4/ip_forward"),
                              ("origin", f"ip route add default via {self.server_address}")):
            subprocess.run(self.world.administer[where](["sh", "-ec", script]), check=True)

    @property
    def server_address(self):
        return SERVER_ADDRESS if self.world.isolated else "127.0.0.1"

    def add_others(self):
        """What else there is for TCP."""
        self.routes["ssh -D"] = self.ssh()
        if DANTE_PREFIX:
            self.routes["Dante, level 1"] = self.dante("integrity")
            self.routes["Dante, level 2"] = self.dante("confidentiality")

    def socksd(self, method, *options):
        return self.stack.enter_context(SocksServer(
            "socksd-gss", self.realm, self.directory / "-".join((method, *options)), methods=method,
            tls=self.tls if method == "ssl" else None, options=options, listen=f"{self.world.proxy_address}:0",
            enter=self.world.enter["server"]))

    def wrapped(self, method, level="confidentiality", server=None, more=None):
        server = self.servers[server or method]
        env = {"SOCKSIFY_METHODS": method, **(more or {})}
        if method == "ssl":
            env |= {"SOCKSIFY_TLS_NAME": "localhost", "SOCKSIFY_SSL_UDP_NAKED": "1"}
        env = self.socksify.env(f"{self.world.proxy}:{server.port}", level, server.client_env | env)
        return Route(self.launched, env, servers=[server.pid])

    def launched(self, argv):
        return self.world.enter["client"]([str(BUILD / "socksify-gss"), "--", *argv])

    def ssh(self):
        """Its SOCKS port, asked by our own client without authentication."""
        directory = self.directory / "ssh"
        directory.mkdir()
        enter, port = self.world.enter, self.world.port()
        sshd = self.stack.enter_context(Sshd(directory, self.world.proxy_address, enter["server"],
                                             self.world.prober("server")))
        ssh = subprocess.Popen(
            enter["client"](["ssh", *sshd.options, "-N", "-c", SSH_CIPHER, "-D", f"127.0.0.1:{port}", "-p", str(sshd.port),
                             f"{sshd.user}@{self.world.proxy_address}"]), stdin=subprocess.DEVNULL)
        self.stack.callback(stop, ssh)
        await_port("127.0.0.1", port, ssh, probe=self.world.prober("client"))
        return Route(self.launched, self.socksify.env(f"127.0.0.1:{port}", extra={"SOCKSIFY_METHODS": "none"}), [ssh.pid])

    def dante(self, level):
        directory = self.directory / f"dante-{level}"
        directory.mkdir()
        port, world = self.world.port(), self.world
        names = {"dir": directory, "port": port, "level": level, "address": world.proxy_address, "host": world.proxy,
                 "external": self.server_address, "user": getpass.getuser(), "keytab": self.realm.keytab}
        for name, text in (("danted.conf", DANTE_SERVER), ("socks.conf", DANTE_CLIENT)):
            (directory / name).write_text(text.format(**names))
        sockd = subprocess.Popen(
            world.enter["server"]([f"{DANTE_PREFIX}/sbin/sockd", "-f", str(directory / "danted.conf"),
                                   "-p", str(directory / "pid")]),
            env=base_env(self.realm.server_env), stdin=subprocess.DEVNULL)
        self.stack.callback(stop, sockd)
        await_port(world.proxy_address, port, sockd, probe=world.prober("server"))
        preload = {"SOCKS_CONF": str(directory / "socks.conf"), "LD_PRELOAD": f"{DANTE_PREFIX}/lib/libdsocks.so"}
        given = [f"{name}={value}" for name, value in preload.items()]
        return Route(lambda argv: world.enter["client"](["env", *given, *argv]), base_env(self.realm.env))
