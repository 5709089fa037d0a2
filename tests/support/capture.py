#!/usr/bin/python3
"""A packet capture at the edge of the client's namespace, which answers for every packet that crossed it.

The kernel's filter (classic BPF) drops what is expected of a wrapped program, segments between the client and the ports of
the SOCKS server and the KDC, so that load loses nothing. It keeps the SYNs among them, which are counted, and every other
packet. Datagrams between the client and the server's host are counted: those that are one RFC 1961 frame, and those in
clear. Only neighbour discovery is let by here, and what tells one of these two that its datagram found nobody there.

    capture.py INTERFACE CLIENT SERVER PORT...

A line on stdin is answered by a line of JSON: what has been seen since the last.
"""

import argparse
import contextlib
import ctypes
import json
import select
import socket
import struct
import subprocess
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import payload, wire  # noqa: E402

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 3, 0x0800, 0x0806, 0x86DD
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 26, 33, 263, 6
NEIGHBOUR_TYPES = {135: "neighbour solicitation", 136: "neighbour advertisement", 143: "multicast listener report"}
PORT_UNREACHABLE = b"\3\3"
LINK_LAYER = ("arp", *NEIGHBOUR_TYPES.values())

LDH_ABS, LDB_ABS, LD_ABS, LDH_IND, LDB_IND, LDX_IHL = 0x28, 0x30, 0x20, 0x48, 0x50, 0xB1
JEQ, JSET, RET = 0x15, 0x45, 0x06
SYN, ACK = 0x02, 0x10


def assemble(lines):
    """(code, k[, jump if true, jump if false]) to struct sock_filter; a jump names a label, which stands alone in a line."""
    labels, program = {}, []
    for line in lines:
        if isinstance(line, str):
            labels[line] = len(program)
        else:
            program.append(line)
    out = b""
    for at, (code, k, *jumps) in enumerate(program):
        true, false = ((labels[j] - at - 1 if j else 0) for j in (*jumps, None, None)[:2])
        out += struct.pack("HBBI", code, true, false, k)
    return out, len(program)


def expected_filter(client, server, ports):
    """Keeps everything but the unremarkable TCP segments between `client` and `server` at one of the server's `ports`."""
    client, server = (struct.unpack("!I", socket.inet_aton(a))[0] for a in (client, server))
    lines = [(LDH_ABS, 12), (JEQ, ETH_P_IP, None, "keep"),
             (LDB_ABS, 23), (JEQ, socket.IPPROTO_TCP, None, "keep"),
             (LDH_ABS, 20), (JSET, 0x1FFF, "keep", None),
             (LDX_IHL, 14), (LD_ABS, 26), (JEQ, client, "up", None),
             (JEQ, server, None, "keep"), (LD_ABS, 30), (JEQ, client, None, "keep"), (LDH_IND, 14)]
    lines += [(JEQ, port, "flags", None) for port in ports] + [(RET, 0xFFFF)]
    lines += ["up", (LD_ABS, 30), (JEQ, server, None, "keep"), (LDH_IND, 16)]
    lines += [(JEQ, port, "flags", None) for port in ports] + [(RET, 0xFFFF)]
    lines += ["flags", (LDB_IND, 14 + 13), (JSET, ACK, "drop", None), (JSET, SYN, "keep", None),
              "drop", (RET, 0), "keep", (RET, 0xFFFF)]
    return assemble(lines)


def describe(packet):
    """(kind, from, to) of an Ethernet frame; ports where there are any."""
    kind = struct.unpack_from("!H", packet, 12)[0]
    if kind == ETH_P_ARP:
        return "arp", socket.inet_ntoa(packet[28:32]), socket.inet_ntoa(packet[38:42])
    if kind == ETH_P_IP:
        protocol, addresses, body = packet[23], packet[26:34], packet[14 + (packet[14] & 15) * 4:]
        source, target = socket.inet_ntoa(addresses[:4]), socket.inet_ntoa(addresses[4:])
    elif kind == ETH_P_IPV6:
        protocol, body = packet[20], packet[54:]
        source, target = (socket.inet_ntop(socket.AF_INET6, packet[at:at + 16]) for at in (22, 38))
        if protocol == 0:  # hop-by-hop options, which carry multicast listener reports
            protocol, body = body[0], body[8 + body[1] * 8:]
        if protocol == socket.IPPROTO_ICMPV6 and body[0] in NEIGHBOUR_TYPES:
            return NEIGHBOUR_TYPES[body[0]], source, target
    else:
        return f"ethertype {kind:04x}", "", ""
    if protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        ports = struct.unpack_from("!HH", body)
        source, target = (f"{address}:{port}" for address, port in zip((source, target), ports))
    names = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp", socket.IPPROTO_ICMP: "icmp"}
    return names.get(protocol, f"protocol {protocol}"), source, target


def association_datagram(packet, ends):
    """What an IPv4 packet of UDP between the two `ends` is: "sealed", "clear", "plaintext", or "fragment" behind the first.

    Any port of the server's may be a relay's. None for other packets."""
    if struct.unpack_from("!H", packet, 12)[0] != ETH_P_IP or packet[23] != socket.IPPROTO_UDP:
        return None
    if {socket.inet_ntoa(packet[26:30]), socket.inet_ntoa(packet[30:34])} != ends:
        return None
    if payload.MARKER in packet:
        return "plaintext"
    if struct.unpack_from("!H", packet, 20)[0] & 0x1FFF:
        return "fragment"
    udp = packet[14 + (packet[14] & 15) * 4:]
    (length,) = struct.unpack_from("!H", udp, 4)
    return "sealed" if udp[8:12] == struct.pack("!BBH", wire.GSS, wire.DATA, length - 12) else "clear"


def refused_datagram(packet, ends):
    """Whether it says, from one of the `ends` to the other, that a datagram between them found nobody: a relay or a client has gone."""
    start = 14 + (packet[14] & 15) * 4
    inner = packet[start + 8:]
    if struct.unpack_from("!H", packet, 12)[0] != ETH_P_IP or packet[23] != socket.IPPROTO_ICMP or payload.MARKER in packet:
        return False
    return (packet[start:start + 2] == PORT_UNREACHABLE and len(inner) >= 20 and inner[9] == socket.IPPROTO_UDP
            and all({socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20])} == ends for ip in (packet[14:], inner)))


def capture(interface, client, server, ports):
    """The socket; everything the filter keeps is in its queue from here on."""
    program, length = expected_filter(client, server, ports)
    code = ctypes.create_string_buffer(program)
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with contextlib.suppress(PermissionError):  # root of a user namespace makes do with the default
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", length, ctypes.addressof(code)))
    tap.bind((interface, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def queued(tap):
    """Everything that has been kept so far."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield tap.recv(65535)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interface")
    parser.add_argument("client")
    parser.add_argument("server")
    parser.add_argument("ports", nargs="+", type=int)
    options = parser.parse_args()
    tap = capture(options.interface, options.client, options.server, options.ports)
    ends = {f"{options.server}:{port}" for port in options.ports}
    hosts = {options.client, options.server}
    connections, datagrams, others = {}, {}, []
    print("ready", flush=True)
    while True:
        asked = sys.stdin in select.select([tap, sys.stdin], [], [])[0]
        for packet in queued(tap):
            if sort := association_datagram(packet, hosts):
                datagrams[sort] = datagrams.get(sort, 0) + 1
                continue
            if refused_datagram(packet, hosts):
                continue
            kind, source, target = describe(packet)
            if kind == "tcp" and target in ends:
                connections[target] = connections.get(target, 0) + 1
            elif kind not in LINK_LAYER and len(others) < 100:
                others.append(f"{kind} {source} -> {target}")
        if asked:
            if not sys.stdin.readline():
                return
            lost = struct.unpack("II", tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
            print(json.dumps({"connections": connections, "datagrams": datagrams, "others": others, "lost": lost}),
                  flush=True)
            connections, datagrams, others = {}, {}, []


class Capture:
    """The capture as a child, in the namespace that `enter` enters."""

    def __init__(self, enter, interface, client, server, ports):
        self.process = subprocess.Popen(
            enter([sys.executable, __file__, interface, client, server, *map(str, ports)]), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def seen(self):
        """Since the last call: `connections` made by address, `datagrams` with the server by sort, `others` that should not
        have been, `lost` to overflow."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    main()
