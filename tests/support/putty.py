"""PuTTY's plink with its own SOCKS5 client: a session file in a home of its own."""

import subprocess

from support.servers import base_env

SESSION = """\
Protocol={protocol}
HostName={host}
PortNumber={port}
UserName={login}
PublicKeyFile={key}
TryAgent=0
ProxyMethod=2
ProxyHost={server.host}
ProxyPort={server.port}
ProxyUsername={user}
ProxyPassword={password}
ProxyDNS=2
ProxyLocalhost=1
"""


def plink(home, server, host, port, *, user, password, input=b"", protocol="raw", login="", key="", options=()):
    """`password` is for the SOCKS server. PuTTY offers none, CHAP and userpass, in this order."""
    sessions = home / ".putty" / "sessions"
    sessions.mkdir(parents=True, exist_ok=True)
    (sessions / "ours").write_text(SESSION.format(**locals()))
    return subprocess.run(["plink", "-batch", "-load", "ours", *options], env=base_env({"HOME": str(home)}), input=input,
                          capture_output=True, timeout=120, check=False)
