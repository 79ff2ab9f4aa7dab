"""Style sheet, script, icons and fonts: read once, kept in memory, named by their content, cached for a year."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

STATIC_DIR = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
CACHE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it is served. ``zipped`` is None where compressing gains nothing."""

    path: str
    media_type: str
    body: bytes
    zipped: bytes | None


class Assets:
    """All static files of a folder by their hashed path, and their addresses by plain name."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        self._addresses: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        # Style sheets last: they name the others.
        for path in sorted(folder.rglob("*"), key=lambda p: (p.suffix == ".css", p)):
            if path.suffix in TYPES:
                self._add(path.relative_to(folder).as_posix(), path.read_bytes())

    def url(self, name: str) -> str:
        """Return the address of a file, e.g. ``app.css``; raises KeyError for one that does not exist."""
        return self._addresses[name]

    def get(self, path: str) -> Asset | None:
        """Return the file served under ``/static/<path>``."""
        return self._files.get(path)

    def _add(self, name: str, body: bytes) -> None:
        if name.endswith(".css"):
            body = re.sub(rb'url\("([^"]+)"\)', self._with_address, body)
        plain = PurePosixPath(name)
        hashed = plain.with_name(f"{plain.stem}.{hashlib.sha256(body).hexdigest()[:10]}{plain.suffix}").as_posix()
        packed = gzip.compress(body, mtime=0)
        zipped = packed if len(packed) < 0.9 * len(body) else None
        self._files[hashed] = Asset(hashed, TYPES[plain.suffix], body, zipped)
        self._addresses[name] = f"/static/{hashed}"

    def _with_address(self, found: re.Match[bytes]) -> bytes:
        return f'url("{self._addresses[found[1].decode()]}")'.encode()


@cache
def assets() -> Assets:
    """Return the project's own files."""
    return Assets()
