"""A certificate authority for one test."""

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Authority:
    """Issues NAME.crt and NAME.key into a folder that has its own ca.crt too."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self._openssl("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test CA")

    @property
    def ca_file(self) -> Path:
        """What to trust."""
        return self.directory / "ca.crt"

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a server on 127.0.0.1 or a client."""
        extensions = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
        signer = ("-CA", "ca.crt", "-CAkey", "ca.key", *extensions)
        self._openssl("-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}", *signer)
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", *_KEY, *arguments], cwd=self.directory, check=True, capture_output=True
        )
