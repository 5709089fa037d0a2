"""Programs by other allocators, sanitizers and ways to load and find functions: wrapped, or refused."""

import glob
import subprocess

import pytest

from support.runner import PROGRAMS

LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
ALLOCATORS = ("libjemalloc.so.2", "libtcmalloc_minimal.so.4")
BUILDS = {
    "jemalloc": ["-l:libjemalloc.so.2"],
    "tcmalloc": ["-l:libtcmalloc_minimal.so.4"],
    "address": ["-fsanitize=address", "-g"],
    "undefined": ["-fsanitize=undefined", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread", "-g"],
    "leak": ["-fsanitize=leak"],
    "static-libgcc": ["-static-libgcc"],
    "no-pie": ["-no-pie"],
    "fortified": ["-O2", "-D_FORTIFY_SOURCE=2"],
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="module")
def build(directory):
    def compile_(name, source, *flags):
        subprocess.run(["cc", "-pthread", "-o", directory / name, PROGRAMS / source, *flags], check=True)
        return directory / name
    return compile_


@pytest.fixture(scope="module")
def fetch(build):
    return build("fetch", "fetch.c", "-DPROGRAM")


@pytest.fixture(scope="module")
def library(build):
    return build("libfetch.so", "fetch.c", "-shared", "-fPIC")


@pytest.fixture(scope="module")
def load(build):
    return build("load", "load.c")


@pytest.fixture
def where(independent, origin):
    """By a name that only the server can resolve."""
    return independent.target, origin.ports["http"]


def fetched(done, times):
    """`times` pages, and nothing on stderr: no sanitizer complains either."""
    counts = done.stdout.split()
    assert done.returncode == 0 and done.stderr == "", done
    assert len(counts) == times and all(int(count) > 0 for count in counts), done.stdout


@pytest.mark.parametrize("flavour", BUILDS)
def test_built_with(flavour, build, independent, socksify, where):
    fetched(socksify.run(independent, [build(flavour, "fetch.c", "-DPROGRAM", *BUILDS[flavour]), *where]), 4)


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_preloaded_allocator(allocator, fetch, independent, socksify, where):
    assert glob.glob(LIBRARIES + allocator)
    env = {"LD_PRELOAD": LIBRARIES + allocator}
    fetched(socksify.run(independent, [fetch, *where], env=env), 4)
    done = socksify.run(independent, ["curl", "-sS", f"http://{where[0]}:{where[1]}/page"], env=env)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("how", ["next", "libc"])
def test_functions_by_dlsym(how, fetch, independent, socksify, where):
    fetched(socksify.run(independent, [fetch, *where, {"next": 1, "libc": 2}[how]]), 4)


@pytest.mark.parametrize("how", ["dlopen", "deepbind"])
def test_loaded_library(how, load, library, independent, socksify, where):
    fetched(socksify.run(independent, [load, how, library, *where]), 1)


def test_a_namespace_of_its_own_is_refused(load, library, origin, independent, socksify):
    """Its libc would be another one."""
    with origin.untouched("http"):
        done = socksify.run(independent, [load, "dlmopen", library, "127.0.0.1", origin.ports["http"]])
    assert done.returncode == 1 and b"no namespace of its own" in done.stdout and len(done.stderr.splitlines()) == 1


def test_auditing_library(build, fetch, independent, socksify, where, tmp_path):
    source = tmp_path / "audit.c"
    source.write_text("unsigned la_version(unsigned version) { return version; }\n")
    audit = build("libaudit-all.so", source, "-shared", "-fPIC")
    fetched(socksify.run(independent, [fetch, *where], env={"LD_AUDIT": str(audit)}), 4)


def test_what_dlopen_finds_is_its_callers_affair(build, directory, independent, socksify):
    """The RUNPATH of the caller, RTLD_NEXT behind the caller: as without the shim."""
    source = directory / "caller.c"
    source.write_text("""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  void* here = dlopen("libfound.so", RTLD_NOW);
  int (*answer)(void) = here ? (int (*)(void))dlsym(here, "answer") : 0;
  printf("%d %d\\n", answer ? answer() : -1, dlsym(RTLD_NEXT, "main") != 0);
  printf("%s\\n", dlsym(here, "nothing") ? "" : dlerror());
  return 0;
}
""")
    found = directory / "found"
    found.mkdir()
    (found / "answer.c").write_text("int answer(void) { return 42; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", found / "libfound.so", found / "answer.c"], check=True)
    program = build("caller", source, f"-Wl,-rpath,{found}", "-Wl,--enable-new-dtags")
    direct = subprocess.run([program], capture_output=True, check=True)
    done = socksify.run(independent, [program])
    assert direct.stdout.startswith(b"42 0\n") and (done.stdout, done.stderr) == (direct.stdout, "")
