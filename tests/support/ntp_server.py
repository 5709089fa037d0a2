#!/usr/bin/python3
"""ntp_server.py ADDRESS: an SNTP server (RFC 4330) that is a hundred seconds ahead. Says `listening on ADDRESS:123`."""

import socket
import struct
import sys
import time

SINCE_1900 = 2208988800
AHEAD = 100
SERVER, STRATUM = 4, 1


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind((sys.argv[1], 123))
        print(f"listening on {sys.argv[1]}:123", flush=True)
        while True:
            asked, source = end.recvfrom(512)
            if len(asked) < 48:
                continue
            now = time.time() + SINCE_1900 + AHEAD
            stamp = struct.pack("!II", int(now), int(now % 1 * (1 << 32)))
            head = struct.pack("!BBBbII4s", asked[0] & 0x38 | SERVER, STRATUM, asked[2], -20, 0, 0, b"TEST")
            end.sendto(head + stamp + asked[40:48] + stamp + stamp, source)


if __name__ == "__main__":
    main()
