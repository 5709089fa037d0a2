"""resolve.py NAME...: what the resolver's calls say of each name, as JSON; and back from each IPv4 address.

Names go to libc as they are: Python's own encoding refuses some.
"""

import json
import socket
import sys

FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def attempt(call, *arguments, **more):
    try:
        return call(*arguments, **more)
    except (socket.gaierror, socket.herror) as error:
        return error.errno


def addresses(name, family):
    found = attempt(socket.getaddrinfo, name.encode(), 80, family, socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    return found if isinstance(found, int) else [*(one[4][0] for one in found), found[0][3]]


def main():
    said = {}
    for name in sys.argv[1:]:
        said[name] = {family: addresses(name, number) for family, number in FAMILIES.items()}
        old = attempt(socket.gethostbyname_ex, name.encode())
        said[name]["old"] = old
        if not isinstance(old, int):
            said[name]["back"] = attempt(lambda address: socket.gethostbyaddr(address)[0], old[2][0])
    print(json.dumps(said))


if __name__ == "__main__":
    main()
