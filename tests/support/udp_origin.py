#!/usr/bin/python3
"""What stands behind the SOCKS server for datagrams: an echo on each address, that tells what came.

Says `listening on ADDR:PORT`; with --events one event per datagram. A datagram `#other` is answered from another port, `#silent`
is not answered, `#twice` is answered twice, `#N` with N octets; everything else comes back as it is.
"""

import argparse
import json
import select
import socket
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import payload, wire  # noqa: E402


def udp(host, port=0):
    made = socket.socket(wire.family(host), socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
    made.bind((host, port))
    return made


def answers(data):
    if data == b"#silent":
        return []
    if data == b"#twice":
        return [data, data]
    if data[:1] == b"#" and data[1:].isdigit():
        return [payload.octets(int(data[1:]))]
    return [data]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", action="append", default=[])
    parser.add_argument("--events", action="store_true")
    options = parser.parse_args()
    addresses = options.address or ["127.0.0.1"]
    ends = [udp(addresses[0])]
    port = ends[0].getsockname()[1]
    ends += [udp(address, port) for address in addresses[1:]]
    others = {end: udp(address) for end, address in zip(ends, addresses)}
    print(f"listening on {addresses[0]}:{port}", flush=True)
    while True:
        for end in select.select(ends, [], [])[0]:
            data, source = end.recvfrom(65536)
            if options.events:
                print(json.dumps({"event": "datagram", "source": list(source[:2]), "octets": len(data),
                                  "head": data[:40].decode(errors="replace")}), flush=True)
            for answer in answers(data):
                (others[end] if data == b"#other" else end).sendto(answer, source)


if __name__ == "__main__":
    main()
