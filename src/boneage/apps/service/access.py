"""Access: the names and the SHA-256 of bearer tokens, never the tokens themselves."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from boneage.apps.service.settings import ServiceError

TOKEN_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LINE = re.compile(rf"({NAME.pattern})\s+([0-9a-f]{{64}})")
LINES_A_MINUTE = 10


class Tokens(dict[str, str]):
    """The tokens that give access: the SHA-256 of each, in hexadecimal, by its name."""

    def name_of(self, token: str) -> str | None:
        """The name of a token, or None; in constant time."""
        given = digest_of(token)
        found = [name for name, digest in self.items() if hmac.compare_digest(digest, given)]
        return found[-1] if found else None


def read_tokens(path: Path) -> Tokens:
    """Read a file of tokens: on each line a name and a SHA-256; # begins a comment.

    Raises a `ServiceError` when it cannot be read, contains no token, or has an invalid line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise ServiceError(f"the tokens {str(path)!r} cannot be read: {error}") from error
    digests = Tokens()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = LINE.fullmatch(text)
        if match is None:  # not quoted: it may be a token
            raise ServiceError(
                f"line {number} of {str(path)!r} is not a name and a SHA-256; "
                "make one with 'boneage token NAME'"
            )
        if match[1] in digests:
            raise ServiceError(f"line {number} of {str(path)!r} names {match[1]!r} again")
        digests[match[1]] = match[2]
    if not digests:
        raise ServiceError(f"{str(path)!r} contains no token; make one with 'boneage token NAME'")
    return digests


def new_token(name: str) -> tuple[str, str]:
    """Make a token, to be shown once, and its line; a `ServiceError` for an invalid name."""
    if not NAME.fullmatch(name):
        raise ServiceError(
            f"{name!r} is not a name for a token; give up to 64 letters, digits, dots, hyphens"
            " and underscores"
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, f"{name} {digest_of(token)}"


def add_token(path: Path, name: str) -> str:
    """Make a token, and add its line to a file that only its owner may read.

    Raises a `ServiceError` when the name is invalid or in use, or the file cannot be written.
    """
    token, line = new_token(name)
    if path.exists() and path.stat().st_size and name in read_tokens(path):
        raise ServiceError(f"{str(path)!r} already has a token {name!r}; remove its line first")
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "a", encoding="utf-8") as lines:
            lines.write(f"{line}\n")
    except OSError as error:
        raise ServiceError(f"the tokens {str(path)!r} cannot be written: {error}") from error
    return token


def digest_of(token: str) -> str:
    """The SHA-256 of a token, which is long and random: no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class UnauthenticatedThrottle:
    """Limits how often requests without a valid token are logged, so that the disk does not fill.

    At most ``a_minute`` lines a minute; further requests are counted in the next line. The
    clock is monotonic, in seconds.
    """

    def __init__(
        self, a_minute: int = LINES_A_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.a_minute, self._clock = a_minute, clock
        self._since, self._written, self._unwritten = clock(), 0, 0

    def to_be_logged(self) -> int:
        """Count a request; give the number to be logged now, 0 for no line."""
        now = self._clock()
        if now - self._since >= 60:
            self._since, self._written = now, 0
        self._unwritten += 1
        if self._written >= self.a_minute:
            return 0
        times, self._unwritten = self._unwritten, 0
        self._written += 1
        return times
