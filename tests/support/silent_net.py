#!/usr/bin/python3
"""silent_net.py COMMAND...: runs it in a network of its own and tells of every packet that would have left the machine.

Started under `namespace.silent()`: a network namespace whose only way out is its loopback, so that a packet for any address
can be seen there. Standard output is JSON: the command's status, output, and `left`: each packet to an address that is not
loopback, or to a name server's port on loopback.
"""

import json
import socket
import struct
import subprocess
import sys

ETH_P_ALL = 3
NAME_SERVER = 53
ETHERNET = 14
TRANSPORTS = {6: "tcp", 17: "udp"}


def read(packet):
    """(transport, destination, port) of an IP packet, or None for what programs do not send."""
    if packet[0] >> 4 == 4:
        transport, destination, rest = packet[9], socket.inet_ntoa(packet[16:20]), packet[(packet[0] & 15) * 4:]
    else:
        transport, destination, rest = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:]
    if transport not in TRANSPORTS:
        return None
    return TRANSPORTS[transport], destination, struct.unpack("!H", rest[2:4])[0]


def leaves(transport, destination, port):
    return port == NAME_SERVER or not (destination.startswith("127.") or destination == "::1")


def main():
    for line in ("link set lo up", "route add default dev lo", "-6 route add default dev lo"):
        subprocess.run(["ip", *line.split()], check=not line.startswith("-6"), stderr=subprocess.DEVNULL)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as tap:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        tap.setblocking(False)
        left = set()
        while True:
            try:
                seen = read(tap.recv(65536)[ETHERNET:])
            except BlockingIOError:
                break
            if seen and leaves(*seen):
                left.add(seen)
    print(json.dumps({"status": done.returncode, "out": done.stdout, "err": done.stderr, "left": sorted(left)}))


if __name__ == "__main__":
    main()
