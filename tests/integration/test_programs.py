"""Everyday programs through both servers: git, ssh, scp, urllib, asyncio, threads, redis (issue 2, done when 4)."""

import json
import os
import pwd
import shutil
import subprocess

import pytest

from support import payload
from support.process import Service, await_port, free_port, stop
from support.runner import program
from support.servers import PYTHON, TESTS, base_env
from support.sshd import Sshd


def succeed(done):
    assert done.returncode == 0, (done.args, done.stdout[-500:], done.stderr[-2000:])
    return done


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    if "nologin" in pwd.getpwuid(os.geteuid()).pw_shell:
        pytest.skip("this user cannot log in")
    with Sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def git_server(tmp_path):
    """A bare repository with 5 MB in it, smart and dumb protocol."""
    root = tmp_path / "repositories"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    env = base_env({"HOME": str(tmp_path)})

    def run(*argv, cwd):
        subprocess.run([*git, *argv], cwd=cwd, env=env, check=True, capture_output=True)

    work = tmp_path / "work"
    work.mkdir()
    root.mkdir()
    run("init", cwd=work)
    payload.write_file(work / "big", 5_000_000, "git")
    run("add", ".", cwd=work)
    run("commit", "-m", "one", cwd=work)
    run("clone", "--bare", str(work), str(root / "a.git"), cwd=tmp_path)
    run("config", "http.receivepack", "true", cwd=root / "a.git")
    run("update-server-info", cwd=root / "a.git")
    with Service([PYTHON, str(TESTS / "support" / "git_http.py"), str(root)], env=env) as running:
        yield running


@pytest.fixture
def redis():
    port = free_port()
    argv = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    await_port("127.0.0.1", port, process)
    yield port
    stop(process)


def test_git_clone_and_push(server, git_server, socksify, tmp_path):
    url = f"http://{server.target}:{git_server.port}/a.git"
    copy = tmp_path / "copy"
    succeed(socksify.run(server, ["git", "clone", "-q", url, copy]))
    assert (copy / "big").read_bytes() == payload.octets(5_000_000, "git")
    payload.write_file(copy / "more", 3_000_000, "push")
    git = ["git", "-C", copy, "-c", "user.name=t", "-c", "user.email=t@t"]
    succeed(socksify.run(server, [*git, "add", "."]))
    succeed(socksify.run(server, [*git, "commit", "-qm", "two"]))
    succeed(socksify.run(server, [*git, "push", "-q", "origin", "HEAD"]))
    head = succeed(socksify.run(server, [*git, "rev-parse", "HEAD"])).stdout
    assert succeed(socksify.run(server, ["git", "ls-remote", url, "HEAD"])).stdout.split()[0] == head.strip()


def test_git_dumb_http(server, git_server, socksify, tmp_path):
    url = f"http://{server.target}:{git_server.port}/a.git"
    succeed(socksify.run(server, ["git", "clone", "-q", url, tmp_path / "dumb"], env={"GIT_SMART_HTTP": "0"}))
    assert (tmp_path / "dumb" / "big").read_bytes() == payload.octets(5_000_000, "git")


def test_ssh(server, sshd, socksify):
    ssh = ["ssh", *sshd.options, "-p", str(sshd.port), f"{sshd.user}@{server.target}"]
    data = payload.octets(5_000_000, "ssh")
    done = succeed(socksify.run(server, [*ssh, "cat"], input=data))
    assert done.stdout == data
    assert socksify.run(server, [*ssh, "exit 42"]).returncode == 42


def test_scp(server, sshd, socksify, tmp_path):
    local = payload.write_file(tmp_path / "local", 5_000_000, "scp")
    scp = ["scp", "-q", *sshd.options, "-P", str(sshd.port)]
    remote = f"{sshd.user}@{server.target}:{tmp_path}"
    succeed(socksify.run(server, [*scp, local, f"{remote}/there"]))
    succeed(socksify.run(server, [*scp, f"{remote}/there", tmp_path / "back"]))
    assert (tmp_path / "back").read_bytes() == payload.octets(5_000_000, "scp")


def test_urllib(server, origin, socksify):
    base = f"http://{server.target}:{origin.ports['http']}"
    done = succeed(socksify.run(server, program("urls", f"{base}/random/3000000/urllib", f"{base}/upload")))
    said = json.loads(done.stdout)
    assert said["octets"] == 3_000_000
    assert said["sha256"] == said["uploaded"] == payload.sha256(3_000_000, "urllib")


def test_asyncio_200_connections(server, origin, socksify):
    done = succeed(socksify.run(server, program("async_many", server.target, origin.ports["echo"], 200, 20_000)))
    assert json.loads(done.stdout) == {"good": 200, "failures": []}
    assert done.stderr == ""


def test_64_threads(server, origin, socksify):
    done = succeed(socksify.run(server, program("threads", server.target, origin.ports["echo"], 64, 200_000)))
    assert json.loads(done.stdout) == {"failures": []}
    assert done.stderr == ""


def test_redis_cli(server, redis, socksify):
    cli = ["redis-cli", "-h", server.target, "-p", str(redis)]
    value = payload.octets(1_000_000, "redis").hex().encode()
    assert succeed(socksify.run(server, [*cli, "-x", "set", "key"], input=value)).stdout.strip() == b"OK"
    assert succeed(socksify.run(server, [*cli, "get", "key"])).stdout.strip() == value
    commands = b"".join(b"SET k%d v%d\r\n" % (n, n) for n in range(20_000))
    done = succeed(socksify.run(server, [*cli, "--pipe", "--pipe-timeout", "0"], input=commands))
    assert b"errors: 0, replies: 20000" in done.stdout
    assert succeed(socksify.run(server, [*cli, "dbsize"])).stdout.split()[-1] == b"20001"


@pytest.mark.skipif(not shutil.which("nc"), reason="no nc")
def test_netcat(server, origin, socksify):
    data = payload.octets(500_000, "nc")
    done = succeed(socksify.run(server, ["nc", "-N", server.target, str(origin.ports["echo"])], input=data))
    assert done.stdout == data
