#!/usr/bin/python3
"""A throwaway MIT Kerberos realm: no root, nothing in /etc, gone with its directory (protocol.md §5).

    realm.py run -- COMMAND...     a realm with alice's ticket and a socks keytab around one command
    realm.py start DIR             the same, left running; prints `export KEY=VALUE` lines
    realm.py stop DIR              ends what `start` left running
"""

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.process import HANG, accepts, await_port, free_port, stop  # noqa: E402

SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
ENCTYPES = "aes256-cts:normal aes128-cts:normal aes128-sha2:normal aes256-sha2:normal camellia256-cts:normal"
SERVICE_HOSTS = ("127.0.0.1", "localhost", "::1")

KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    qualify_shortname = ""
    udp_preference_limit = 1
    forwardable = true
    default_ccache_name = FILE:{dir}/ccache
{extra}
[realms]
    {realm} = {{
        kdc = {kdc}
    }}
[domain_realm]
    localhost = {realm}
    .test = {realm}
"""

KDC_CONF = """\
[kdcdefaults]
    kdc_listen = {address}:{port}
    kdc_tcp_listen = {address}:{port}
[realms]
    {realm} = {{
        database_name = {dir}/principal
        key_stash_file = {dir}/stash
        acl_file = {dir}/kadm5.acl
        max_life = 24h
        supported_enctypes = {enctypes}
    }}
[logging]
    kdc = FILE:{dir}/kdc.log
    default = FILE:{dir}/krb5.log
"""


def program(name):
    path = shutil.which(name, path=SBIN)
    if path is None:
        raise FileNotFoundError(f"{name}: not installed (krb5-kdc, krb5-admin-server, krb5-user)")
    return path


class Realm:
    """One realm, one KDC on a port of `address`, everything it writes below `directory`.

    `env` is what a client needs: configuration, credential cache, replay cache. A server is given `server_env`,
    which names the keytab too. Elsewhere than on loopback, `enter` makes argv one that runs where `address` is, and
    `probe` asks there whether something accepts.
    """

    def __init__(self, directory=None, name="SOCKS.TEST", enctypes=ENCTYPES,
                 address="127.0.0.1", enter=list, probe=accepts):
        self._own = directory is None
        self.dir = Path(directory or tempfile.mkdtemp(prefix="realm-"))
        self.name = name
        self.enctypes = enctypes
        self.address, self.enter, self.probe = address, enter, probe
        self.kdc = None
        self.passwords = {}
        self._swallowers = []
        self.keytab = self.dir / "service.keytab"
        self.ccache = self.dir / "ccache"

    @property
    def env(self):
        return {
            "KRB5_CONFIG": str(self.dir / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.ccache}",
            "KRB5RCACHEDIR": str(self.dir / "rcache"),
            "KRB5_CLIENT_KTNAME": str(self.dir / "client.keytab"),  # absent: nobody initiates from a keytab by accident
        }

    @property
    def server_env(self):
        return self.env | {"KRB5_KTNAME": f"FILE:{self.keytab}"}

    def _run(self, *argv, env=None, **options):
        full = {"PATH": SBIN, "LC_ALL": "C", **self.server_env, **(env or {})}
        done = subprocess.run(self.enter(argv), env=full, capture_output=True, text=True, timeout=HANG, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self):
        """Creates the database and starts the KDC; returns when it answers."""
        (self.dir / "rcache").mkdir(parents=True, exist_ok=True)
        (self.dir / "kadm5.acl").touch()
        for attempt in range(5):  # another process may take the port between the probe and the bind
            self.port = free_port()
            self._write_conf("krb5.conf", f"{self.address}:{self.port}")
            (self.dir / "kdc.conf").write_text(KDC_CONF.format(
                realm=self.name, dir=self.dir, address=self.address, port=self.port, enctypes=self.enctypes))
            if attempt == 0:
                self._run(program("kdb5_util"), "create", "-s", "-r", self.name, "-P", "x")
            self.kdc = subprocess.Popen(
                self.enter([program("krb5kdc"), "-n", "-r", self.name, "-P", str(self.dir / "kdc.pid")]),
                env={"PATH": SBIN, **self.env}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                await_port(self.address, self.port, self.kdc, probe=self.probe)
                return self
            except RuntimeError:
                continue
        raise RuntimeError("krb5kdc does not start: " + (self.dir / "kdc.log").read_text())

    def populate(self, hosts=SERVICE_HOSTS):
        """What most tests want: alice with a ticket, keytabs for `socks` and `rcmd` at the loopback names."""
        self.add_principal("alice", "wonderland")
        for host in hosts:
            for service in ("socks", "rcmd"):
                self.add_principal(f"{service}/{host}")
                self.ktadd(f"{service}/{host}")
        self.kinit("alice")
        return self

    def _write_conf(self, filename, kdc, extra=""):
        path = self.dir / filename
        path.write_text(KRB5_CONF.format(realm=self.name, dir=self.dir, kdc=kdc, extra=extra))
        return path

    def _kadmin(self, query):
        return self._run(program("kadmin.local"), "-r", self.name, "-q", query)

    def add_principal(self, principal, password=None):
        """With a password, or with a random key."""
        key = f"-pw {password}" if password else "-randkey"
        out = self._kadmin(f"addprinc {key} {principal}")
        if "created" not in out:
            raise RuntimeError(f"addprinc {principal}: {out}")
        if password:
            self.passwords[principal] = password
        return principal

    def modify_principal(self, principal, *flags):
        """For instance `+ok_as_delegate`."""
        self._kadmin(f"modprinc {' '.join(flags)} {principal}")

    def ktadd(self, principal, keytab=None):
        """Appends the principal's keys to `keytab` (default: the service keytab) without changing them."""
        keytab = keytab or self.keytab
        self._kadmin(f"ktadd -norandkey -k {keytab} {principal}")
        return keytab

    def enctype_env(self, enctype, principal="alice"):
        """A client that has sessions of this enctype alone."""
        conf = self._write_conf(f"krb5-{enctype}.conf", f"{self.address}:{self.port}", f"    permitted_enctypes = {enctype}")
        config = {"KRB5_CONFIG": str(conf)}
        return self.kinit(principal, ccache=self.dir / f"ccache-{enctype}", env=config) | config

    def kinit(self, principal, password=None, keytab=None, ccache=None, options=(), env=None):
        """A ticket in `ccache` (default: the realm's); returns the environment that uses it."""
        ccache = Path(ccache or self.ccache)
        argv = [program("kinit"), "-c", f"FILE:{ccache}", *options]
        if keytab:
            self._run(*argv, "-k", "-t", str(keytab), principal, env=env)
        else:
            self._run(*argv, principal, env=env, input=(password or self.passwords[principal]) + "\n")
        return self.env | {"KRB5CCNAME": f"FILE:{ccache}"}

    def no_ticket_env(self):
        return self.env | {"KRB5CCNAME": f"FILE:{self.dir / 'no-such-ccache'}"}

    def expired_env(self, principal="alice"):
        """An environment whose ticket has run out, in the eyes of the library that will be asked to use it."""
        env = self.kinit(principal, ccache=self.dir / "expired", options=("-l", "1s"))
        ask = [program("kvno"), "-q", f"krbtgt/{self.name}"]  # answered from the cache for as long as it is valid
        deadline = time.monotonic() + HANG
        while subprocess.run(ask, env={"PATH": SBIN, **env}, capture_output=True, check=False).returncode == 0:
            if time.monotonic() > deadline:
                raise TimeoutError("the ticket does not expire")
            time.sleep(0.05)  # only the clock ends a ticket
        return env

    def unreachable_env(self, principal="alice"):
        """A good TGT but a KDC that swallows every packet: its port accepts (in the kernel) and never answers."""
        env = self.kinit(principal, ccache=self.dir / "tgt-only")
        stream = socket.create_server(("127.0.0.1", 0), backlog=512)
        port = stream.getsockname()[1]
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagram.bind(("127.0.0.1", port))
        self._swallowers += [stream, datagram]
        return env | {"KRB5_CONFIG": str(self._write_conf("krb5-unreachable.conf", f"127.0.0.1:{port}"))}

    def refused_env(self, principal="alice"):
        """A good TGT but nobody at the KDC's port."""
        env = self.kinit(principal, ccache=self.dir / "tgt-refused")
        return env | {"KRB5_CONFIG": str(self._write_conf("krb5-refused.conf", f"127.0.0.1:{free_port()}"))}

    def stop(self):
        for swallower in self._swallowers:
            swallower.close()
        if self.kdc is not None:
            stop(self.kdc)
        if self._own:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run")
    run.add_argument("command", nargs=argparse.REMAINDER)
    for action in ("start", "stop"):
        actions.add_parser(action).add_argument("dir", type=Path)
    options = parser.parse_args()

    if options.action == "run":
        command = options.command[1:] if options.command[:1] == ["--"] else options.command
        with Realm() as realm:
            realm.populate()
            return subprocess.run(command, env=os.environ | realm.server_env, check=False).returncode
    if options.action == "start":
        options.dir.mkdir(parents=True, exist_ok=True)
        realm = Realm(options.dir.resolve()).start().populate()
        for key, value in realm.server_env.items():
            print(f"export {key}={shlex.quote(value)}")
        return 0
    os.kill(int((options.dir / "kdc.pid").read_text()), signal.SIGTERM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
