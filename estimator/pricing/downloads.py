"""Polite downloads of AWS's price files: asked for again only if they changed, resumed where they were cut off, and only what was asked for is kept.

Notes
-----
Kept is the extract of a file and not the file: a service's offer has up to hundreds of megabytes, the prices asked for
a few kilobytes. An extract belongs to an address and a key that says what was asked for, so that another question
reads the file anew. Bodies are kept on disk as they came over the wire, since a byte range counts encoded bytes; they
are decompressed while they are read.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import gzip
import hashlib
import os
import re
import ssl
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, NoReturn, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from estimator.errors import PriceListUnavailable
from estimator.units import SECONDS_PER_DAY

ATTEMPTS = 4
#: Wait before the second attempt; it doubles with each one. [s]
BACK_OFF_S = 0.5
#: Longest wait that a server may ask for. [s]
LONGEST_WAIT_S = 30.0
#: What no refresh has used for this long is removed. [days]
KEPT_DAYS = 90
#: How long the beginning of a file is kept for a run that goes on with it. [days]
PART_KEPT_DAYS = 1

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PASSING_STATUSES = (429, 500, 502, 503, 504)
_LATER = "Try again later; the prices known so far stay in use."

T = TypeVar("T")


class NotPublished(PriceListUnavailable):
    """The server has no file at an address."""


class Once(Generic[T]):
    """Values that are made once each, also where several threads ask at the same time; a failure is not tried again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Future[T]] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        """Return the value of a key, made by the first who asks.

        Parameters
        ----------
        key : str
            Name of the value.
        make : callable
            Makes it.

        Returns
        -------
        object
            The value; what making it raised is raised for everybody.
        """
        with self._lock:
            mine = key not in self._made
            future = self._made.setdefault(key, Future())
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return future.result()


class Downloads:
    """Downloads of one refresh, from several threads if need be; a context manager.

    Parameters
    ----------
    folder : pathlib.Path
        Where extracts, and bodies that are not yet whole, are kept.
    sleep : callable
        Waits for some seconds before another attempt.

    Attributes
    ----------
    received_bytes : int
        Bytes of bodies, as they came over the wire. [bytes]
    requests : int
        Requests sent.
    """

    def __init__(self, folder: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self.received_bytes = 0
        self.requests = 0
        self._folder = folder
        self._sleep = sleep
        self._lock = threading.Lock()
        self._url_locks: dict[str, threading.Lock] = {}
        # Eight threads that read large files at a time would need eight times the memory, and be no faster.
        self._readers = threading.BoundedSemaphore(2)
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            verify=_certificates(),
            follow_redirects=True,
            headers={"Accept-Encoding": "gzip", "User-Agent": f"fargate-estimator/{_version()}"},
        )

    def __enter__(self) -> Downloads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and remove what has long been out of use."""
        self._client.close()
        now = time.time()
        for path in self._folder.glob("*"):
            try:
                kept_days = PART_KEPT_DAYS if ".part" in path.name else KEPT_DAYS
                if path.stat().st_mtime < now - kept_days * SECONDS_PER_DAY:
                    path.unlink()
            except OSError:  # another refresh was faster, or the folder is read-only
                continue

    def read(self, url: str, key: str, reader: Callable[[BinaryIO], T], shape: type[T]) -> T:
        """Return what a reader takes from a file; the file is downloaded only if it changed.

        Parameters
        ----------
        url : str
            Address of the file.
        key : str
            What is asked for; an extract is taken only for the same key.
        reader : callable
            Takes from the file, open to read and decompressed, what is asked for. It reads to the end, and raises
            ``ValueError`` or ``msgspec.DecodeError`` if the file is not what it should be.
        shape : type
            Type of what it returns, one that msgspec writes as JSON.

        Returns
        -------
        object
            What the reader returned, now or when the same file was read before.

        Raises
        ------
        NotPublished
            If there is no such file.
        PriceListUnavailable
            If the file cannot be had or read, or the folder cannot be written.
        """
        with self._lock:
            lock = self._url_locks.setdefault(url, threading.Lock())
        try:
            with lock:
                return self._read(url, key, reader, shape)
        except OSError as error:
            raise PriceListUnavailable(
                f"Downloads cannot be kept in {self._folder}: {error.strerror or error}. Free space or the right to write there, "
                "or choose another folder with ESTIMATOR_PRICES_FOLDER."
            ) from error

    def _read(self, url: str, key: str, reader: Callable[[BinaryIO], T], shape: type[T]) -> T:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{_digest(f'{url} {key}')}.json"
        extract = _stored(path, url, key)
        old = _decoded(extract, shape)
        part = _Part(self._folder / f"{_digest(url)}.part")
        headers = self._fetch(url, part, extract if old is not None else None)
        if headers is None:
            part.remove()
            os.utime(path)
            return cast(T, old)
        try:
            with self._readers:
                value = _read_body(url, part, reader)
        finally:
            part.remove()
        _store(path, url, key, headers, msgspec.json.encode(value))
        return value

    def _fetch(self, url: str, part: _Part, extract: _Extract | None) -> httpx.Headers | None:
        """Download a body; None if it is still the one that the extract was taken from."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(url, part, extract)
            except _Passing as trouble:
                if attempt == ATTEMPTS:
                    if part.notes(url)[0] is None:  # no later run can continue it
                        part.remove()
                    raise PriceListUnavailable(f"{trouble}, in {ATTEMPTS} attempts. {_LATER}") from trouble
                wait = max(BACK_OFF_S * 2 ** (attempt - 1), trouble.retry_after_s)
                self._sleep(min(wait, LONGEST_WAIT_S))
        raise AssertionError("unreachable")

    def _ask(self, url: str, part: _Part, extract: _Extract | None) -> httpx.Headers | None:
        notes, size = part.notes(url)
        asked = _conditions(extract) | _range(notes, size)
        with self._lock:
            self.requests += 1
        started = False
        try:
            with self._client.stream("GET", url, headers=asked) as response:
                status = response.status_code
                if status == 304 and extract is not None:
                    return None
                if status == 206 and notes is not None:
                    if not _continues(response, notes, size):
                        part.remove()
                        raise _Passing(f"{url} was continued with other bytes than those asked for")
                elif status == 200:
                    notes, size = part.start(url, response), 0
                else:
                    self._refuse(url, part, response)
                started = True
                self._save(response, part)
                if notes.total not in (None, part.size()):
                    raise _Passing(_cut_off(url, part, notes))
                return response.headers
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise PriceListUnavailable(
                f"{url} is not an address that can be asked: {error}. It must begin with https:// or http://."
            ) from error
        except httpx.TransportError as error:
            if started:
                raise _Passing(_cut_off(url, part, notes)) from error
            host = urlsplit(url).netloc
            raise _Passing(f"{host} cannot be reached for {url} ({error or type(error).__name__})") from error

    def _refuse(self, url: str, part: _Part, response: httpx.Response) -> NoReturn:
        """Raise for an answer without a body of use."""
        status = response.status_code
        if status in _PASSING_STATUSES:
            raise _Passing(f"{url} answered {status}", _retry_after_s(response.headers))
        if status in (206, 416):
            part.remove()
            raise _Passing(f"{url} answered {status} to a request for the rest of the file")
        if status == 404:
            raise NotPublished(f"{url} answered 404: nothing is published there. Check the address or the mirror.")
        if status == 403:
            raise PriceListUnavailable(
                f"{url} answered 403: access denied. Check the address, and that the proxy or the mirror lets it through."
            )
        raise PriceListUnavailable(f"{url} answered {status}; a price file must be answered with 200. {_LATER}")

    def _save(self, response: httpx.Response, part: _Part) -> None:
        with part.body.open("ab") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                with self._lock:
                    self.received_bytes += len(chunk)


def absolute_url(base_url: str, url: str) -> str:
    """Return the whole address of a file that an index names.

    Parameters
    ----------
    base_url : str
        Address of the server or of a mirror, below which the index was read.
    url : str
        The file's address in the index.

    Returns
    -------
    str
        Its address on the same server.

    Raises
    ------
    PriceListUnavailable
        If the index sends to another server: a mirror must be complete.

    Examples
    --------
    >>> absolute_url("https://mirror.example/aws/", "/offers/v1.0/aws/index.json")
    'https://mirror.example/aws/offers/v1.0/aws/index.json'
    """
    base, named = urlsplit(base_url), urlsplit(url)
    if not named.scheme and not named.netloc:
        return f"{base_url.rstrip('/')}/{url.lstrip('/')}"
    if (named.scheme or base.scheme, named.netloc) != (base.scheme, base.netloc):
        raise PriceListUnavailable(
            f"The price index of {base_url} sends to {url}, which is another server. A mirror must hold every file itself."
        )
    return url if named.scheme else f"{base.scheme}:{url}"


class _Passing(Exception):
    """Trouble that may be over at the next attempt; a message without full stop."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class _Extract(msgspec.Struct):
    """What was taken from a file, and which version of the file that was."""

    url: str
    key: str
    etag: str
    last_modified: str
    sha256: str
    value: msgspec.Raw


class _Notes(msgspec.Struct):
    """Of which file a body is the beginning."""

    url: str
    etag: str
    total: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A body that may not be whole yet, with notes beside it if the rest can be asked for."""

    body: Path

    @property
    def _notes_path(self) -> Path:
        return self.body.with_suffix(".part.json")

    def size(self) -> int:
        return self.body.stat().st_size if self.body.exists() else 0

    def notes(self, url: str) -> tuple[_Notes | None, int]:
        """Return the notes and the size of what is there; None and 0 if it cannot be continued."""
        try:
            notes = msgspec.json.decode(self._notes_path.read_bytes(), type=_Notes)
        except (FileNotFoundError, msgspec.DecodeError):
            return None, 0
        size = self.size()
        return (notes, size) if size and notes.url == url else (None, 0)

    def start(self, url: str, response: httpx.Response) -> _Notes:
        """Begin anew; without a strong ETag nothing tells whether a rest belongs to the same file, so no notes are left."""
        self.remove()
        etag = response.headers.get("ETag", "")
        length = response.headers.get("Content-Length", "")
        notes = _Notes(url, etag, int(length) if length.isdecimal() else None)
        if etag.startswith('"'):
            self._notes_path.write_bytes(msgspec.json.encode(notes))
        return notes

    def remove(self) -> None:
        """Remove body and notes, the notes first: a body without them is never continued."""
        self._notes_path.unlink(missing_ok=True)
        self.body.unlink(missing_ok=True)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Load the certificates that are trusted, once in a process: it takes longer than an answer of 304."""
    return httpx.create_ssl_context()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fargate-estimator")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _stored(path: Path, url: str, key: str) -> _Extract | None:
    """Return the extract, unless there is none or it is damaged."""
    try:
        extract = msgspec.json.decode(path.read_bytes(), type=_Extract)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    whole = hashlib.sha256(extract.value).hexdigest() == extract.sha256
    return extract if whole and (extract.url, extract.key) == (url, key) else None


def _decoded(extract: _Extract | None, shape: type[T]) -> T | None:
    try:
        return None if extract is None else msgspec.json.decode(extract.value, type=shape)
    except msgspec.DecodeError:  # written by another release
        return None


def _store(path: Path, url: str, key: str, headers: httpx.Headers, value: bytes) -> None:
    sha256 = hashlib.sha256(value).hexdigest()
    extract = _Extract(url, key, headers.get("ETag", ""), headers.get("Last-Modified", ""), sha256, msgspec.Raw(value))
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(extract))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _conditions(extract: _Extract | None) -> dict[str, str]:
    if extract is None:
        return {}
    conditions = {"If-None-Match": extract.etag, "If-Modified-Since": extract.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _range(notes: _Notes | None, size: int) -> dict[str, str]:
    return {} if notes is None else {"Range": f"bytes={size}-", "If-Range": notes.etag}


def _continues(response: httpx.Response, notes: _Notes, size: int) -> bool:
    """Tell whether a partial answer begins where the body ends, in the same file."""
    named = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if named is None or int(named[1]) != size or response.headers.get("ETag", notes.etag) != notes.etag:
        return False
    return notes.total is None or named[2] in ("*", str(notes.total))


def _cut_off(url: str, part: _Part, notes: _Notes | None) -> str:
    total = "an unknown number of" if notes is None or notes.total is None else f"{notes.total:,}"
    return f"{url} was cut off after {part.size():,} of {total} bytes"


def _retry_after_s(headers: httpx.Headers) -> float:
    """Read how long a server asks to wait: seconds or a date. [s]"""
    named = headers.get("Retry-After", "")
    if named.isdecimal():
        return float(named)
    try:
        return (email.utils.parsedate_to_datetime(named) - dt.datetime.now(dt.UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def _read_body(url: str, part: _Part, reader: Callable[[BinaryIO], T]) -> T:
    try:
        with _open(part.body) as file:
            return reader(file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PriceListUnavailable(f"{url} came as a damaged gzip file ({error}). {_LATER}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise PriceListUnavailable(f"{url} is not the JSON of a price file ({error}). {_LATER}") from error


def _open(path: Path) -> BinaryIO:
    """Open a body, decompressed if its first bytes say gzip: not every server's header does."""
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if compressed else path.open("rb")
