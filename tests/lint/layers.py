#!/usr/bin/python3
"""Includes go one way (the house in README), are root-relative, and foreign headers stay where they belong.

    layers.py ROOT      prints what is wrong, one line each; exit status 1 then
"""

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)')

# Room -> the rooms its files may include, besides itself.
BASE = {"lib/base"}
WIRE = BASE | {"lib/wire"}
CONFIG = WIRE | {"lib/config"}
SECURITY = WIRE | {"lib/security"}
ENGINE = SECURITY | {"lib/config", "lib/engine"}
IO = ENGINE | {"lib/io"}
MAY_INCLUDE = {
    "lib/base": set(), "lib/wire": BASE, "lib/config": WIRE, "lib/security": WIRE, "lib/engine": SECURITY | CONFIG,
    "lib/io": ENGINE, "shim": IO, "tools/socksify-gss": IO, "tools/loop": IO, "tools/socksd-gss": IO | {"tools/loop"},
    "tools/helper": BASE, "tools/socksify-gss-relay": IO | {"tools/loop", "tools/helper"},
    "tools/socksify-gss-agent": IO | {"tools/loop", "tools/helper"}, "tests": IO | {"tools/loop"},
}
PURE = ("lib/base", "lib/wire", "lib/engine")  # no descriptor, thread or loader in these
SYSTEM = re.compile(r"(sys/socket|sys/un|sys/epoll|sys/select|netinet/.*|arpa/.*|netdb|poll|resolv|pthread|threads|dlfcn)\.h"
                    r"|thread|mutex|shared_mutex|condition_variable|future")
KERBEROS = re.compile(r"(gssapi|krb5|et|com_err|kdb|profile)(/.*|\.h)")
GNUTLS = re.compile(r"(gnutls|nettle)/.*")


def room(path):
    """The longest room that holds `path`; None outside."""
    return max((r for r in MAY_INCLUDE if path.startswith(r + "/")), key=len, default=None)


def judge(path, quote, included):
    """Why `path` may not include that; None if it may."""
    here = room(path)
    if quote == '"':
        there = room(included)
        if there is None or "/../" in included:
            return "is not named from the root"
        if there != here and there not in MAY_INCLUDE[here]:
            return f"goes against the arrows: {here} may include {', '.join(sorted(MAY_INCLUDE[here])) or 'nothing'}"
        return None
    if KERBEROS.fullmatch(included) and not re.match(r"lib/security/gss_|tests/(unit|bench|fuzz)/(gss|krb5)_", path):
        return "belongs to lib/security/gss_*"
    if GNUTLS.fullmatch(included) and not re.match(r"(lib/security|tests/(unit|bench|fuzz))/(ssl|chap|krb5)_", path):
        return "belongs to lib/security/ssl_*, chap_* and krb5_*"
    if here in PURE and SYSTEM.fullmatch(included):
        return f"is a socket, thread or loader header, and {here} does no such thing"
    return None


def problems(root):
    for path in sorted(p for top in ("lib", "shim", "tools", "tests") for p in (root / top).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".cc", ".h") or name.startswith("tests/probes/"):
            continue
        if room(name) is None:
            yield f"{name}: in no known room"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if (found := INCLUDE.match(line)) and (why := judge(name, *found.groups())):
                yield f"{name}:{number}: {found.group(2)} {why}"


def main():
    found = list(problems(Path(sys.argv[1])))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
