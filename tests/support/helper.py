"""A program that the shim starts beside an application, as a test starts it."""

import contextlib
import os
import socket
import subprocess

from support.process import HANG
from support.servers import built


def version():
    out = subprocess.run([built("socksify-gss"), "--version"], capture_output=True, text=True, check=True).stdout
    return out.split()[-1]


class Helper:
    """Its standard output is a pipe instead of /dev/null: nothing may come there, and its end is the helper's."""

    def __init__(self, name, env):
        self.env = env
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(HANG)
        self.output, write_end = os.pipe()
        with theirs:
            started = subprocess.Popen([built(name), version()], stdin=theirs, stdout=write_end, stderr=write_end, env=self.env)
        os.close(write_end)
        self.session_id = started.pid
        assert started.wait(HANG) == 0

    @property
    def pid(self):
        """Of the process that goes on: the one in the session that the first has made."""
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and os.getsid(int(entry)) == self.session_id:
                    return int(entry)
        raise ProcessLookupError("the helper has ended")

    def status(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))

    def await_end(self):
        """It ends by itself, and has said nothing."""
        with os.fdopen(self.output, "rb") as output:
            said = output.read()
        assert said == b"", said.decode(errors="replace")
