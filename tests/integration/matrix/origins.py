"""The servers behind the SOCKS server, each started when first asked for and shared by all tests of a worker."""

import contextlib
import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import payload
from support.fixtures import Origin
from support.process import Service, await_port, stop
from support.servers import PYTHON, TESTS, base_env
from support.sshd import Sshd


@contextlib.contextmanager
def serving(world, argv, port, where="origin", udp=False, **more):
    """`argv` there, from when it accepts at `port`, or has it of UDP, until the end; its output is told if it ends early."""
    address = world.origin_address if where == "origin" else "127.0.0.1"
    settings = {"stdin": subprocess.DEVNULL, "env": base_env({"HOME": "/nonexistent"})} | more
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(world.enter[where](argv), stdout=log, stderr=log, **settings)
        try:
            await_port(address, port, process, probe=(world.udp_prober if udp else world.prober)(where))
            yield process
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(f"{error}: {log.read()[-2000:].decode(errors='replace')}") from None
        finally:
            stop(process)


class Named:
    """A server at `host`:`port`, as the client names it."""

    def __init__(self, world, port, scheme="http", **more):
        self.host, self.port, self.scheme = world.origin, port, scheme
        self.address = f"{self.host}:{port}"
        vars(self).update(more)

    def url(self, path=""):
        return f"{self.scheme}://{self.address}/{path}"

    def random(self, size, seed):
        """Of the HTTP origin: `size` octets of the stream `seed`."""
        return self.url(f"random/{size}/{seed}")


@pytest.fixture
def blob(tmp_path):
    """A file of 3 MB that no codec makes smaller."""
    path = payload.write_file(tmp_path / "blob", 3_000_000, "blob")
    return path


BLOB = payload.octets(3_000_000, "blob")
BLOB_SHA256 = payload.sha256(3_000_000, "blob")


@pytest.fixture(scope="session")
def services(world):
    """The origin's small services: ports by name."""
    with Origin(world.origin_address, world.enter["origin"]) as running:
        yield {name: Named(world, port) for name, port in running.ports.items() if name != "event"}


@pytest.fixture(scope="session")
def http(services):
    return services["http"]


@pytest.fixture(scope="session")
def echo(services):
    return services["echo"]


NGINX = """\
daemon off; worker_processes 2; {env} pid {dir}/pid; error_log stderr warn; {user}
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 0; include /etc/nginx/mime.types;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  {servers}
}}
"""
NGINX_ORIGIN = """\
  server {{
    listen {address}:{http}; listen {address}:{https} ssl http2;
    ssl_certificate {dir}/certificate; ssl_certificate_key {dir}/key;
    root {dir}/files; autoindex on;
    location /random/ {{ proxy_pass http://{origin}; }}
    location /upload {{ proxy_pass http://{origin}; }}
  }}
"""


def nginx(directory, servers):
    """argv of an nginx that writes below `directory` alone."""
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    # nginx gives its workers no variables but those it is told of.
    env = " ".join(f"env {name};" for name in ("KRB5_CONFIG", "KRB5CCNAME", "KRB5RCACHEDIR"))
    (directory / "nginx.conf").write_text(NGINX.format(dir=directory, env=env, user=user, servers=servers))
    return ["nginx", "-c", directory / "nginx.conf", "-p", directory, "-e", "stderr"]


@pytest.fixture(scope="session")
def web(world, http, tmp_path_factory):
    """nginx: `url` for HTTP, `tls` for HTTPS with HTTP/2, verified by `ca`; what is put below `files` is served."""
    directory = tmp_path_factory.mktemp("web")
    (directory / "files").mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", directory / "key", "-out", directory / "certificate", "-subj", f"/CN={world.origin}",
                    "-addext", f"subjectAltName=DNS:{world.origin}"], check=True, capture_output=True)
    plain, tls = world.port(), world.port()
    servers = NGINX_ORIGIN.format(dir=directory, address=world.origin_address, http=plain, https=tls,
                                  origin=f"{world.origin_address}:{http.port}")
    with serving(world, nginx(directory, servers), tls):
        yield Named(world, plain, files=directory / "files", ca=directory / "certificate",
                    tls=Named(world, tls, "https"))


@pytest.fixture(scope="session")
def ftp(world, tmp_path_factory):
    root, port = tmp_path_factory.mktemp("ftp"), world.port()
    payload.write_file(root / "blob", 3_000_000, "blob")
    argv = [PYTHON, "-m", "pyftpdlib", "-i", world.origin_address, "-p", str(port), "-w", "-d", root]
    with serving(world, argv, port):
        yield Named(world, port, "ftp", root=root)


GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "safe.directory=*"]


def git_repository(directory):
    """A bare repository `directory`/a.git with the blob in it."""
    env = base_env({"HOME": str(directory)})
    script = ('git init -q work; cp blob work/blob; git -C work add .; '
              'git -C work -c user.name=t -c user.email=t@t commit -qm one; git clone -q --bare work a.git; git -C a.git config http.receivepack true; '
              'git -C a.git config daemon.receivepack true')
    payload.write_file(directory / "blob", 3_000_000, "blob")
    subprocess.run(["sh", "-ec", script], cwd=directory, env=env, check=True, capture_output=True)
    return directory


@pytest.fixture
def git_http(world, tmp_path_factory):
    root = git_repository(tmp_path_factory.mktemp("git-http"))
    argv = [PYTHON, str(TESTS / "support" / "git_http.py"), str(root), world.origin_address]
    with Service(world.enter["origin"](argv), env=base_env({"HOME": str(root)})) as running:
        yield Named(world, running.port)


@pytest.fixture
def git_daemon(world, tmp_path_factory):
    root, port = git_repository(tmp_path_factory.mktemp("git-daemon")), world.port()
    argv = [*GIT, "daemon", "--export-all", f"--base-path={root}", f"--listen={world.origin_address}", f"--port={port}"]
    with serving(world, argv, port, env=base_env({"HOME": str(root)})):
        yield Named(world, port, "git")


@pytest.fixture(scope="session")
def sshd(world, tmp_path_factory):
    if "nologin" in pwd.getpwuid(os.geteuid()).pw_shell:
        pytest.skip("this user cannot log in")
    directory, enter = tmp_path_factory.mktemp("sshd"), world.enter["origin"]
    with Sshd(directory, world.origin_address, enter, world.prober("origin")) as running:
        running.host = world.origin
        running.login = f"{running.user}@{world.origin}"
        running.ssh = ["ssh", *running.options, "-p", str(running.port)]
        running.command = " ".join(running.ssh)  # for programs that start ssh themselves
        yield running


RSYNCD = """\
use chroot = no
munge symlinks = no
pid file = {dir}/pid
lock file = {dir}/lock
[files]
  path = {dir}/files
  read only = no
  {user}
"""


@pytest.fixture
def rsyncd(world, tmp_path_factory):
    directory, port = tmp_path_factory.mktemp("rsyncd"), world.port()
    (directory / "files").mkdir()
    user = "uid = root\n  gid = root" if os.geteuid() == 0 else ""
    (directory / "conf").write_text(RSYNCD.format(dir=directory, user=user))
    argv = ["rsync", "--daemon", "--no-detach", f"--config={directory}/conf", f"--address={world.origin_address}",
            f"--port={port}"]
    with serving(world, argv, port):
        yield Named(world, port, "rsync", files=directory / "files")


@pytest.fixture(scope="session")
def redis(world, tmp_path_factory):
    port = world.port()
    argv = ["redis-server", "--bind", world.origin_address, "--port", str(port), "--save", "", "--appendonly", "no",
            "--protected-mode", "no", "--dir", tmp_path_factory.mktemp("redis")]
    with serving(world, argv, port):
        yield Named(world, port)


@pytest.fixture(scope="session")
def postgres(world):
    """A cluster of its own; PostgreSQL refuses to be root's."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    directory, port = Path(tempfile.mkdtemp(prefix="postgres-")), world.port()
    try:
        initdb = [programs / "initdb", "-D", directory / "data", "-U", "tester", "-A", "trust", "--no-sync",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        subprocess.run(world.enter["origin"](world.ordinary_user(initdb, directory)), check=True, capture_output=True,
                       env=base_env({}), cwd=directory)
        with open(directory / "data" / "pg_hba.conf", "a", encoding="ascii") as rules:
            rules.write("host all all all trust\n")
        server = [programs / "postgres", "-D", directory / "data", "-p", str(port), "-c",
                  f"listen_addresses={world.origin_address}", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with serving(world, world.ordinary_user(server, directory), port, cwd=directory):
            psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", world.origin, "-p", str(port), "-U", "tester",
                    "postgres"]
            yield Named(world, port, "postgresql", psql=psql)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def iperf(world):
    """For one client: between two it does not listen."""
    port = world.port()
    argv = ["iperf3", "-s", "-1", "--forceflush", "-B", world.origin_address, "-p", str(port)]
    with subprocess.Popen(world.enter["origin"](argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert any("listening" in line for line in server.stdout)
            yield Named(world, port)
        finally:
            stop(server)


@pytest.fixture(scope="session")
def mosquitto(world, tmp_path_factory):
    directory, port = tmp_path_factory.mktemp("mosquitto"), world.port()
    (directory / "conf").write_text(
        f"listener {port} {world.origin_address}\nallow_anonymous true\nuser {getpass.getuser()}\n")
    with serving(world, ["mosquitto", "-c", directory / "conf"], port):
        yield Named(world, port, "mqtt")


@pytest.fixture(scope="session")
def svnserve(world, tmp_path_factory):
    root, port = tmp_path_factory.mktemp("svn"), world.port()
    subprocess.run(["svnadmin", "create", root / "a"], check=True)
    (root / "a" / "conf" / "svnserve.conf").write_text("[general]\nanon-access = write\n")
    argv = ["svnserve", "-d", "--foreground", "-r", root, "--listen-host", world.origin_address,
            "--listen-port", str(port)]
    with serving(world, argv, port):
        yield Named(world, port, "svn")


VSFTPD = """\
listen=YES
listen_address={address}
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
ftp_username={user}
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_other_write_enable=YES
allow_writeable_chroot=YES
secure_chroot_dir={root}/empty
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
connect_from_port_20=NO
# Active transfers alone, to where they are asked for: that is the SOCKS server, by another of its addresses.
pasv_enable=NO
port_promiscuous=YES
"""


@pytest.fixture(scope="session")
def vsftpd(world, tmp_path_factory):
    """An FTP server that connects to its clients, and never the other way round."""
    root, port = tmp_path_factory.mktemp("vsftpd"), world.port()
    payload.write_file(root / "blob", 3_000_000, "blob")
    (root / "empty").mkdir()
    (root / "conf").write_text(VSFTPD.format(address=world.origin_address, port=port, user=getpass.getuser(), root=root))
    with serving(world, ["vsftpd", root / "conf"], port):
        yield Named(world, port, "ftp", root=root)


@pytest.fixture(scope="session")
def udp_echo(world):
    with Service(world.enter["origin"]([PYTHON, str(TESTS / "support" / "udp_origin.py"), "--address",
                                        world.origin_address])) as running:
        yield Named(world, running.port)


@pytest.fixture(scope="session")
def dnsmasq(world, tmp_path_factory):
    """A name server at `port`, and TFTP, which answers from a port of its own for each file."""
    if not world.isolated:
        pytest.skip(f"TFTP has a port of the administrator's: {world.reason}")
    root, port = tmp_path_factory.mktemp("tftp"), world.port()
    os.chmod(root, 0o755)
    payload.write_file(root / "blob", 300_000, "tftp")
    argv = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", f"--port={port}", "--bind-interfaces",
            f"--listen-address={world.origin_address}", "--no-resolv", "--no-hosts", "--pid-file=",
            f"--user={getpass.getuser()}", "--txt-record=text.test.example,a text", "--cache-size=0",
            "--address=/host.test.example/192.0.2.44", "--enable-tftp", f"--tftp-root={root}"]
    with serving(world, argv, port):
        yield Named(world, port, root=root, numeric=world.origin_address)


@pytest.fixture(scope="session")
def ntp(world):
    if not world.isolated:
        pytest.skip(f"NTP has a port of the administrator's: {world.reason}")
    server = [PYTHON, str(TESTS / "support" / "ntp_server.py"), world.origin_address]
    with Service(world.enter["origin"](server)) as running:
        yield Named(world, running.port)


@pytest.fixture(scope="session")
def http3(world, tmp_path_factory):
    """ngtcp2's server: HTTP/3 over QUIC."""
    directory, port = tmp_path_factory.mktemp("http3"), world.port()
    payload.write_file(directory / "blob", 1_000_000, "http3")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", directory / "key",
                    "-out", directory / "certificate", "-subj", f"/CN={world.origin}"], check=True, capture_output=True)
    argv = ["gtlsserver", "-q", "-d", directory, world.origin_address, str(port), directory / "key", directory / "certificate"]
    with serving(world, argv, port, udp=True):
        yield Named(world, port, "https", root=directory)


@pytest.fixture(scope="session")
def dtls(world, tmp_path_factory):
    """GnuTLS's echo over DTLS."""
    directory, port = tmp_path_factory.mktemp("dtls"), world.port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", directory / "key",
                    "-out", directory / "certificate", "-subj", f"/CN={world.origin}",
                    "-addext", f"subjectAltName=DNS:{world.origin}"], check=True, capture_output=True)
    argv = ["gnutls-serv", "--udp", "--echo", "--quiet", f"--port={port}", f"--x509keyfile={directory}/key",
            f"--x509certfile={directory}/certificate"]
    with serving(world, argv, port, udp=True):
        yield Named(world, port, ca=directory / "certificate")


@pytest.fixture(scope="session")
def coap(world):
    port = world.port()
    with serving(world, ["coap-server-notls", "-A", world.origin_address, "-p", str(port)], port, udp=True):
        yield Named(world, port, "coap")
