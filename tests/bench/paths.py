"""The ways to a service on loopback that are measured beside each other: direct, and through socksify-gss and socksd-gss."""

import subprocess
import tempfile
from pathlib import Path

from support.pki import Pki
from support.process import Service
from support.realm import Realm
from support.runner import Socksify
from support.servers import SocksServer, Tls, base_env

DIRECT = "direct"


class Paths:
    """`names`, and `output(path, argv)`: what a program prints when it runs that way. `sink` is what it speaks with."""

    def __init__(self, stack, sink):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        realm = stack.enter_context(Realm(directory / "realm"))
        realm.populate()
        self.plain_env = base_env(realm.env)
        self.socksify = Socksify(realm, directory)
        self.sink = stack.enter_context(Service(sink))
        sealed = stack.enter_context(SocksServer("socksd-gss", realm, directory / "gssapi"))
        clear = stack.enter_context(SocksServer("socksd-gss", realm, directory / "none", methods="none"))
        tls = Tls(Pki(directory / "pki"))
        ssl = stack.enter_context(SocksServer("socksd-gss", realm, directory / "ssl", methods="ssl", tls=tls,
                                              options=["--ssl-udp-naked"]))
        self._paths = {
            "SOCKS, method none": (clear, "confidentiality", ("--methods=none",)),
            "level 1, integrity": (sealed, "integrity", ()),
            "level 2, confidentiality": (sealed, "confidentiality", ()),
            "ssl": (ssl, "confidentiality", ("--ssl-udp-naked=1",)),
        }
        self.names = (DIRECT, *self._paths)

    def output(self, path, argv):
        if path == DIRECT:
            done = subprocess.run(argv, env=self.plain_env, capture_output=True, check=True)
        else:
            server, level, options = self._paths[path]
            done = self.socksify.run(server, argv, level=level, options=options)
        if done.returncode != 0:
            raise SystemExit(f"{path}, {argv}: {done.stderr}")
        return done.stdout.decode()
