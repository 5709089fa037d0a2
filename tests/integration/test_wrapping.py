"""What the launcher hands to a command, and which commands it refuses because the shim would not come along."""

import os
import shutil
import subprocess

import pytest

from support.servers import built

needs_cc = pytest.mark.skipif(not shutil.which("cc"), reason="no compiler")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Directory with a static, a static-pie and a dynamic program."""
    directory = tmp_path_factory.mktemp("programs")
    (directory / "main.c").write_text("int main(void) { return 0; }\n")
    for name, flags in (("static", ["-static"]), ("static-pie", ["-static-pie"]), ("dynamic", [])):
        subprocess.run(["cc", *flags, "-o", directory / name, directory / "main.c"], check=True)
    return directory


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def refused(done):
    assert done.returncode == 126 and done.stdout == b"" and len(done.stderr.splitlines()) == 1, done
    return done.stderr


@needs_cc
@pytest.mark.parametrize("name", ["static", "static-pie"])
def test_static_programs_behind_scripts(socksify, programs, tmp_path, name):
    assert "statically linked" in refused(socksify.run("proxy.test", [programs / name]))
    direct = script(tmp_path / "direct", f"#!{programs / name}\n")
    assert "statically linked" in refused(socksify.run("proxy.test", [direct]))
    nested = script(tmp_path / "nested", f"#!{direct}\n")
    assert "statically linked" in refused(socksify.run("proxy.test", [nested]))
    path = {"PATH": f"{programs}:/usr/bin:/bin"}
    by_env = script(tmp_path / "by-env", f"#!/usr/bin/env {name}\n")
    done = socksify.run("proxy.test", [by_env], env=path)  # refused when env executes it, and env says so too
    assert done.returncode == 126 and "statically linked" in done.stderr.splitlines()[0]
    assert "statically linked" in refused(socksify.run("proxy.test", [name], env=path))
    assert socksify.run("proxy.test", ["dynamic"], env=path).returncode == 0


def test_scripts_that_run(socksify, tmp_path):
    for text, status in (("#!/bin/sh\nexit 3\n", 3), ("#! /bin/sh -e\nfalse\n", 1), ("exit 4\n", 4), ("", 0),
                         ("#!/usr/bin/env -S A=b sh -e\nexit 5\n", 5)):
        done = socksify.run("proxy.test", [script(tmp_path / "script", text)])
        assert (done.returncode, done.stderr) == (status, ""), (text, done)


def test_scripts_that_cannot(socksify, tmp_path):
    assert "/nowhere" in refused(socksify.run("proxy.test", [script(tmp_path / "lost", "#!/nowhere\n")]))
    loop = tmp_path / "loop"
    refused(socksify.run("proxy.test", [script(loop, f"#!{loop}\n")]))
    binary = tmp_path / "binary"
    binary.write_bytes(b"MZ\0\0\x01\x02")
    binary.chmod(0o755)
    assert "neither" in refused(socksify.run("proxy.test", [binary]))


@needs_cc
def test_other_machines(socksify, programs, tmp_path):
    image = bytearray((programs / "dynamic").read_bytes())
    foreign = tmp_path / "foreign"
    image[18] ^= 0xff  # e_machine
    foreign.write_bytes(image)
    foreign.chmod(0o755)
    assert "machine" in refused(socksify.run("proxy.test", [foreign]))
    image[18] ^= 0xff
    image[4] = 1  # ELFCLASS32
    foreign.write_bytes(image)
    refused(socksify.run("proxy.test", [foreign]))
    at = image.index(b"/ld-linux")
    image[4] = 2
    image[at:at + 9] = b"/ld-other"
    foreign.write_bytes(image)
    assert "dynamic linker" in refused(socksify.run("proxy.test", [foreign]))


@needs_cc
def test_truncated_programs(socksify, programs, tmp_path):
    image = (programs / "dynamic").read_bytes()
    cut = tmp_path / "cut"
    for size in (4, 16, 20, 63, 64, 100, 700):
        cut.write_bytes(image[:size])
        cut.chmod(0o755)
        refused(socksify.run("proxy.test", [cut]))


@needs_cc
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_privileged_programs(socksify, programs, tmp_path):
    copy = tmp_path / "copy"
    shutil.copy(programs / "dynamic", copy)
    if os.statvfs(copy).f_flag & os.ST_NOSUID:
        pytest.skip("no set-user-ID files here")
    copy.chmod(0o4755)  # one's own: nothing is gained
    assert socksify.run("proxy.test", [copy]).returncode == 0
    os.chown(copy, 0, 65534)
    copy.chmod(0o2755)
    assert "set-group-ID" in refused(socksify.run("proxy.test", [copy]))
    os.chown(copy, 65534, 65534)
    copy.chmod(0o4755)
    assert "set-user-ID" in refused(socksify.run("proxy.test", [copy]))


def environment(socksify, *options, server=None, env=None):
    done = socksify.launcher(*options, "env", server=server, env=env)
    assert done.returncode == 0, done
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_settings_are_handed_over_in_full(socksify):
    seen = environment(socksify, "-s", "a.test,[::1]:99", "--udp", "block", "-t", "7", "--bind",
                       env={"NO_PROXY": "x.test", "SOCKSIFY_BYPASS": None})
    assert seen["SOCKSIFY_SERVER"] == "a.test:1080,[::1]:99"
    assert (seen["SOCKSIFY_UDP"], seen["SOCKSIFY_TIMEOUT"], seen["SOCKSIFY_BIND"]) == ("block", "7", "1")
    assert seen["SOCKSIFY_BYPASS"] == "x.test,.x.test" and seen["SOCKSIFY_CONFIG"] == ""
    pid, _, random = seen["SOCKSIFY_RUN"].partition(".")
    assert int(pid) and int(random, 16)
    assert seen["SOCKSIFY_RUN"] != environment(socksify, server="a.test")["SOCKSIFY_RUN"]


def test_password_file_is_handed_over_by_name(socksify, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("open-sesame\n")
    secret.chmod(0o600)
    done = subprocess.run([built("socksify-gss"), "-s", "a.test", "-m", "userpass", "-u", "alice", "--password-file", "secret",
                           "env"], cwd=tmp_path, env=socksify.env(), capture_output=True, text=True, check=True)
    assert f"SOCKSIFY_PASSWORD_FILE={secret}\n" in done.stdout and "open-sesame" not in done.stdout


def test_all_proxy_is_not_obeyed_twice(socksify):
    both = {"ALL_PROXY": "socks5h://a.test", "all_proxy": "socks5h://a.test", "HTTP_PROXY": "http://b.test"}
    seen = environment(socksify, env=both)
    assert seen["SOCKSIFY_SERVER"] == "a.test:1080" and seen["HTTP_PROXY"] == "http://b.test"
    assert "ALL_PROXY" not in seen and "all_proxy" not in seen
    assert environment(socksify, server="c.test", env=both)["ALL_PROXY"] == "socks5h://a.test"


def test_nested_runs_preload_once(socksify):
    done = socksify.launcher(built("socksify-gss"), "-t", "9", "env", server="a.test")
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert seen["LD_PRELOAD"].count("libsocksify-gss.so") == 1
    assert (seen["SOCKSIFY_SERVER"], seen["SOCKSIFY_TIMEOUT"]) == ("a.test:1080", "9")


@pytest.mark.parametrize("blank", ["with blank", "with:colon"])
def test_a_place_that_cannot_be_preloaded_from(socksify, tmp_path, blank):
    place = tmp_path / blank
    place.mkdir()
    for part in ("socksify-gss", "libsocksify-gss.so", "libsocksify-gss-core.so"):
        shutil.copy(built(part), place)
    done = subprocess.run([place / "socksify-gss", "true"], env=socksify.env("a.test"), capture_output=True, text=True, check=False)
    assert done.returncode == 125 and "LD_PRELOAD" in done.stderr


def test_missing_parts(socksify, tmp_path):
    shutil.copy(built("socksify-gss"), tmp_path)
    for part in ("libsocksify-gss.so", "libsocksify-gss-core.so"):
        done = subprocess.run([tmp_path / "socksify-gss", "true"], env=socksify.env("a.test"), capture_output=True, text=True,
                              check=False)
        assert done.returncode == 125 and part in done.stderr, done
        shutil.copy(built(part), tmp_path)


def test_no_server(socksify):
    done = socksify.launcher("true")
    assert done.returncode == 125 and "--server" in done.stderr and len(done.stderr.splitlines()) == 1
