"""Three network namespaces in a row: the client's, the SOCKS server's, the origins'.

    client 10.99.0.2 ---- 10.99.0.1 server 10.99.1.1 ---- 10.99.1.2 origins

The client has a default route by the server, so a packet that the program sends past it does leave, and is seen by the
capture; but the server's machine forwards nothing, so it never arrives. Names of the origins are in the server's
/etc/hosts alone; the client's resolv.conf names an address by that default route. IPv6 is laid out the same way.

Root makes the namespaces as it is, others in a user namespace. Where neither may, `World.plain` has the same interface on
loopback: the programs still run, but that there was no other way is not shown.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from support.process import HANG, free_port, stop

PROXY, ORIGIN = "proxy.test", "www.test.example"
CLIENT_ADDRESS, PROXY_ADDRESS, SERVER_ADDRESS, ORIGIN_ADDRESS = "10.99.0.2", "10.99.0.1", "10.99.1.1", "10.99.1.2"
PYTHON = sys.executable
LOSSY_LINK = str(Path(__file__).with_name("lossy_link.py"))
NAMESERVER = "192.0.2.53"  # TEST-NET-1: nobody

# The links of each namespace, by name: its IPv4 and IPv6 addresses. No addresses but these: no router solicitations.
LINKS = {
    "client": {"edge": (f"{CLIENT_ADDRESS}/24", "fd99::2/64")},
    "server": {"edge": (f"{PROXY_ADDRESS}/24", "fd99::1/64"), "inner": (f"{SERVER_ADDRESS}/24", "fd99:0:0:1::1/64")},
    "origin": {"inner": (f"{ORIGIN_ADDRESS}/24", "fd99:0:0:1::2/64")},
}
HOSTS = {
    "client": f"127.0.0.1 localhost\n{PROXY_ADDRESS} {PROXY}\n",
    "server": f"127.0.0.1 localhost\n{ORIGIN_ADDRESS} {ORIGIN}\n",
    "origin": f"127.0.0.1 localhost\n{ORIGIN_ADDRESS} {ORIGIN}\n",
}


class Namespace:
    """A network and a mount namespace, kept by a process that ends with us."""

    def __init__(self, argv):
        self.holder = subprocess.Popen([*argv, "sh", "-c", "echo ready; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != b"ready\n":
            raise PermissionError(self.holder.stderr.read().decode(errors="replace").strip())

    def enter(self, argv):
        """argv that runs `argv` there."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "-t", str(self.holder.pid), *user, "--net", "--mount", f"--wdns={os.getcwd()}", "--",
                *map(str, argv)]

    def sh(self, script):
        done = subprocess.run(self.enter(["sh", "-ec", script]), capture_output=True, text=True, timeout=HANG,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise PermissionError(f"{script}: {done.stderr.strip()}")

    def close(self):
        self.holder.stdin.close()
        stop(self.holder)


class World:
    """`enter[where](argv)` runs argv as ourselves in client, server or origin, `administer[where](argv)` as the
    namespace's root. `proxy` and `origin` are the hosts as the client names them."""

    isolated = True
    proxy, origin = PROXY, ORIGIN
    proxy_address, origin_address = PROXY_ADDRESS, ORIGIN_ADDRESS

    def __init__(self):
        self._ports = iter(range(20000, 30000))
        self._stack = contextlib.ExitStack()
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise

    @staticmethod
    def plain(reason):
        return PlainWorld(reason)

    def _build(self):
        self.dir = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="world-")))
        outer = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        unshare = ["unshare", "--net", "--mount", "--propagation", "private"]
        spaces = {"server": Namespace([*unshare, *outer])}
        self._stack.callback(spaces["server"].close)
        for where in ("client", "origin"):
            spaces[where] = Namespace(spaces["server"].enter(unshare))
            self._stack.callback(spaces[where].close)
        self.administer = {where: space.enter for where, space in spaces.items()}
        self.enter = self.administer
        if os.geteuid() != 0:  # who we are to programs that treat root differently
            ourselves = ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--"]
            self.enter = {where: lambda argv, enter=space.enter: enter([*ourselves, *argv])
                          for where, space in spaces.items()}
        spaces["server"].sh(f"ip link add inner type veth peer name inner netns {spaces['origin'].holder.pid}")
        self._connect(spaces)
        for where, space in spaces.items():
            space.sh("ip link set lo up")
            for link, (v4, v6) in LINKS[where].items():
                space.sh(f"ip link set {link} addrgenmode none; ip addr add {v4} dev {link}; "
                         f"ip addr add {v6} nodad dev {link}; ip link set {link} up")
            self._hosts(space, where)
        spaces["client"].sh(f"ip route add default via {PROXY_ADDRESS}; ip -6 route add default via fd99::1")
        spaces["origin"].sh(f"ip route add {PROXY_ADDRESS} via {SERVER_ADDRESS}")  # where the server listens for BIND

    def _connect(self, spaces):
        """Client and server."""
        spaces["server"].sh(f"ip link add edge type veth peer name edge netns {spaces['client'].holder.pid}")

    def _hosts(self, space, where):
        hosts, resolv = self.dir / f"hosts.{where}", self.dir / "resolv.conf"
        hosts.write_text(HOSTS[where])
        resolv.write_text(f"nameserver {NAMESERVER}\noptions timeout:1 attempts:1\n")
        for source, target in ((hosts, "/etc/hosts"), (resolv, "/etc/resolv.conf")):
            # Where the target is a link to somewhere absent (systemd-resolved), there is nothing to hide.
            space.sh(f"[ ! -e {target} ] || mount --bind {shlex.quote(str(source))} {target}")

    def port(self):
        """A port that nobody else in the world has."""
        return next(self._ports)

    def prober(self, where):
        """What `await_port` asks with, there."""
        return lambda host, port: subprocess.run(
            self.enter[where](["nc", "-z", host, str(port)]), stdin=subprocess.DEVNULL, capture_output=True,
            check=False).returncode == 0

    def udp_prober(self, where):
        """What `await_port` asks with there for a program that does not accept: whether somebody has the port."""
        return lambda host, port: subprocess.run(
            self.enter[where](["ss", "-Huln", f"sport = :{port}"]), stdin=subprocess.DEVNULL, capture_output=True,
            check=False).stdout != b""

    def ordinary_user(self, argv, directory=None):
        """argv as somebody who is not root, to whom `directory` is given (for servers that refuse to be root's)."""
        if os.geteuid() != 0:
            return argv
        nobody = 65534
        if directory is not None:
            os.chown(directory, nobody, nobody)
        return ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", "--", *argv]

    def close(self):
        self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LossyWorld(World):
    """With a wire between client and server that treats datagrams badly: `faults` of lossy_path.py."""

    def __init__(self, **faults):
        self.faults = faults
        super().__init__()

    def _connect(self, spaces):
        way = Namespace(spaces["server"].enter(["unshare", "--net", "--mount", "--propagation", "private"]))
        self._stack.callback(way.close)
        for where, end in (("client", "left"), ("server", "right")):
            spaces[where].sh(f"ip link add edge type veth peer name {end} netns {way.holder.pid}; "
                             f"{PYTHON} {LOSSY_LINK} --whole edge")
            way.sh(f"ip link set {end} addrgenmode none; ip link set {end} up")
        faults = [f"{name}={every}" for name, every in self.faults.items()]
        wire = subprocess.Popen(way.enter([PYTHON, LOSSY_LINK, "left", "right", *faults]), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stack.callback(wire.communicate)
        assert wire.stdout.readline() == "ready\n"


class PlainWorld(World):
    """Everything on loopback."""

    isolated = False
    proxy = origin = "localhost"
    proxy_address = origin_address = "127.0.0.1"

    def __init__(self, reason):
        self.reason = reason
        super().__init__()

    def _build(self):
        self.enter = self.administer = dict.fromkeys(LINKS, lambda argv: list(map(str, argv)))

    def port(self):
        return free_port()


def world():
    """The best that this machine allows."""
    try:
        return World()
    except (OSError, PermissionError) as error:
        return World.plain(str(error))
