"""What a wrapped program executes is wrapped, whatever environment it gives, or is not executed (exit status 126, EACCES)."""

import os
import re
import shutil
import subprocess

import pytest

from support.runner import program
from support.servers import built

WAYS = ("execve", "execle", "execl", "execlp", "execv", "execvp", "execvpe", "execveat", "execveat-path", "fexecve", "syscall",
        "posix_spawn", "posix_spawnp", "system", "popen")
BY_SHELL = ("system", "popen")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = 65534


@pytest.fixture
def page(independent, origin):
    """A page of the origin, by a name that only the server can resolve."""
    return f"http://{independent.target}:{origin.ports['http']}/page"


def fetched(done):
    assert done.returncode == 0 and done.stdout, done
    assert done.stderr == "", done.stderr
    return done.stdout


def refused(done, why, status=255):
    """One line says why; programs that report the errno themselves may add theirs."""
    assert done.returncode == status, done
    lines = [line for line in done.stderr.splitlines() if line.startswith("socksify-gss: ")]
    assert len(lines) == 1 and why in lines[0], done.stderr
    return done


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A static and a dynamic program, and a library to preload, which says its name."""
    directory = tmp_path_factory.mktemp("programs")
    (directory / "main.c").write_text("int main(void) { return 0; }\n")
    (directory / "other.c").write_text('const char* other_library(void) { return "other"; }\n')
    for name, flags in (("static", ["-static"]), ("static-pie", ["-static-pie"]), ("dynamic", [])):
        subprocess.run(["cc", *flags, "-o", directory / name, directory / "main.c"], check=True)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", directory / "libother.so", directory / "other.c"], check=True)
    directory.chmod(0o755)
    return directory


@pytest.mark.parametrize("way", WAYS)
def test_with_an_empty_environment(way, independent, socksify, page):
    fetched(socksify.run(independent, program("executes", way, "/usr/bin/curl", "-sS", page)))


@pytest.mark.parametrize("way", WAYS)
def test_with_another_preload(way, independent, socksify, programs):
    """Ours first, and the program's own kept behind it."""
    other = programs / "libother.so"
    seen = fetched(socksify.run(independent, program("executes", f"{way}+LD_PRELOAD={other}", "/usr/bin/env"))).decode()
    assert f"LD_PRELOAD={built('libsocksify-gss.so')}:{other}\n" in seen


def test_real_programs_that_clear_the_environment(independent, socksify, page):
    for argv in (["env", "-i", "/usr/bin/curl", "-sS", page],
                 ["env", "-i", "/bin/sh", "-c", f"exec env -i /usr/bin/curl -sS {page}"],
                 ["sh", "-c", f"unset LD_PRELOAD SOCKSIFY_RUN SOCKSIFY_SERVER KRB5CCNAME; curl -sS {page}"],
                 ["perl", "-e", f"%ENV = (); system('/usr/bin/curl', '-sS', '{page}') == 0 or exit 1"],
                 ["bash", "-c", f"LD_PRELOAD= exec -c /usr/bin/curl -sS {page}"]):
        fetched(socksify.run(independent, argv))


def test_a_cleared_environment_of_its_own(independent, socksify, origin):
    """The settings and the credentials are those of the start, not what is left of the environment when it connects."""
    script = ("import ctypes, sys; ctypes.CDLL(None).clearenv(); sys.path.insert(0, sys.argv[3]); "
              "import runpy; runpy.run_path(sys.argv[3] + '/connect.py')")
    connect = program("connect", independent.target, origin.ports["echo"])
    done = socksify.run(independent, ["python3", "-c", script, *connect[2:], os.path.dirname(connect[1])])
    assert b'"error": null' in done.stdout, done


def test_the_environment_is_as_given_otherwise(independent, socksify, realm):
    """Ours are LD_PRELOAD and SOCKSIFY_*, nothing else; a setting that the program gives is not touched."""
    done = socksify.run(independent, ["env", "-i", "A=b", "SOCKSIFY_TIMEOUT=7", "/usr/bin/env"])
    seen = dict(line.split("=", 1) for line in fetched(done).decode().splitlines())
    assert {name for name in seen if not re.match("SOCKSIFY_|LD_PRELOAD$", name)} == {"A"}
    assert seen["SOCKSIFY_TIMEOUT"] == "7" and seen["SOCKSIFY_SERVER"] == independent.address
    assert seen["SOCKSIFY_KRB5CCNAME"] == realm.env["KRB5CCNAME"]
    kept = fetched(socksify.run(independent, ["env", "/usr/bin/env"]))
    assert b"SOCKSIFY_KRB5CCNAME" not in kept and b"\nKRB5CCNAME=" in b"\n" + kept


def test_more_settings_than_a_page_holds(independent, socksify):
    names = ",".join(f"host{n}.test" for n in range(1000))
    done = socksify.run(independent, ["env", "-i", "env", "-i", "/usr/bin/env"], env={"SOCKSIFY_BYPASS": names})
    assert f"\nSOCKSIFY_BYPASS={names}\n" in "\n" + fetched(done).decode()


def test_names_are_shared_with_such_children(independent, socksify, origin, tmp_path):
    """The parent resolves, the child connects to the address."""
    script = f"""
import socket, subprocess
address = socket.getaddrinfo("{independent.target}", None, socket.AF_INET)[0][4][0]
subprocess.run(["/usr/bin/curl", "-sS", f"http://{{address}}:{origin.ports['http']}/page"], env={{}}, check=True)
"""
    directory = tmp_path / "runtime"
    directory.mkdir(mode=0o700)
    fetched(socksify.run(independent, ["python3", "-c", script], env={"XDG_RUNTIME_DIR": str(directory)}))


@pytest.mark.parametrize("name", ["static", "static-pie"])
@pytest.mark.parametrize("way", [way for way in WAYS if way not in BY_SHELL])
def test_static_children(way, name, socksify, programs):
    done = refused(socksify.run("proxy.test", program("executes", way, programs / name)), "statically linked")
    assert done.stdout == b"EACCES\n"


@pytest.mark.parametrize("way", BY_SHELL)
def test_static_children_of_the_shell(way, socksify, programs):
    refused(socksify.run("proxy.test", program("executes", way, programs / "static")), "statically linked", 126)


def test_static_children_behind_scripts(socksify, programs, tmp_path):
    text = tmp_path / "script"
    text.write_text(f"#!{programs / 'static'}\n")
    text.chmod(0o755)
    for way in ("execve", "execvp", "fexecve", "posix_spawnp"):
        done = refused(socksify.run("proxy.test", program("executes", way, text)), str(programs / "static"))
        assert done.stdout == b"EACCES\n"


@pytest.fixture(scope="module")
def places(programs, tmp_path_factory):
    """Two directories with a program of one name: in the one it is static, in the other it is not."""
    root = tmp_path_factory.mktemp("places")
    for place, kind in (("outside", "static"), ("inside", "dynamic")):
        (root / place / "bin").mkdir(parents=True)
        shutil.copy(programs / kind, root / place / "it")
        shutil.copy(programs / kind, root / place / "bin" / "it")
        (root / place / "text").write_text("#!it\n")
        (root / place / "text").chmod(0o755)
    return root


def spawned(socksify, place, call, file, *steps, **env):
    return socksify.run("proxy.test", program("spawns", call, file, *steps), env=env or None, cwd=place)


@pytest.mark.parametrize("steps", [["chdir=../{}"], ["chdir=..", "chdir={}"], ["chdir={}", "chdir=../{}"], ["fchdir=../{}"],
                                   ["fchdir=..", "chdir={}"], ["dup=..", "chdir=/", "fchdir=../{}"]], ids=" ".join)
def test_spawned_from_another_directory(steps, socksify, places):
    """What counts is the file that is there after the file actions, by whatever name it is found."""
    for here, there in (("inside", "outside"), ("outside", "inside")):
        to = [step.format(places / there if step == "chdir={}" and at == 0 else there) for at, step in enumerate(steps)]
        for call, file, env in (("posix_spawn", "./it", {}), ("posix_spawnp", "bin/it", {}), ("posix_spawn", "text", {}),
                                ("posix_spawn", str(places / here / "text"), {}), ("posix_spawnp", "it", {"PATH": "/nowhere:bin"})):
            done = spawned(socksify, places / here, call, file, *to, **env)
            if there == "inside":
                assert (done.returncode, done.stdout, done.stderr) == (0, b"", ""), (call, file, done)
            else:
                assert refused(done, "statically linked").stdout == b"EACCES\n"


def test_spawned_from_a_directory_that_actions_open(socksify, places):
    """Nobody can tell which it will be: only a program by its whole path is run."""
    for kind in ("open", "dup"):
        for call, file in (("posix_spawn", "./it"), ("posix_spawnp", "it")):
            done = spawned(socksify, places / "inside", call, file, f"{kind}={places / 'inside'}", PATH=".:/usr/bin")
            assert refused(done, "nobody can tell").stdout == b"EACCES\n"
        done = spawned(socksify, places / "outside", "posix_spawn", str(places / "inside" / "it"), f"{kind}={places / 'inside'}")
        assert (done.returncode, done.stderr) == (0, ""), done


def test_spawned_from_nowhere(socksify, places):
    for steps, error in ((["chdir=/nowhere"], b"ENOENT\n"), (["chdir=it"], b"ENOTDIR\n")):
        done = spawned(socksify, places / "outside", "posix_spawn", "./it", *steps)
        assert (done.returncode, done.stdout, done.stderr) == (255, error, ""), done


@pytest.mark.skipif(not shutil.which("busybox"), reason="no busybox")
def test_busybox(socksify):
    refused(socksify.run("proxy.test", ["sh", "-c", "busybox true"]), "statically linked", 126)
    refused(socksify.run("proxy.test", ["xargs", "-a", "/etc/hostname", "busybox", "true"]), "statically linked", 126)


@pytest.mark.parametrize("way", ["execvp", "execvpe", "execlp", "posix_spawnp"])
def test_the_search_is_libcs(way, socksify, programs, tmp_path):
    """Directories, what is not executable and what is missing are passed over; a text without "#!" goes to the shell."""
    program_ = program("executes", way, tmp_path / "command")
    run = lambda: socksify.run("proxy.test", program_)  # noqa: E731
    direct = lambda: subprocess.run(list(map(str, program_)), capture_output=True, check=False)  # noqa: E731
    command = tmp_path / "command"
    for make in (lambda: None, command.mkdir, command.rmdir, lambda: command.write_text("exit 7\n"), lambda: command.chmod(0o755),
                 lambda: command.write_bytes(b"MZ\0\1"), lambda: command.write_text("#!/nowhere\n"),
                 lambda: command.write_text(f"#!{command}\n"), lambda: command.write_bytes(b"\x7fELF"),
                 lambda: shutil.copy(programs / "dynamic", command)):
        make()
        expected, seen = direct(), run()
        assert (seen.returncode, seen.stdout) == (expected.returncode, expected.stdout), (expected, seen)


@needs_root
@pytest.mark.parametrize("mode, user, group", [(0o4755, NOBODY, 0), (0o2755, 0, NOBODY)])
def test_privileged_children(mode, user, group, socksify, programs, tmp_path):
    """Unless the kernel ignores the bits, because of no_new_privs."""
    copy = tmp_path / "copy"
    shutil.copy(programs / "dynamic", copy)
    if os.statvfs(copy).f_flag & os.ST_NOSUID:
        pytest.skip("no set-user-ID files here")
    os.chown(copy, user, group)
    copy.chmod(mode)
    for way in ("execve", "posix_spawn", "execvp"):
        refused(socksify.run("proxy.test", program("executes", way, copy)), "set-user-ID")
    done = socksify.run("proxy.test", ["setpriv", "--no-new-privs", copy])
    assert (done.returncode, done.stderr) == (0, "")
    text = tmp_path / "text"  # the bits of a script mean nothing
    text.write_text("#!/bin/sh\nexit 3\n")
    os.chown(text, user, group)
    text.chmod(mode)
    assert socksify.run("proxy.test", program("executes", "execve", text)).returncode == 3


@needs_root
def test_other_effective_ids(socksify):
    """The kernel sets AT_SECURE for every program that such a process executes, the shell of system() included."""
    for switch in (f"os.setegid({NOBODY})", f"os.seteuid({NOBODY})"):
        for call, status in (("os.execv('/bin/true', ['x'])", 126), ("sys.exit(os.system('true') >> 8)", 127)):
            script = f"import os, sys\n{switch}\ntry: {call}\nexcept PermissionError: sys.exit(126)"
            refused(socksify.run("proxy.test", ["python3", "-c", script]), "other privileges", status)


@needs_root
def test_capabilities(socksify, programs, tmp_path):
    """For others than root."""
    copy = tmp_path / "copy"
    shutil.copy(programs / "dynamic", copy)
    os.setxattr(copy, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))  # cap_net_raw+ep
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    assert socksify.run("proxy.test", [copy]).returncode == 0
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run([*as_nobody, "test", "-r", built("libsocksify-gss.so")], check=False).returncode == 0:
        refused(socksify.run("proxy.test", [*as_nobody, copy]), "file capabilities", 126)


@needs_root
def test_where_the_library_cannot_be_read(socksify, tmp_path):
    """ld.so would go on without it: after chroot, and for users who may not."""
    place = tmp_path / "place"
    place.mkdir()
    for part in ("socksify-gss", "libsocksify-gss.so", "libsocksify-gss-core.so"):
        shutil.copy(built(part), place)
    place.chmod(0o700)
    done = subprocess.run([place / "socksify-gss", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "true"],
                          env=socksify.env("proxy.test"), capture_output=True, text=True, check=False)
    refused(done, "cannot be read", 126)
    jail = tmp_path / "jail"
    jail.mkdir()
    text = "import os, sys\nos.chroot(sys.argv[1])\ntry: os.execv('/dynamic', ['x'])\nexcept PermissionError: sys.exit(126)"
    source = tmp_path / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run(["cc", "-o", jail / "dynamic", source], check=True)
    refused(socksify.run("proxy.test", ["python3", "-c", text, jail]), "cannot be read", 126)


def test_the_reason_goes_to_the_log(socksify, programs, tmp_path):
    log = tmp_path / "log"
    done = socksify.run("proxy.test", ["sh", "-c", str(programs / "static")], options=["--log-file", log])
    assert done.returncode == 126 and "socksify-gss:" not in done.stderr
    assert log.read_text().count("\n") == 1 and "statically linked" in log.read_text()
    done = socksify.run("proxy.test", ["sh", "-c", str(programs / "static")], options=["-q"])
    assert done.returncode == 126 and "socksify-gss:" not in done.stderr


def test_no_children(independent, socksify, origin, programs, page):
    """The command is wrapped, in what it executes in its own place too; other processes' programs are as if unwrapped."""
    quiet = 'grep -c socksify /proc/self/maps; env | grep -c -e SOCKSIFY -e LD_PRELOAD; :'
    options = ["--no-children"]
    fetched(socksify.run(independent, ["env", "curl", "-sS", page], options=options))
    fetched(socksify.run(independent, ["sh", "-c", f"exec curl -sS {page}"], options=options))
    for argv in (["sh", "-c", f"sh -c '{quiet}'"], ["sh", "-c", quiet],
                 ["python3", "-c", f"import subprocess; subprocess.run(['sh', '-c', '{quiet}'])"],
                 ["python3", "-c", f"import os; os.system('{quiet}')"], ["perl", "-e", f"print `{quiet}`"]):
        assert fetched(socksify.run(independent, argv, options=options)) == b"0\n0\n", argv
    assert socksify.run(independent, ["sh", "-c", f"{programs / 'static'}; :"], options=options).stderr == ""
    other = programs / "libother.so"
    done = socksify.run(independent, ["sh", "-c", "sh -c 'echo $LD_PRELOAD'; :"], options=options, env={"LD_PRELOAD": str(other)})
    assert fetched(done).decode().strip() == str(other)
    direct = f"http://127.0.0.1:{origin.ports['http']}/page"
    mark = independent.mark()
    for argv in (["sh", "-c", f"curl -sS {direct}; :"], ["python3", "-c", f"import os; os.system('curl -sS {direct}')"]):
        fetched(socksify.run(independent, argv, options=options))
    assert not independent.since(mark, "session")
