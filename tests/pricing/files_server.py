"""A real web server of price files, with the faults that real ones have."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    body: bytes
    etag: str | None = '"v1"'
    last_modified: str | None = None
    takes_ranges: bool = True
    checks_if_range: bool = True
    longest_range: int | None = None
    #: What the next answers are: a status, "hang up" for none, or ("cut", number of bytes sent before the connection breaks).
    faults: list[int | str | tuple[str, int]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    bytes_per_s: int | None = None
    #: Half of the body is sent, and the rest only when this is set.
    hold: threading.Event | None = None


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    status: int


class FilesServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.log: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, path: str, content: object, **more: object) -> Page:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.pages[path] = Page(body, **more)  # type: ignore[arg-type]
        return self.pages[path]

    def statuses(self, path: str) -> list[int]:
        return [request.status for request in self.log if request.path == path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FilesServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path)
        if page is None:
            return self._answer(404)
        fault = page.faults.pop(0) if page.faults else None
        if isinstance(fault, int):
            return self._answer(fault, page.headers)
        if fault == "hang up":
            self.close_connection = True
            return None
        headers = dict(page.headers)
        if page.etag:
            headers["ETag"] = page.etag
        if page.last_modified:
            headers["Last-Modified"] = page.last_modified
        if (page.etag and self.headers.get("If-None-Match") == page.etag) or (
            page.last_modified and self.headers.get("If-Modified-Since") == page.last_modified
        ):
            return self._answer(304, headers)
        asked, status, body = self.headers.get("Range"), 200, page.body
        same = self.headers.get("If-Range") == page.etag or not page.checks_if_range
        if asked and page.takes_ranges and same:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(body):
                return self._answer(416, {"Content-Range": f"bytes */{len(body)}"})
            end = min(len(body), begin + (page.longest_range or len(body)))
            headers.setdefault("Content-Range", f"bytes {begin}-{end - 1}/{len(body)}")
            status, body = 206, body[begin:end]
        self._answer(status, headers, body, cut=fault[1] if fault else None, page=page)
        return None

    def _answer(
        self,
        status: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        cut: int | None = None,
        page: Page | None = None,
    ) -> None:
        self.server.log.append(Request(self.path, dict(self.headers), status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = cut is not None
        step = len(body) + 1
        if page and page.hold:
            step = len(body) // 2 + 1
        elif page and page.bytes_per_s:
            step = max(1, page.bytes_per_s // 20)
        try:
            for begin in range(0, len(body[:cut]), step):
                if begin and page:
                    page.hold.wait(60) if page.hold else time.sleep(0.05)
                self.wfile.write(body[:cut][begin : begin + step])
        except ConnectionError:  # the client went away
            self.close_connection = True


@contextmanager
def files_server() -> Iterator[FilesServer]:
    with FilesServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
