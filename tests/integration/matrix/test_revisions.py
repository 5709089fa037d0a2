"""git over each of its transports, Subversion, Mercurial."""

import pytest

from origins import BLOB, GIT, git_repository, serving
from support import payload


def clone_and_push(wrapped, url, directory, env=None):
    """Clones, checks the blob, pushes another commit, clones again and checks that."""
    copy, again = directory / "copy", directory / "again"
    wrapped.run([*GIT, "clone", "-q", url, copy], env=env)
    assert (copy / "blob").read_bytes() == BLOB
    payload.write_file(copy / "more", 2_000_000, "push")
    for command in (["add", "."], ["commit", "-qm", "two"]):
        wrapped.direct([*GIT, "-C", copy, *command])
    wrapped.run([*GIT, "-C", copy, "push", "-q", "origin", "HEAD"], env=env)
    wrapped.run([*GIT, "clone", "-q", url, again], env=env)
    assert (again / "more").read_bytes() == payload.octets(2_000_000, "push")


@pytest.mark.both_levels
def test_git_over_http(wrapped, git_http, tmp_path):
    clone_and_push(wrapped, git_http.url("a.git"), tmp_path)


def test_git_daemon(wrapped, git_daemon, tmp_path):
    clone_and_push(wrapped, git_daemon.url("a.git"), tmp_path)


def test_git_over_ssh(wrapped, sshd, tmp_path):
    root = tmp_path / "remote"
    root.mkdir()
    url = f"ssh://{sshd.login}{git_repository(root)}/a.git"
    clone_and_push(wrapped, url, tmp_path, {"GIT_SSH_COMMAND": sshd.command})


def test_svn(wrapped, svnserve, blob, tmp_path):
    svn = ["svn", "--non-interactive", "--config-dir", tmp_path / "config"]
    url = svnserve.url(f"a/{tmp_path.name}")
    wrapped.run([*svn, "mkdir", "-q", "-m", "one", url])
    wrapped.run([*svn, "import", "-q", "-m", "two", blob, f"{url}/blob"])
    wrapped.run([*svn, "checkout", "-q", url, tmp_path / "copy"])
    assert (tmp_path / "copy" / "blob").read_bytes() == BLOB


def test_hg(wrapped, world, blob, tmp_path):
    hg = ["hg", "--config", "ui.username=t", "--quiet"]
    remote, port = tmp_path / "remote", world.port()
    wrapped.direct([*hg, "init", remote])
    (remote / "blob").write_bytes(BLOB)
    wrapped.direct([*hg, "-R", remote, "commit", "-A", "-m", "one"])
    serve = ["hg", "-R", remote, "serve", "--address", world.origin_address, "--port", str(port),
             "--config", "web.allow_push=*", "--config", "web.push_ssl=no"]
    with serving(world, serve, port):
        url = f"http://{world.origin}:{port}/"
        wrapped.run([*hg, "clone", url, tmp_path / "copy"])
        assert (tmp_path / "copy" / "blob").read_bytes() == BLOB
        payload.write_file(tmp_path / "copy" / "more", 1_000_000, "hg")
        wrapped.direct([*hg, "-R", tmp_path / "copy", "commit", "-A", "-m", "two"])
        wrapped.run([*hg, "-R", tmp_path / "copy", "push", url])
    more = wrapped.direct([*hg, "-R", remote, "cat", "-r", "tip", remote / "more"])
    assert more.stdout == payload.octets(1_000_000, "hg")
