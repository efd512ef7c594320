"""Polite downloads of AWS's price files: asked for again only if they changed, resumed where they were cut off, and only what was asked for is kept.

Notes
-----
Kept is the extract of a file and not the file: a service's offer has up to hundreds of megabytes, the prices asked for
a few kilobytes. An extract belongs to an address and a key that says what was asked for, so that another question
reads the file anew. Bodies are kept on disk as they came over the wire, since a byte range counts encoded bytes; they
are decompressed while they are read.

Several processes may share the folder. Who holds the lock of a body goes on with what an earlier run left of it; any
other has a body of its own and begins at the first byte.
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
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, NoReturn, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

import filelock
import httpx
import msgspec

from estimator.checks import shown
from estimator.errors import PriceListUnavailable, PriceListUnreachable
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
#: Raise it whenever a reader of bulk files, Savings Plan files or the Spot feed takes something else from a file than
#: before: extracts of another number are made anew.
EXTRACT_FORMAT = 2
#: Where proxies are set; each also in small letters.
PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
#: Where trusted certificates are named; the first that is set counts.
_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PASSING_STATUSES = (429, 500, 502, 503, 504)
_LATER = "Try again later; the prices known so far stay in use."

T = TypeVar("T")


class Cancelled(PriceListUnavailable):
    """Somebody asked to stop."""

    def __init__(self) -> None:
        super().__init__("The refresh was stopped.")


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
    sleep : callable, optional
        Waits for some seconds before another attempt; by default until somebody asks to stop.
    cancelled : threading.Event, optional
        Set to stop: waits and downloads end with `Cancelled`, and no request is begun.

    Attributes
    ----------
    received_bytes : int
        Bytes of bodies, as they came over the wire. [bytes]
    requests : int
        Requests sent.
    """

    def __init__(
        self,
        folder: Path,
        sleep: Callable[[float], object] | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self.received_bytes = 0
        self.requests = 0
        self._folder = folder
        self._cancelled = cancelled or threading.Event()
        self._sleep = sleep or self._cancelled.wait
        self._lock = threading.Lock()
        self._url_locks: dict[str, threading.Lock] = {}
        # Eight threads that read large files at a time would need eight times the memory, and be no faster.
        self._readers = threading.BoundedSemaphore(2)
        self._made: httpx.Client | None = None

    def __enter__(self) -> Downloads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and remove what has long been out of use."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()
        now = time.time()
        for path in self._folder.glob("*"):
            try:
                kept_days = PART_KEPT_DAYS if ".part" in path.name else KEPT_DAYS
                if path.suffix != ".lock" and path.stat().st_mtime < now - kept_days * SECONDS_PER_DAY:
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
        PriceListUnreachable
            If nobody can be asked: the host does not answer, the address is none, or the environment's settings for
            proxies or certificates cannot be used.
        Cancelled
            If somebody asked to stop.
        PriceListUnavailable
            If the file cannot be had or read, or the folder cannot be written.
        """
        fault = fault_of_address(url)
        if fault:
            raise PriceListUnreachable(f"{url} is not an address that can be asked: {fault}.")
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
        with _part_of(self._folder, url) as part:
            extract = _stored(path, url, key)
            old = _decoded(extract, shape)
            headers = self._fetch(url, part, extract if old is not None else None)
            if headers is None:
                part.remove()
                with suppress(FileNotFoundError):
                    os.utime(path)
                return cast(T, old)
            try:
                with self._readers:
                    self._go_on()
                    value = _read_body(url, part, reader)
            finally:
                part.remove()
        _store(path, url, key, headers, msgspec.json.encode(value))
        return value

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def _client(self) -> httpx.Client:
        """Return the client, made once; what the environment says of proxies and certificates may be wrong."""
        with self._lock:
            self._go_on()
            if self._made is None:
                self._made = _new_client()
            return self._made

    def _fetch(self, url: str, part: _Part, extract: _Extract | None) -> httpx.Headers | None:
        """Download a body; None if it is still the one that the extract was taken from."""
        for attempt in range(1, ATTEMPTS + 1):
            self._go_on()
            try:
                return self._ask(url, part, extract)
            except _Passing as trouble:
                if attempt == ATTEMPTS:
                    if part.notes(url)[0] is None:  # no later run can continue it
                        part.remove()
                    kind = PriceListUnreachable if trouble.unreachable else PriceListUnavailable
                    raise kind(f"{trouble}, in {ATTEMPTS} attempts. {_LATER}") from trouble
                wait = max(BACK_OFF_S * 2 ** (attempt - 1), trouble.retry_after_s)
                self._sleep(min(wait, LONGEST_WAIT_S))
        raise AssertionError("unreachable")

    def _ask(self, url: str, part: _Part, extract: _Extract | None) -> httpx.Headers | None:
        notes, size = part.notes(url)
        asked = _conditions(extract) | _range(notes, size)
        client = self._client()
        with self._lock:
            self.requests += 1
        started = False
        try:
            with client.stream("GET", url, headers=asked) as response:
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
        except httpx.TooManyRedirects as error:
            raise PriceListUnavailable(
                f"{url} is redirected in a circle. Check the address, and the proxy or the mirror."
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise _lost(url, error) from error
        except httpx.TransportError as error:
            if "location header" in str(error):
                raise _lost(url, error) from error
            if started:
                raise _Passing(_cut_off(url, part, notes)) from error
            # A host that closes the connection was reached.
            unreachable = isinstance(error, httpx.ConnectError | httpx.TimeoutException | httpx.ProxyError)
            host = error.request.url.netloc.decode()  # of a redirection, the one that it leads to
            raise _Passing(f"{host} cannot be reached for {url} ({_plain(error)})", unreachable=unreachable) from error
        except RuntimeError:  # the client was closed meanwhile
            self._go_on()
            raise

    def _refuse(self, url: str, part: _Part, response: httpx.Response) -> NoReturn:
        """Raise for an answer without a body of use."""
        status = response.status_code
        if status in _PASSING_STATUSES:
            raise _Passing(f"{url} answered {status}", _retry_after_s(response.headers))
        if status in (206, 416):
            part.remove()
            raise _Passing(f"{url} answered {status} to a request for the rest of the file")
        if status == 404:
            raise PriceListUnavailable(
                f"{url} answered 404: nothing is published there. Check the address or the mirror."
            )
        if status == 403:
            raise PriceListUnavailable(
                f"{url} answered 403: access denied. Check the address, and that the proxy or the mirror lets it through."
            )
        raise PriceListUnavailable(f"{url} answered {status}; a price file must be answered with 200. {_LATER}")

    def _save(self, response: httpx.Response, part: _Part) -> None:
        with part.body.open("ab") as file:
            for chunk in response.iter_raw():
                self._go_on()
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
    PriceListUnreachable
        If the base is no address.
    PriceListUnavailable
        If the index names no address, or sends to another server: a mirror must be complete.

    Examples
    --------
    >>> absolute_url("https://mirror.example/aws/", "/offers/v1.0/aws/index.json")
    'https://mirror.example/aws/offers/v1.0/aws/index.json'
    """
    fault = fault_of_address(base_url)
    if fault:
        raise PriceListUnreachable(f"{base_url} is not an address that can be asked: {fault}.")
    base, named = urlsplit(base_url), _split(url)
    if named is not None and not named.scheme and not named.netloc:
        whole = f"{base_url.rstrip('/')}/{url.lstrip('/')}"
    else:
        whole = url if named is None or named.scheme else f"{base.scheme}:{url}"
    fault = fault_of_address(whole)
    if named is None or fault:
        raise PriceListUnavailable(
            f"The price index of {base_url} sends to {shown(url)}, which is not an address that can be asked: {fault}."
        )
    if named.netloc and (named.scheme or base.scheme, named.netloc) != (base.scheme, base.netloc):
        raise PriceListUnavailable(
            f"The price index of {base_url} sends to {url}, which is another server. A mirror must hold every file itself."
        )
    return whole


def fault_of_address(url: str) -> str:
    """Say what is wrong with the address of a file or a server.

    Parameters
    ----------
    url : str
        The address.

    Returns
    -------
    str
        The fault, without full stop; empty if there is none.

    Examples
    --------
    >>> fault_of_address("https://mirror.example:port")
    'its port must be a number from 1 to 65535'
    """
    parts = _split(url)
    if parts is None:
        return "its host cannot be read"
    if parts.scheme not in ("http", "https"):
        return "it must begin with https:// or http://"
    if not parts.hostname:
        return "it names no host"
    try:
        if parts.port == 0:
            raise ValueError
    except ValueError:
        return "its port must be a number from 1 to 65535"
    try:
        httpx.URL(url).host.encode("idna")
    except httpx.InvalidURL as error:
        return _plain(error)
    except UnicodeError:
        return "its host is not a name"
    return ""


def set_variables(names: Iterable[str]) -> str:
    """List which of some environment variables are set, for a message; their values may be secret.

    Parameters
    ----------
    names : iterable of str
        Names in capital letters.

    Returns
    -------
    str
        The names that are set, as they are spelled; all if none is.
    """
    names = list(names)
    found = [spelling for name in names for spelling in (name, name.lower()) if os.environ.get(spelling)]
    return " and ".join(found or names)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _lost(url: str, error: Exception) -> PriceListUnavailable:
    return PriceListUnavailable(
        f"{url} is redirected to an address that cannot be asked ({_plain(error)}). Check the address, and the proxy or the mirror."
    )


def _plain(error: Exception) -> str:
    return str(error).rstrip(". ") or type(error).__name__


class _Passing(Exception):
    """Trouble that may be over at the next attempt; a message without full stop."""

    def __init__(self, message: str, retry_after_s: float = 0.0, unreachable: bool = False) -> None:
        self.retry_after_s = retry_after_s
        self.unreachable = unreachable
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
        except (FileNotFoundError, ValueError, RecursionError):
            return None, 0
        size = self.size()
        return (notes, size) if size and notes.url == url else (None, 0)

    def start(self, url: str, response: httpx.Response) -> _Notes:
        """Begin anew; without a strong ETag nothing tells whether a rest belongs to the same file, so no notes are left."""
        self.remove()
        etag = response.headers.get("ETag", "")
        length = response.headers.get("Content-Length", "")
        notes = _Notes(url, etag, int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None)
        if etag.startswith('"') and etag.isascii():
            self._notes_path.write_bytes(msgspec.json.encode(notes))
        return notes

    def remove(self) -> None:
        """Remove body and notes, the notes first: a body without them is never continued."""
        self._notes_path.unlink(missing_ok=True)
        self.body.unlink(missing_ok=True)


@contextmanager
def _part_of(folder: Path, url: str) -> Iterator[_Part]:
    """Give the body of an address to one process at a time, and to any other meanwhile one of its own."""
    name = _digest(url)
    lock = filelock.FileLock(folder / f"{name}.part.lock", timeout=0)
    try:
        lock.acquire()
    except (filelock.Timeout, OSError, NotImplementedError):  # held, or not every file system has locks
        own = _Part(folder / f"{name}.{uuid.uuid4().hex}.part")
        try:
            yield own
        finally:
            own.remove()
        return
    try:
        yield _Part(folder / f"{name}.part")
    finally:
        # While it is held: whoever opened it just now sees that it is gone, and takes it for held.
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


def _new_client() -> httpx.Client:
    try:
        verify = _certificates(*(os.environ.get(name, "") for name in _CERTIFICATE_VARIABLES))
    except OSError as error:
        name = next(filter(os.environ.get, _CERTIFICATE_VARIABLES), _CERTIFICATE_VARIABLES[0])
        raise PriceListUnreachable(
            f"The certificates that {name} names cannot be read "
            f"({error.strerror or _plain(error)}). Correct it or unset it."
        ) from error
    try:
        return httpx.Client(
            timeout=_TIMEOUT,
            verify=verify,
            follow_redirects=True,
            headers={"Accept-Encoding": "gzip", "User-Agent": f"fargate-estimator/{_version()}"},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # The error may hold the proxy's password.
        raise PriceListUnreachable(
            f"The proxy that {set_variables(PROXY_VARIABLES)} names cannot be used ({type(error).__name__}). It must be such as "
            "http://proxy.example:3128; SOCKS is not supported."
        ) from None


@functools.cache
def _certificates(file: str, folder: str) -> ssl.SSLContext:
    """Load the certificates that are trusted, once for each setting: it takes longer than an answer of 304."""
    return httpx.create_ssl_context()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fargate-estimator")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _dated(key: str) -> str:
    """Add to what is asked for how it is read."""
    return f"{EXTRACT_FORMAT} {key}"


def _stored(path: Path, url: str, key: str) -> _Extract | None:
    """Return the extract, unless there is none or it is damaged."""
    try:
        extract = msgspec.json.decode(path.read_bytes(), type=_Extract)
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    whole = hashlib.sha256(extract.value).hexdigest() == extract.sha256
    return extract if whole and (extract.url, extract.key) == (url, _dated(key)) else None


def _decoded(extract: _Extract | None, shape: type[T]) -> T | None:
    try:
        return None if extract is None else msgspec.json.decode(extract.value, type=shape)
    except (ValueError, RecursionError):  # written by another release
        return None


def _store(path: Path, url: str, key: str, headers: httpx.Headers, value: bytes) -> None:
    sha256 = hashlib.sha256(value).hexdigest()
    extract = _Extract(
        url, _dated(key), headers.get("ETag", ""), headers.get("Last-Modified", ""), sha256, msgspec.Raw(value)
    )
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
    return {name: value for name, value in conditions.items() if value and value.isascii()}


def _range(notes: _Notes | None, size: int) -> dict[str, str]:
    return {} if notes is None else {"Range": f"bytes={size}-", "If-Range": notes.etag}


def _continues(response: httpx.Response, notes: _Notes, size: int) -> bool:
    """Tell whether a partial answer begins where the body ends, in the same file."""
    named = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]+/([0-9]+|\*)", response.headers.get("Content-Range", ""))
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
    except RecursionError as error:
        raise PriceListUnavailable(
            f"{url} is not the JSON of a price file (it is nested too deep). {_LATER}"
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise PriceListUnavailable(f"{url} is not the JSON of a price file ({error}). {_LATER}") from error


def _open(path: Path) -> BinaryIO:
    """Open a body, decompressed if its first bytes say gzip: not every server's header does."""
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if compressed else path.open("rb")
