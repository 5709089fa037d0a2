"""A throwaway sshd, on a loopback port unless told otherwise: its own host key, one client key, nothing outside its directory."""

import getpass
import os
import shutil
import subprocess

from support import namespace
from support.process import accepts, await_port, free_port, stop

CONFIG = """\
ListenAddress {address}:{port}
HostKey {dir}/host_key
PidFile none
AuthorizedKeysFile {dir}/client_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem sftp internal-sftp
"""


class Sshd:
    """`options` are for ssh and scp alike; log in as `user`. `enter` and `probe` are as for Realm."""

    def __init__(self, directory, address="127.0.0.1", enter=list, probe=accepts):
        self.dir = directory
        self.user = getpass.getuser()
        for key in ("host_key", "client_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
        self.port = free_port()
        (directory / "sshd_config").write_text(CONFIG.format(address=address, port=self.port, dir=directory))
        argv = [shutil.which("sshd", path="/usr/sbin:/sbin"), "-D", "-e", "-f", str(directory / "sshd_config")]
        if os.geteuid() == 0 and not os.path.isdir("/run/sshd"):  # root's sshd insists on it; ours alone sees it
            if namespace.available():
                argv = namespace.with_mounts("mount -t tmpfs tmpfs /run; mkdir /run/sshd", argv)
            else:
                os.mkdir("/run/sshd", 0o755)
        with open(directory / "sshd.log", "wb") as log:
            self.process = subprocess.Popen(enter(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        await_port(address, self.port, self.process, probe=probe)
        host_key = (directory / "host_key.pub").read_text()
        (directory / "known_hosts").write_text(f"throwaway {host_key}")
        self.options = [
            "-F", "none", "-i", str(directory / "client_key"), "-o", f"UserKnownHostsFile={directory}/known_hosts",
            "-o", "HostKeyAlias=throwaway", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)
