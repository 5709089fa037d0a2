"""Programs that speak UDP: every datagram at the edge is the association's, sealed with GSS-API."""

import json

import pytest

from support import payload
from support.process import HANG


@pytest.mark.both_levels
def test_ncat(wrapped, udp_echo):
    line = payload.MARKER + b"\n" if wrapped.level == "confidentiality" else b"a line\n"
    with wrapped.popen(["ncat", "-u", udp_echo.host, str(udp_echo.port)], stdin=-1) as process:
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
        process.stdin.close()


def test_socat(wrapped, udp_echo):
    with wrapped.popen(["socat", "-", f"UDP:{udp_echo.address}"], stdin=-1) as process:
        process.stdin.write(b"a line\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"a line\n"
        process.stdin.close()
        assert process.wait(HANG) == 0 and process.stdout.read() == process.stderr.read() == b""


@pytest.mark.both_levels
@pytest.mark.parametrize("way", [(), ("-R",)], ids=["up", "down"])
def test_iperf3(wrapped, iperf, way):
    done = wrapped.run(["iperf3", "-u", "-c", iperf.host, "-p", str(iperf.port), "-b", "5M", "-n", "90K", "-l", "1300", "-J", *way])
    total = json.loads(done.stdout)["end"]["sum"]
    assert total["packets"] - total["lost_packets"] > 60, total  # so few that a socket's buffer holds them all


def test_dig(wrapped, dnsmasq):
    """At a port of its own, so that what is asked is for that server."""
    dig = ["dig", "+tries=3", "+time=20", "+short", "-p", str(dnsmasq.port), f"@{dnsmasq.numeric}"]
    assert wrapped.run([*dig, "text.test.example", "TXT"]).stdout == b'"a text"\n'
    assert wrapped.run([*dig, "host.test.example"]).stdout == b"192.0.2.44\n"


def test_dig_by_name(wrapped, dnsmasq):
    dig = ["dig", "+tries=3", "+time=20", "+short", "-p", str(dnsmasq.port), f"@{dnsmasq.host}"]
    assert wrapped.run([*dig, "text.test.example", "TXT"]).stdout == b'"a text"\n'


def test_ntpdig(wrapped, ntp):
    said = json.loads(wrapped.run(["ntpdig", "-j", "-t", "60", ntp.host]).stdout)
    assert abs(said["offset"] - 100) < 10, said


def test_http3(wrapped, http3, tmp_path):
    wrapped.run(["gtlsclient", "-q", "--exit-on-all-streams-close", "--handshake-timeout=60s", f"--download={tmp_path}", http3.host,
                 str(http3.port), http3.url("blob")])
    assert (tmp_path / "blob").read_bytes() == payload.octets(1_000_000, "http3")


def test_dtls(wrapped, dtls):
    done = wrapped.run(["gnutls-cli", "--udp", "--logfile=/dev/null", f"--x509cafile={dtls.ca}", f"--port={dtls.port}", dtls.host],
                       input=b"a line\n")
    assert b"a line\n" in done.stdout


def test_coap(wrapped, coap):
    assert b"libcoap" in wrapped.run(["coap-client-notls", "-B", "60", coap.url()]).stdout


# TFTP answers from another port than was asked.


def test_curl_tftp(wrapped, dnsmasq):
    assert wrapped.run(["curl", "-sS", f"tftp://{dnsmasq.host}/blob"]).stdout == payload.octets(300_000, "tftp")


def test_tftp(wrapped, dnsmasq, tmp_path):
    wrapped.run(["tftp", "-m", "binary", dnsmasq.host, "-c", "get", "blob", str(tmp_path / "blob")])
    assert (tmp_path / "blob").read_bytes() == payload.octets(300_000, "tftp")
