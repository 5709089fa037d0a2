"""ways_past.py WAY HOST PORT: tries to get MARKER out of the process beside the session; prints what came of it as JSON.

Each way is one that would write on the descriptor itself, or open a path of its own, were it not stopped or wrapped.
"""

import ctypes
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import threading

MARKER = b"PLAINTEXT-MARKER"
MSG_FASTOPEN = 0x20000000
SYS_PWRITEV2 = 328
SYS_IO_SETUP, SYS_IO_SUBMIT, IOCB_CMD_PWRITE = 206, 209, 1
libc = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


def answer(result):
    """What a call of libc came to: its result, or the name of its errno."""
    return result if result >= 0 else os.strerror(ctypes.get_errno())


def connected(host, port):
    return socket.create_connection((host, port))


def echoed(session):
    """What the far side has sent back of MARKER: it came there, and in frames."""
    return session.recv(len(MARKER), socket.MSG_WAITALL).decode()


def standard_output(host, port):
    with connected(host, port) as session:
        if libc.dup2(session.fileno(), 1) < 0:
            return answer(-1)
        os.write(1, MARKER)
        return echoed(session)


def stdio(host, port):
    with connected(host, port) as session:
        libc.fdopen.restype = ctypes.c_void_p
        stream = libc.fdopen(session.fileno(), b"w")
        if stream is None:
            return answer(-1)
        libc.fputs(MARKER, ctypes.c_void_p(stream))
        libc.fflush(ctypes.c_void_p(stream))
        return echoed(session)


def asynchronous(host, port):
    with connected(host, port) as session:
        control = ctypes.create_string_buffer(168)  # struct aiocb: descriptor at 0, buffer at 16, count at 24
        buffer = ctypes.create_string_buffer(MARKER)
        ctypes.c_int.from_buffer(control, 0).value = session.fileno()
        ctypes.c_void_p.from_buffer(control, 16).value = ctypes.addressof(buffer)
        ctypes.c_size_t.from_buffer(control, 24).value = len(MARKER)
        return answer(libc.aio_write(control)) or echoed(session)


def splice(host, port):
    with connected(host, port) as session:
        reader, writer = os.pipe()
        os.write(writer, MARKER)
        moved = libc.splice(reader, None, session.fileno(), None, ctypes.c_size_t(len(MARKER)), 0)
        return echoed(session) if moved == len(MARKER) else answer(moved)


def spawned(host, port):
    with connected(host, port) as session:
        subprocess.run(["printf", MARKER.decode()], stdout=session, check=True)
        return echoed(session)


def forked(host, port):
    """What the child executes has the descriptor by its number."""
    with connected(host, port) as session:
        os.set_inheritable(session.fileno(), True)
        command = f"printf {MARKER.decode()} >&{session.fileno()}"
        subprocess.run(["sh", "-c", command], close_fds=False, check=True)
        return echoed(session)


def passed(host, port):
    with connected(host, port) as session:
        here, there = socket.socketpair()
        socket.send_fds(here, [b"x"], [session.fileno()])
        os.write(socket.recv_fds(there, 1, 1)[1][0], MARKER)
        return echoed(session)


def by_number(host, port):
    """pwritev2 by its number is wrapped like the call itself: the echo comes back."""
    with connected(host, port) as session:
        vector = Iovec(MARKER, len(MARKER))
        libc.syscall.restype = ctypes.c_long
        written = libc.syscall(ctypes.c_long(SYS_PWRITEV2), ctypes.c_long(session.fileno()), ctypes.byref(vector),
                               ctypes.c_long(1), ctypes.c_long(-1), ctypes.c_long(0), ctypes.c_long(0))
        return [answer(written), session.recv(100, socket.MSG_WAITALL if written < 0 else 0).decode()]


def connected_elsewhere(host, port):
    """The child connects the socket that it shares with its parent, which cannot seal."""
    with socket.socket() as shared:
        if os.fork() == 0:
            shared.connect((host, port))
            os._exit(0)
        os.wait()
        try:
            return shared.send(MARKER)
        except OSError as error:
            return error.strerror


def kernel_aio(host, port):
    """io_submit by its number."""
    with connected(host, port) as session:
        context, control = ctypes.c_ulong(0), ctypes.create_string_buffer(64)  # struct iocb
        buffer = ctypes.create_string_buffer(MARKER)
        libc.syscall(ctypes.c_long(SYS_IO_SETUP), ctypes.c_long(4), ctypes.byref(context))
        ctypes.c_uint16.from_buffer(control, 16).value = IOCB_CMD_PWRITE
        ctypes.c_uint32.from_buffer(control, 20).value = session.fileno()
        ctypes.c_uint64.from_buffer(control, 24).value = ctypes.addressof(buffer)
        ctypes.c_uint64.from_buffer(control, 32).value = len(MARKER)
        blocks = ctypes.c_void_p(ctypes.addressof(control))
        submitted = libc.syscall(ctypes.c_long(SYS_IO_SUBMIT), context, ctypes.c_long(1), ctypes.byref(blocks))
        return echoed(session) if submitted == 1 else answer(submitted)


def ring(host, port):
    """What liburing exports is the shim's."""
    return os.strerror(-libc.io_uring_queue_init(8, ctypes.create_string_buffer(512), 0))


def remote_shell(host, port):
    name = ctypes.c_char_p(b"127.0.0.1")
    return answer(libc.rcmd(ctypes.byref(name), socket.htons(port), b"user", b"user", MARKER, None))


def datagram(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        try:
            return plain.sendto(MARKER, (host, port))
        except OSError as error:
            return error.strerror


def fast_open(host, port):
    """sendmmsg that would connect: the shim does not do it, and nothing goes direct."""
    with socket.socket() as plain:
        address = ctypes.create_string_buffer(
            int(socket.AF_INET).to_bytes(2, "little") + port.to_bytes(2, "big") + socket.inet_aton(host) + bytes(8), 16)
        vector = Iovec(MARKER, len(MARKER))
        message = (ctypes.c_uint64 * 8)(ctypes.addressof(address), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0)
        return answer(libc.sendmmsg(plain.fileno(), message, 1, MSG_FASTOPEN))


def messages_in_part(host, port):
    """sendmmsg of two, of which the second cannot be read: the kernel would send the first, where it is addressed to."""
    libc.mmap.restype, page = ctypes.c_void_p, mmap.PAGESIZE
    area = libc.mmap(None, ctypes.c_size_t(2 * page), mmap.PROT_READ | mmap.PROT_WRITE,
                     mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    libc.mprotect(ctypes.c_void_p(area + page), ctypes.c_size_t(page), 0)
    name = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
    name, vector = ctypes.create_string_buffer(name, 16), Iovec(MARKER, len(MARKER))
    message = struct.pack("PI4xPNPNi4xI4x", ctypes.addressof(name), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0)
    ctypes.memmove(area + page - len(message), message, len(message))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return answer(libc.sendmmsg(sender.fileno(), ctypes.c_void_p(area + page - len(message)), 2, 0))


def closing(host, port):
    """One thread writes while another closes: every octet is sealed, or the number is bad."""
    for _ in range(40):
        session = connected(host, port)
        number, running = session.detach(), threading.Event()

        def write(fd=number, running=running):
            try:
                while True:
                    os.write(fd, MARKER)
                    running.set()
            except OSError:
                running.set()

        writer = threading.Thread(target=write)
        writer.start()
        running.wait()
        os.close(number)
        writer.join()
    return "closed"


def main():
    way, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    kept = os.dup(1)
    os.write(kept, json.dumps(globals()[way](host, port)).encode())


main()
