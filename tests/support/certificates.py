"""Certificates made with the openssl program, for servers that nobody trusts by default."""
import pathlib
import subprocess


def _openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


class Authority:
    """A certificate authority and what it signs, as files in DIRECTORY."""

    def __init__(self, directory: pathlib.Path, name: str = "ca"):
        self.directory = directory
        self.key = directory / f"{name}.key"
        self.certificate = directory / f"{name}.pem"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test {name}",
                 "-keyout", str(self.key), "-out", str(self.certificate))

    def issue(self, name: str, alt_names: str = "IP:127.0.0.1") -> tuple[pathlib.Path, pathlib.Path]:
        """The certificate and the key for a server or client."""
        key, request = self.directory / f"{name}.key", self.directory / f"{name}.csr"
        certificate, extensions = self.directory / f"{name}.pem", self.directory / f"{name}.ext"
        _openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", str(key),
                 "-out", str(request))
        extensions.write_text(f"subjectAltName={alt_names}\n")
        _openssl("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self.key),
                 "-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(certificate))
        return certificate, key


def sign_rs256(key: pathlib.Path, message: bytes) -> bytes:
    return _openssl("dgst", "-sha256", "-sign", str(key), "-binary", stdin=message)


def certificate_der(certificate: pathlib.Path) -> bytes:
    return _openssl("x509", "-in", str(certificate), "-outform", "DER")
