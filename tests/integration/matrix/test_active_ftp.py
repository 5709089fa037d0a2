"""Active FTP: the server connects to the client, which listens at the SOCKS server (BIND)."""

import pytest

from origins import BLOB

BIND = {"SOCKSIFY_BIND": "1"}
# curl announces the address of its control connection, not the listener's: it is told where that is seen from outside.
CURL = ["curl", "-sS", "--fail", "--ftp-port"]


@pytest.mark.both_levels
def test_curl(wrapped, vsftpd, blob):
    curl = [*CURL, wrapped.world.proxy_address]
    assert wrapped.run([*curl, vsftpd.url("blob")], env=BIND).stdout == BLOB
    wrapped.run([*curl, "-T", blob, vsftpd.url("from-curl")], env=BIND)
    assert (vsftpd.root / "from-curl").read_bytes() == BLOB


def test_curl_eprt(wrapped, vsftpd):
    """EPRT and PORT, several transfers by one control connection."""
    urls = [vsftpd.url("blob")] * 3
    for way in ("--eprt", "--disable-eprt"):
        assert wrapped.run([*CURL, wrapped.world.proxy_address, way, *urls], env=BIND).stdout == BLOB * 3


def test_lftp(wrapped, vsftpd, blob, tmp_path):
    script = (f"set ftp:passive-mode no; set net:max-retries 1; set xfer:clobber on; open {vsftpd.url()}; "
              f"get blob -o {tmp_path}/back; put {blob} -o from-lftp; bye")
    wrapped.run(["lftp", "--norc", "-c", script], env=BIND)
    assert (tmp_path / "back").read_bytes() == BLOB
    assert (vsftpd.root / "from-lftp").read_bytes() == BLOB


def test_tnftp(wrapped, vsftpd, tmp_path):
    wrapped.run(["tnftp", "-A", "-V", "-o", tmp_path / "back", vsftpd.url("blob")], env=BIND)
    assert (tmp_path / "back").read_bytes() == BLOB
