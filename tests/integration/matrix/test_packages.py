"""Package managers, against repositories made here."""

import hashlib
import subprocess
import zipfile

from support import payload

CONTROL = "Package: matrix-test\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@t>\nDescription: one file\n"


def repository(root, scratch):
    """A flat apt repository below `root` with one package in it, whose file is 2 MB."""
    tree = scratch / "package"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(CONTROL)
    payload.write_file(tree / "content", 2_000_000, "apt")
    root.mkdir(exist_ok=True)
    package = root / "matrix-test_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, package], check=True, capture_output=True)
    content = package.read_bytes()
    packages = (f"{CONTROL}Filename: ./{package.name}\nSize: {len(content)}\n"
                f"SHA256: {hashlib.sha256(content).hexdigest()}\n")
    (root / "Packages").write_text(packages)
    digest = hashlib.sha256(packages.encode()).hexdigest()
    (root / "Release").write_text(f"Suite: matrix\nSHA256:\n {digest} {len(packages)} Packages\n")
    return content


def test_apt(wrapped, web, tmp_path):
    content = repository(web.files / "apt", tmp_path)
    for directory in ("state/lists/partial", "cache/archives/partial", "etc/apt/preferences.d"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "sources").write_text(f"deb [trusted=yes] {web.url('apt')} ./\n")
    (tmp_path / "status").touch()
    # The sandbox's user could not read the ticket.
    options = {"Dir::Etc": tmp_path / "etc/apt", "Dir::Etc::SourceList": tmp_path / "sources",
               "Dir::State": tmp_path / "state", "Dir::State::Status": tmp_path / "status", "Dir::Cache": tmp_path / "cache", "Dir::Log": tmp_path,
               "APT::Sandbox::User": "root", "Acquire::Retries": "0", "Acquire::http::Timeout": "120"}
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    env = {"APT_CONFIG": "/dev/null"}
    wrapped.run([*apt, "update", "--error-on=any"], env=env, cwd=tmp_path)
    wrapped.run([*apt, "-y", "--download-only", "install", "matrix-test"], env=env, cwd=tmp_path)
    assert (tmp_path / "cache/archives/matrix-test_1.0_all.deb").read_bytes() == content


def test_pip(wrapped, web, tmp_path):
    index = web.files / "simple" / "matrix-test"
    index.mkdir(parents=True, exist_ok=True)
    wheel = index / "matrix_test-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("matrix_test.bin", payload.octets(1_000_000, "pip"))
        for name, text in (("METADATA", "Metadata-Version: 2.1\nName: matrix-test\nVersion: 1.0\n"),
                           ("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"), ("RECORD", "")):
            archive.writestr(f"matrix_test-1.0.dist-info/{name}", text)
    target = tmp_path / "target"
    wrapped.run(["/usr/bin/python3", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "-q",
                 "--timeout", "60", "--no-cache-dir", "--root-user-action=ignore", "--target", target, "--trusted-host", web.host,
                 "--index-url", web.url("simple"), "matrix-test"])
    assert (target / "matrix_test.bin").read_bytes() == payload.octets(1_000_000, "pip")
