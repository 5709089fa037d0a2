#!/usr/bin/python3
"""A throwaway public-key infrastructure: two authorities that know nothing of each other, and what they have issued.

    pki.py DIRECTORY      writes NAME.pem and NAME.key for every name of ISSUED, ca.pem and other-ca.pem
"""

import datetime
import ipaddress
import os
import sys
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
VALID, EXPIRED, NOT_YET_VALID = (-1, 30), (-30, -1), (30, 60)  # days from now
LOCALHOST = ("localhost", "127.0.0.1", "::1")


class Issued(NamedTuple):
    """A certificate: by whom, what its subject is called, for which names, good from which day to which."""

    ca: str
    subject: str
    names: tuple = ()
    days: tuple = VALID

    @property
    def usage(self):
        return ExtendedKeyUsageOID.SERVER_AUTH if self.names else ExtendedKeyUsageOID.CLIENT_AUTH


ISSUED = {
    "server": Issued("ca", "localhost", LOCALHOST),
    "renewed": Issued("ca", "localhost", LOCALHOST),
    "wrong-name": Issued("ca", "elsewhere.test", ("elsewhere.test", "192.0.2.1")),
    "expired": Issued("ca", "localhost", LOCALHOST, EXPIRED),
    "not-yet-valid": Issued("ca", "localhost", LOCALHOST, NOT_YET_VALID),
    "other-server": Issued("other-ca", "localhost", LOCALHOST),
    "client": Issued("ca", "alice"),
    "other-client": Issued("other-ca", "alice"),
}


class Identity(NamedTuple):
    """A certificate and its key, as files."""

    cert: Path
    key: Path


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _certificate(subject, key, issuer, days, extensions, authority_key):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(authority_key, hashes.SHA256())


class Pki:
    """`pki["server"]` is an Identity; `pki.ca` and `pki.other_ca` are what trusts."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ca, self.other_ca = self._authority("ca"), self._authority("other-ca")
        for name, issued in ISSUED.items():
            self._issue(name, issued)

    def __getitem__(self, name):
        return Identity(self.directory / f"{name}.pem", self.directory / f"{name}.key")

    def _write(self, name, certificate, key):
        self[name].cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        with open(os.open(self[name].key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()))

    def _authority(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
                              key_encipherment=False, data_encipherment=False, key_agreement=False,
                              encipher_only=False, decipher_only=False)
        self._write(name, _certificate(name, key, name, VALID, [
            (x509.BasicConstraints(ca=True, path_length=None), True), (usage, True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)], key), key)
        return self[name].cert

    def _issue(self, name, issued):
        ca, key = self[issued.ca], ec.generate_private_key(ec.SECP256R1())
        authority_key = serialization.load_pem_private_key(ca.key.read_bytes(), None)
        extensions = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([issued.usage]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False)]
        if issued.names:
            names = x509.SubjectAlternativeName([_alternative(name) for name in issued.names])
            extensions.append((names, False))
        self._write(name, _certificate(issued.subject, key, issued.ca, issued.days, extensions, authority_key), key)


if __name__ == "__main__":
    Pki(sys.argv[1])
