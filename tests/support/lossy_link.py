#!/usr/bin/python3
"""lossy_link.py LEFT RIGHT FAULT=N...: a wire between two interfaces that treats datagrams badly (lossy_path.py).

Everything else passes as it is. Says `ready`; ends with its standard input. `--whole IFACE` instead: makes an interface put
true checksums on what it sends, in packets of the wire's size, as a machine at the end of a wire would.
"""

import ctypes
import fcntl
import select
import socket
import struct
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.capture import ETH_P_ALL, ETH_P_IP, SOL_PACKET  # noqa: E402
from support.lossy_path import LossyPath  # noqa: E402

SIOCETHTOOL = 0x8946
OFFLOADS = {"tx-checksum": 0x17, "scatter-gather": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
PACKET_IGNORE_OUTGOING = 23


def make_whole(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in OFFLOADS.values():
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)


def raw(interface):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    made.bind((interface, ETH_P_ALL))
    made.setblocking(False)
    return made


def is_datagram(packet):
    return struct.unpack_from("!H", packet, 12)[0] == ETH_P_IP and packet[23] == socket.IPPROTO_UDP


def main():
    if sys.argv[1] == "--whole":
        make_whole(sys.argv[2])
        return
    faults = {name: int(value) for name, value in (word.split("=") for word in sys.argv[3:])}
    ends = [raw(interface) for interface in sys.argv[1:3]]
    ways = {ends[0]: (ends[1], LossyPath(**faults)), ends[1]: (ends[0], LossyPath(**faults))}
    print("ready", flush=True)
    while True:
        ready = select.select([sys.stdin, *ends], [], [])[0]
        if sys.stdin in ready and not sys.stdin.readline():
            return
        for end in ready:
            if end is sys.stdin:
                continue
            other, path = ways[end]
            try:
                while True:
                    packet = end.recv(65535)
                    for arriving in path.carry(packet) if is_datagram(packet) else [packet]:
                        other.send(arriving)
            except BlockingIOError:
                pass


if __name__ == "__main__":
    main()
