"""The command line: --check, --print-config, precedence, configuration errors, exit statuses (interface.md)."""

import os
import shutil
import subprocess

import pytest

from support.process import free_port
from support.runner import program
from support.servers import KINDS, Tls, built

TRUE = shutil.which("true")


@pytest.mark.parametrize("level", ["integrity", "confidentiality"])
def test_check(server, socksify, realm, level):
    """By name, because MIT knows no realm for a numeric host and leaves it empty."""
    done = socksify.launcher("--check", server=f"localhost:{server.port}", level=level)
    assert done.returncode == 0, done.stderr
    for line in ("method: gssapi", f"client principal: alice@{realm.name}", f"server principal: socks/localhost@{realm.name}",
                 f"protection: {level}"):
        assert line in done.stdout, done.stdout
    assert "mechanism:" in done.stdout


def test_check_says_what_to_do(server, socksify, realm):
    done = socksify.launcher("--check", server=server, env=realm.no_ticket_env())
    assert done.returncode != 0
    assert "kinit" in done.stdout + done.stderr


def test_check_server_down(socksify):
    address = f"127.0.0.1:{free_port()}"
    done = socksify.launcher("--check", server=address)
    assert done.returncode != 0 and address in done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_check_ssl(start_server, socksify, pki, kind, version):
    """Version, cipher, chain, resumption and options, as they came about."""
    priority = {"1.2": "NORMAL:-VERS-TLS1.3", "1.3": "NORMAL"}[version]
    server = start_server(kind, methods="ssl", tls=Tls(pki, subauth="userpass"), user="alice:wonderland")
    done = socksify.launcher("--check", "--tls-priority", priority, server=server, env={
        "SOCKSIFY_SUBAUTH": "userpass", "SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "wonderland"})
    assert done.returncode == 0 and done.stderr == "", done
    for line in ("method: ssl", "client principal: alice", f"tls version: TLS {version}", "options: subauthentication",
                 "subauthentication: userpass", "resumed: yes"):
        assert line in done.stdout.splitlines(), done.stdout
    for begin in ("cipher: ", "certificate: ", "times: "):
        assert any(line.startswith(begin) for line in done.stdout.splitlines()), done.stdout
    assert "localhost" in done.stdout and "wonderland" not in done.stdout


@pytest.mark.parametrize("cert, words", [("expired", ["expired"]), ("wrong-name", ["name"]), ("other-server", ["issue", "--tls-ca"])])
def test_check_ssl_says_what_is_wrong(start_server, socksify, pki, cert, words):
    server = start_server("socksd-gss", methods="ssl", tls=Tls(pki, cert=cert))
    done = socksify.launcher("--check", server=server)
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_check_level_refused(start_server, socksify, kind):
    done = socksify.launcher("--check", server=start_server(kind, levels="integrity"))
    assert done.returncode != 0 and (done.stdout + done.stderr).strip()


def test_exit_statuses(independent, socksify, tmp_path):
    assert socksify.run(independent, ["sh", "-c", "exit 7"]).returncode == 7
    assert socksify.run(independent, [tmp_path / "nothing-here"]).returncode == 127
    assert socksify.run(independent, ["no-such-command-anywhere"]).returncode == 127
    plain = tmp_path / "plain"
    plain.write_text("not a program\n")
    assert socksify.run(independent, [plain]).returncode == 126
    assert socksify.run(independent, [tmp_path]).returncode == 126
    for bad in (["--no-such-option", TRUE], ["--protection", "none", TRUE], ["--methods", "kerberos", TRUE], []):
        done = socksify.launcher(*bad, server=independent)
        assert done.returncode == 125 and done.stderr.strip(), (bad, done)


def test_killed_by_a_signal(independent, socksify):
    """The launcher execs, so the shell sees what happened to the command itself."""
    assert socksify.run(independent, ["sh", "-c", "kill -TERM $$"]).returncode == -15


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a program another user's")
def test_set_user_id_is_refused(independent, socksify, tmp_path):
    copy = tmp_path / "setuid"
    shutil.copy(TRUE, copy)
    os.chown(copy, 65534, 65534)
    copy.chmod(0o4755)
    if os.statvfs(copy).f_flag & os.ST_NOSUID:
        pytest.skip("set-user-ID means nothing on this file system")
    done = socksify.run(independent, [copy])
    assert done.returncode == 126 and len(done.stderr.splitlines()) == 1, done


@pytest.mark.skipif(not shutil.which("cc"), reason="no compiler")
def test_static_program_is_refused(independent, socksify, tmp_path):
    source = tmp_path / "static.c"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run(["cc", "-static", "-o", str(tmp_path / "static"), str(source)], check=True)
    done = socksify.run(independent, [tmp_path / "static"])
    assert done.returncode == 126 and len(done.stderr.splitlines()) == 1, done


def test_existing_preload_is_kept(independent, socksify):
    libm = subprocess.run(["sh", "-c", "ldconfig -p 2>/dev/null | sed -n 's/.*libm\\.so\\.6 .*=> //p' | head -1"],
                          capture_output=True, text=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}, check=True)
    libm = libm.stdout.strip()
    done = socksify.run(independent, ["sh", "-c", 'cat /proc/$$/maps; echo "$LD_PRELOAD"'], env={"LD_PRELOAD": libm})
    assert b"libm.so" in done.stdout and b"libsocksify-gss.so" in done.stdout
    assert libm.encode() in done.stdout.splitlines()[-1]


def test_found_through_a_symbolic_link(independent, socksify, tmp_path):
    """Programs find their parts relative to themselves, whatever name they were called by."""
    link = tmp_path / "anywhere"
    link.symlink_to(built("socksify-gss"))
    done = subprocess.run([link, TRUE], env=socksify.env(independent), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_arguments_pass_untouched(independent, socksify):
    done = socksify.run(independent, ["printf", "%s|", "-s", "--", "a b", "", "*"])
    assert done.stdout == b"-s|--|a b||*|"
    done = socksify.launcher("printf", "%s|", "--server", "x", server=independent)  # no `--` needed: options end at the command
    assert done.stdout == "--server|x|"


def test_help_and_version(socksify):
    for option in ("--help", "-h", "--version", "-V"):
        done = socksify.launcher(option)
        assert done.returncode == 0 and done.stdout and not done.stderr, option
    assert "--protection" in socksify.launcher("--help").stdout


def config_file(socksify, text, name="config"):
    path = socksify.home / name
    path.write_text(text)
    return path


def setting(done, key):
    """The line of --print-config that speaks of `key`."""
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.split("=")[0].strip(" #") == key]
    assert len(lines) == 1, done.stdout
    return lines[0]


def test_print_config_precedence(socksify):
    """Option, variable, file, generic variable, default; and where each came from."""
    path = config_file(socksify, "server = from-file.test:1\n# comment\n\nprotection = integrity\ntimeout = 7\n")
    generic = {"SOCKS5_SERVER": "generic.test:2", "SOCKSIFY_PROTECTION": None}
    assert "generic.test" in setting(socksify.launcher("--print-config", env=generic), "server")
    done = socksify.launcher("-c", path, "--print-config", env=generic)
    assert "from-file.test" in setting(done, "server")
    assert "integrity" in setting(done, "protection") and "7" in setting(done, "timeout")
    assert str(path) in done.stdout
    done = socksify.launcher("-c", path, "--print-config", env=generic | {"SOCKSIFY_SERVER": "variable.test:3"})
    assert "variable.test" in setting(done, "server") and "SOCKSIFY_SERVER" in done.stdout
    done = socksify.launcher("-c", path, "-s", "option.test:4", "--print-config", env={"SOCKSIFY_SERVER": "variable.test:3"})
    assert "option.test" in setting(done, "server")


@pytest.mark.parametrize("variable, value", [("ALL_PROXY", "socks5h://all.test:5"), ("all_proxy", "socks5://all.test:5"),
                                             ("SOCKS_SERVER", "all.test:5"), ("SOCKS5_SERVER", "all.test:5")])
def test_generic_variables(socksify, variable, value):
    assert "all.test" in setting(socksify.launcher("--print-config", env={variable: value}), "server")


def test_print_config_hides_secrets(socksify):
    done = socksify.launcher("--print-config", server="proxy.test",
                             env={"SOCKSIFY_PASSWORD": "open-sesame", "SOCKSIFY_USER": "alice", "SOCKSIFY_METHODS": "userpass"})
    assert done.returncode == 0 and "open-sesame" not in done.stdout + done.stderr and "alice" in done.stdout


def test_configuration_from_the_home_directory(socksify):
    (socksify.home / "config" / "socksify-gss").mkdir(parents=True)
    config_file(socksify, "server = home.test\n", "config/socksify-gss/config")
    assert "home.test" in setting(socksify.launcher("--print-config"), "server")


@pytest.mark.parametrize("text, line", [
    ("server = a.test\nno-such-key = 1\n", 2),
    ("protection = strong\n", 1),
    ("# fine\n\ntimeout = soon\n", 3),
    ("server\n", 1),
    ("methods = gssapi, magic\n", 1),
    ("bypass = 10.0.0.0/99\n", 1),
    ("server = host:99999\n", 1),
])
def test_configuration_errors_name_file_and_line(socksify, text, line):
    path = config_file(socksify, text)
    env = {"SOCKSIFY_PROTECTION": None, "SOCKSIFY_BYPASS": None}
    done = socksify.launcher("-c", path, TRUE, env=env)
    assert done.returncode == 125, done
    assert f"{path}:{line}" in done.stderr, done.stderr


def test_missing_configuration_file(socksify, tmp_path):
    done = socksify.launcher("-c", tmp_path / "absent", TRUE, server="proxy.test")
    assert done.returncode == 125 and str(tmp_path / "absent") in done.stderr


def test_password_file_others_can_read(start_server, origin, socksify, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wonderland\nsecond line\n")
    for kind in KINDS:
        server = start_server(kind, methods="userpass", user="alice:wonderland")
        arguments = ["--methods", "userpass", "--user", "alice", "--password-file", str(secret)]
        argv = program("connect", "127.0.0.1", origin.ports["echo"])
        secret.chmod(0o600)
        assert b'"error": null' in socksify.run(server, argv, options=arguments).stdout
        secret.chmod(0o644)
        done = socksify.run(server, argv, options=arguments)
        assert done.returncode == 125 and str(secret) in done.stderr, done


def test_wrong_password(start_server, origin, socksify):
    for kind in KINDS:
        server = start_server(kind, methods="userpass", user="alice:wonderland")
        env = {"SOCKSIFY_METHODS": "userpass", "SOCKSIFY_USER": "alice", "SOCKSIFY_PASSWORD": "looking-glass"}
        done = socksify.run(server, program("connect", "127.0.0.1", origin.ports["echo"]), env=env)
        assert b'"error": "EACCES"' in done.stdout, done
        assert len(done.stderr.splitlines()) == 1 and "looking-glass" not in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_method_none(start_server, origin, socksify, kind):
    server = start_server(kind, methods="none")
    done = socksify.run(server, program("half_close", server.target, origin.ports["echo"], 200_000),
                        env={"SOCKSIFY_METHODS": "none"})
    assert b'"octets": 200000' in done.stdout, done


def test_whole_principal(independent, origin, socksify, realm):
    mark = independent.mark()
    done = socksify.run(independent, program("connect", "127.0.0.1", origin.ports["echo"]),
                        options=["--gss-service", f"rcmd/localhost@{realm.name}"])
    assert b'"error": null' in done.stdout, done
    assert independent.since(mark, "context")[-1]["service"] == f"rcmd/localhost@{realm.name}"


def test_services_are_tried_in_order(independent, origin, socksify):
    mark = independent.mark()
    done = socksify.run(independent, program("connect", "127.0.0.1", origin.ports["echo"]),
                        options=["--gss-service", "nosuch,rcmd"])
    assert b'"error": null' in done.stdout, done
    assert independent.await_event("context", mark)["service"].startswith("rcmd/")
    assert done.stderr == ""


@pytest.mark.parametrize("delegate, expected", [("always", True), ("never", False), ("policy", False)])
def test_delegation(independent, origin, socksify, realm, tmp_path, delegate, expected):
    env = realm.kinit("alice", ccache=tmp_path / "forwardable", options=("-f",))
    mark = independent.mark()
    socksify.run(independent, program("connect", "127.0.0.1", origin.ports["echo"]), env=env,
                 options=["--gss-delegate", delegate])
    assert independent.await_event("context", mark)["delegated"] is expected
