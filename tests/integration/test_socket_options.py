"""What the kernel would do for a socket and a session cannot: refused with a plain errno, and the session lives on."""

import errno
import json

from support.runner import program

NOT_SUPPORTED = errno.errorcode[errno.EOPNOTSUPP]
REFUSED = {
    "filter": NOT_SUPPORTED,
    "zero copy": NOT_SUPPORTED,
    "kernel TLS": NOT_SUPPORTED,
    "repair": "EPERM",
    "zero-copy receive": NOT_SUPPORTED,
    "urgent": NOT_SUPPORTED,
    "flag alone": 0,
    "session": "still here",
    "filter before": "EACCES",
    "zero copy before": [1, "ENOBUFS", "still here"],
}


def test_refused(server, origin, socksify):
    done = socksify.run(server, program("refused_options", "127.0.0.1", origin.ports["echo"]))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == REFUSED, done.stderr
    assert done.stderr.count("\n") == 1 and "packet filter" in done.stderr
