"""Programs that move files: FTP clients and rsync's own protocol."""

import pytest

from origins import BLOB
from support import payload


def test_curl_ftp(wrapped, ftp, blob):
    curl = ["curl", "-sS", "--fail"]
    assert wrapped.run([*curl, ftp.url("blob")]).stdout == BLOB
    wrapped.run([*curl, "-T", blob, ftp.url("from-curl")])
    assert (ftp.root / "from-curl").read_bytes() == BLOB


def test_wget_ftp(wrapped, ftp):
    assert wrapped.run(["wget", "-q", "-O", "-", ftp.url("blob")]).stdout == BLOB


def test_lftp(wrapped, ftp, blob, tmp_path):
    script = (f"set net:max-retries 1; set xfer:clobber on; open {ftp.url()}; get blob -o {tmp_path}/back; "
              f"put {blob} -o from-lftp; bye")
    wrapped.run(["lftp", "--norc", "-c", script])
    assert (tmp_path / "back").read_bytes() == BLOB
    assert (ftp.root / "from-lftp").read_bytes() == BLOB


@pytest.mark.both_levels
def test_rsync(wrapped, rsyncd, tmp_path):
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    wanted = {f"below/{number}": payload.octets(number * 10_000, number) for number in range(30)} | {"blob": BLOB}
    for name, content in wanted.items():
        (source / name).write_bytes(content)
    rsync = ["rsync", "-a", "--no-owner", "--no-group"]

    def content(root):
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    wrapped.run([*rsync, f"{source}/", rsyncd.url("files/")])
    assert content(rsyncd.files) == wanted
    wrapped.run([*rsync, rsyncd.url("files/"), tmp_path / "back"])
    assert content(tmp_path / "back") == wanted
    # Now the delta algorithm, which speaks in both directions at once.
    changed = BLOB[:1_000_000] + b"something in the middle" + BLOB[1_000_000:]
    (source / "blob").write_bytes(changed)
    wrapped.run([*rsync, "-z", "--checksum", f"{source}/", rsyncd.url("files/")])
    assert (rsyncd.files / "blob").read_bytes() == changed
