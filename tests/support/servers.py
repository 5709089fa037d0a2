"""One way to start either SOCKS server: ours from the build tree, or the independent one."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from support import namespace
from support.pki import Pki
from support.process import Service

TESTS = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("SOCKSIFY_BUILD", TESTS.parent / "build")).resolve()
PYTHON = sys.executable
KINDS = ("socksd-gss", "independent")
# In the environment it is for all that runs: client and server of ours.
FAST_PATH = {k: v for k, v in os.environ.items() if k == "SOCKSIFY_GSS_FAST_PATH"}
LEVELS = {"integrity": "1", "confidentiality": "2"}


def built(name):
    """A program of BUILD. Where that is sanitized, the launcher and with it the shim are the ordinary ones."""
    ordinary = TESTS.parent / "build"
    sanitized = BUILD.parent == ordinary
    for directory in (ordinary,) if sanitized and name == "socksify-gss" else (BUILD, ordinary):
        if (directory / name).exists():
            return str(directory / name)
    raise FileNotFoundError(f"{BUILD / name}: run make first")


def base_env(realm_env):
    """What a test's program sees: no setting of the developer's shell but FAST_PATH."""
    realm_env = FAST_PATH | realm_env
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "TMPDIR") or k.endswith("SAN_OPTIONS")}
    keep["PATH"] = os.pathsep.join(("/usr/bin", "/bin", "/usr/sbin", "/sbin"))
    keep.setdefault("LSAN_OPTIONS", f"suppressions={TESTS / 'support' / 'lsan.supp'}:print_suppressions=0")
    return keep | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"} | realm_env


class Tls(NamedTuple):
    """What a server of the SSL method presents and asks for, as its command line says it. `cert` is a name in the PKI."""

    pki: Pki
    cert: str = "server"
    client_ca: Path = None
    subauth: str = ""

    @property
    def options(self):
        argv = ["--tls-cert", str(self.pki[self.cert].cert), "--tls-key", str(self.pki[self.cert].key)]
        argv += ["--tls-client-ca", str(self.client_ca)] if self.client_ca else []
        return argv + (["--subauth", self.subauth] if self.subauth else [])


class SocksServer(Service):
    """A running server of either kind. `host` in tests: the name that only the server can resolve.

    `enter` makes argv one that runs in a namespace of its own, whose names are the namespace's.
    `client_env` is what its clients have to be told beside the address, where certificates or passwords are used."""

    def __init__(self, kind, realm, directory, *, methods="gssapi", levels="integrity,confidentiality", user=None, tls=None,
                 listen="127.0.0.1:0", hosts=None, keytab=None, faults=(), options=(), enter=None):
        self.kind = kind
        self.client_env = {"SOCKSIFY_METHODS": methods} if tls or user else {}
        if tls:
            self.client_env["SOCKSIFY_TLS_CA"] = str(tls.pki.ca)
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        env = base_env(realm.server_env)
        if keytab:
            env["KRB5_KTNAME"] = f"FILE:{keytab}"
        hosts = hosts or {"origin.test": "127.0.0.1"}
        if kind == "independent":
            program = "socks_ssl_server.py" if tls or "chap" in methods else "socks_gss_server.py"
            argv = [PYTHON, str(TESTS / "support" / program), "--events", "--listen", listen,
                    "--methods", methods, "--levels", ",".join(LEVELS[level] for level in levels.split(","))]
            argv += [f"--host={name}={address}" for name, address in hosts.items()]
            argv += [f"--misbehave={fault}" for fault in faults]
            if user:
                argv += ["--user", user]
        else:
            if faults:
                raise ValueError("only the independent server misbehaves")
            argv = [built("socksd-gss"), "--listen", listen, "--methods", methods, "--protection", levels]
            argv += [f"--gss-fast-path={value}" for value in FAST_PATH.values()]
            if user:
                users = directory / "users"
                users.write_text(user + "\n")
                users.chmod(0o600)
                argv += ["--users", str(users)]
            if enter is None and namespace.available():
                table = directory / "hosts"
                table.write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in hosts.items()))
                argv = namespace.with_hosts(table, argv)
        argv += [*(tls.options if tls else []), *options]
        super().__init__(enter(argv) if enter else argv, env=env, name=kind, stderr=str(directory / "server.log"))

    @property
    def target(self):
        """The origin's name. Without namespaces socksd-gss cannot know it, so its address."""
        return "origin.test" if self.kind == "independent" or namespace.available() else "127.0.0.1"

    def __exit__(self, *_):
        """A sanitizer's complaint fails the test that was running, whatever the sessions looked like."""
        self.stop()
        log = self.stderr()
        assert "Sanitizer" not in log and "runtime error:" not in log, log
