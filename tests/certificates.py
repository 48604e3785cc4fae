"""Certificates for tests, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of a test's own; NAME.crt and NAME.key lie in its folder."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.own = Certificate(directory / f"{name}.crt", directory / f"{name}.key")
        _openssl("req", "-x509", *_KEY, "-days", "2", *_out(self.own), "-subj", f"/CN={name}")

    def issue(self, name: str, alternative: str = "IP:127.0.0.1", days: int = 2) -> Certificate:
        """A certificate of a name; with `days` below zero it has expired."""
        made = Certificate(self.directory / f"{name}.crt", self.directory / f"{name}.key")
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        _openssl("req", *_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
        extensions.write_text(f"subjectAltName={alternative}\nbasicConstraints=critical,CA:FALSE\n")
        signed_by = ["-CA", self.own.certificate, "-CAkey", self.own.key, "-CAcreateserial"]
        _openssl(
            "x509", "-req", "-in", request, "-out", made.certificate, "-days", days, "-extfile", extensions, *signed_by
        )  # fmt: skip
        return made


def _out(made: Certificate) -> list[Path | str]:
    return ["-keyout", made.key, "-out", made.certificate]


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
