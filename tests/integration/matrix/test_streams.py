"""Programs that carry a stream as it comes: bash, nc, socat and their kin, with each direction ended by itself."""

import json

import pytest

from origins import BLOB, BLOB_SHA256
from support import payload


@pytest.mark.both_levels
def test_nc(wrapped, services):
    echo, digest = services["echo"], services["digest"]
    assert wrapped.run(["nc", "-N", echo.host, str(echo.port)], input=BLOB).stdout == BLOB
    assert wrapped.run(["nc", "-N", digest.host, str(digest.port)], input=BLOB).stdout.decode().strip() == BLOB_SHA256


def test_ncat(wrapped, services):
    echo, digest = services["echo"], services["digest"]
    assert wrapped.run(["ncat", "-w", "60", echo.host, str(echo.port)], input=BLOB).stdout == BLOB
    assert wrapped.run(["ncat", "-w", "60", digest.host, str(digest.port)], input=BLOB).stdout.decode().strip() == BLOB_SHA256


def test_socat(wrapped, services):
    echo, digest = services["echo"], services["digest"]
    assert wrapped.run(["socat", "-t60", "-", f"TCP:{echo.address}"], input=BLOB).stdout == BLOB
    assert wrapped.run(["socat", "-t60", "-", f"TCP:{digest.address}"], input=BLOB).stdout.decode().strip() == BLOB_SHA256


def test_telnet(wrapped, services):
    echo = services["echo"]
    with wrapped.popen(["telnet", echo.host, str(echo.port)], stdin=-1) as process:
        process.stdin.write(b"a line\r\n")
        process.stdin.flush()
        said = b""
        while b"a line" not in said:
            said += process.stdout.read1(1000) or pytest.fail(f"telnet ended: {said!r}")
        process.kill()


BASH = r"""
exec 3<>/dev/tcp/$1/$2
printf 'GET /random/1000000/bash HTTP/1.0\r\n\r\n' >&3
cat <&3
"""
BASH_ONLY = r"""
exec 3<>/dev/tcp/$1/$2
for n in {1..100}; do
  printf 'line %d\n' $n >&3
  IFS= read -r line <&3
  [ "$line" = "line $n" ] || exit 1
done
exec 3>&-
"""


def test_bash_dev_tcp(wrapped, http):
    answer = wrapped.run(["bash", "-c", BASH, "bash", http.host, http.port]).stdout
    assert answer.partition(b"\r\n\r\n")[2] == payload.octets(1_000_000, "bash")


def test_bash_alone(wrapped, echo):
    """No child: the shell's own builtins on the socket."""
    wrapped.run(["bash", "-c", BASH_ONLY, "bash", echo.host, echo.port])


@pytest.mark.parametrize("reverse", [(), ("-R",), ("--bidir",)], ids=["up", "down", "both"])
def test_iperf3(wrapped, iperf, reverse):
    done = wrapped.run(["iperf3", "-c", iperf.host, "-p", str(iperf.port), "-n", "20M", "-P", "3", "-J", *reverse])
    end = json.loads(done.stdout)["end"]
    # iperf3 stops when what was sent, or with --bidir what was received if that is first, reaches -n; what was received
    # may otherwise lack what was on its way.
    reached = [end["sum_sent"]["bytes"]]
    if reverse == ("--bidir",):
        reached.append(end["sum_received_bidir_reverse"]["bytes"])
    assert max(reached) >= 20 << 20 and min(reached) > 0 and end["sum_received"]["bytes"] > 0
