"""What opens a DICOMweb archive: a bearer token, or a user and a password, from a file."""

from __future__ import annotations

from pathlib import Path

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from boneage.apps.dicom_node.dicomweb_answers import ArchiveError


class Bearer(AuthBase):
    """A token, in the header that RFC 6750 says.

    Parameters
    ----------
    token : str
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it to a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def authentication(token_file: Path | None, basic_file: Path | None) -> AuthBase | None:
    """Read what opens an archive.

    Parameters
    ----------
    token_file : Path, optional
        Holds a bearer token.
    basic_file : Path, optional
        Holds ``user:password``.

    Raises
    ------
    ArchiveError
        When a file cannot be read, or does not hold that; its content is not quoted.
    """
    if token_file is not None:
        token = _secret(token_file)
        if not token or any(sign.isspace() for sign in token):
            raise ArchiveError(f"{str(token_file)!r} holds no token, which is one word")
        return Bearer(token)
    if basic_file is not None:
        user, colon, password = _secret(basic_file).partition(":")
        if not colon or not user:
            raise ArchiveError(f"{str(basic_file)!r} holds no user:password")
        return HTTPBasicAuth(user, password)
    return None


def _secret(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError as error:
        raise ArchiveError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise ArchiveError(f"{str(path)!r} holds more than ASCII") from None
