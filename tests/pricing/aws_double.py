"""A server on this machine that stands in for AWS's four price sources, in the tests of everything that asks for prices.

What it serves has AWS's shapes, names, units and traps (`aws_records`), with the figures of the shipped snapshots. ::

    with AwsDouble(["eu-west-1"]) as aws:
        refresh(..., endpoints=aws.endpoints)                  # in this process
        subprocess.run([...], env=os.environ | aws.environment)  # or in another one

It serves

- the bulk price list: service index, version index, region indexes, one offer for each region and version; AWSELB has no
  part for us-east-1, products without a region stand in the part ``aws-other``;
- the Compute Savings Plan files and the Fargate Spot feed;
- the Query API's GetProducts, whose signature it checks, with pages;
- for files: ETag and If-None-Match, Last-Modified, gzip if asked for, Range and If-Range.

What it sells is altered with `catalogue.change`, `catalogue.drop` and `catalogue.double`. How it answers is altered with
the methods under "Faults"; each takes ``path``, a part of the path (``"GetProducts"`` for the Query API, ``"spot"`` for the
feed, "" for all), ``times``, the number of requests that it hits (None for all), and ``skip``, the number of matching
requests that pass before. `requests`, `statuses`, `bytes_sent` and `most_at_once` tell what was asked.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from estimator.pricing.endpoints import Endpoints
from tests.pricing import aws_records as records
from tests.pricing.aws_records import GLOBAL, NO_PART, Catalogue, Publication

ACCESS_KEY = "AKIDTESTONLY"
SECRET_KEY = "not-a-secret-only-for-tests"  # noqa: S105
GET_PRODUCTS = "GetProducts"

_OFFERS = re.compile(r"/offers/v1\.0/aws/(?P<code>\w+)/(?P<version>\w+)/(?P<part>[\w-]+)/(?:index|empty)\.json")
_REGION_INDEX = re.compile(r"/offers/v1\.0/aws/(?P<code>\w+)/(?P<version>\w+)/region_index\.json")
_VERSION_INDEX = re.compile(r"/offers/v1\.0/aws/(?P<code>\w+)/index\.json")
_PLANS = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan"
_PLAN = re.compile(rf"{_PLANS}/(?P<version>\w+)/(?P<region>[\w-]+)/index\.json")
SPOT_PATH = "/fargate-spot-prices.json"
_JSON = "application/json"
ERROR_PAGE = b"<html><body>Said the double.</body></html>"
_AWS_JSON = "application/x-amz-json-1.1"


@dataclass
class Answer:
    """What goes over the wire, before faults."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """One way to answer wrongly; see the methods of AwsDouble."""

    kind: str
    path: str = ""
    times: int | None = 1
    skip: int = 0
    value: Any = None

    def hits(self, path: str) -> bool:
        """Tell whether it hits this request, and count it."""
        if self.path not in path or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class AwsDouble:
    """The server; a context manager.

    ``page_size`` makes the Query API's pages smaller than asked for, so that there are several. ``fillers`` adds machine
    types to the EC2 lists, about 2 kB each.
    """

    def __init__(self, regions: Iterable[str] = ("eu-west-1",), *, page_size: int = 100, fillers: int = 0) -> None:
        self.catalogue = Catalogue(regions)
        self.page_size = page_size
        self.fillers = fillers
        self.faults: list[Fault] = []
        self.errors: list[BaseException] = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.reset_counters()
        self._documents: dict[tuple[str, bool], tuple[int, bytes, str]] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.double = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="AWS double")

    def __enter__(self) -> AwsDouble:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        if error is None and self.errors:
            raise AssertionError("the AWS double itself failed") from self.errors[0]

    # --- Addresses ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            price_list_url=self.url,
            query_api_url=self.url,
            savings_plans_url=self.url,
            spot_feed_url=self.url + SPOT_PATH,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which a program asks the double and has its credentials, and no others."""
        return {
            "ESTIMATOR_PRICE_LIST_URL": self.url,
            "ESTIMATOR_QUERY_API_URL": self.url,
            "ESTIMATOR_SAVINGS_PLANS_URL": self.url,
            "ESTIMATOR_SPOT_FEED_URL": self.url + SPOT_PATH,
            "NO_PROXY": "127.0.0.1",
            **CREDENTIALS,
        }

    # --- Counters -------------------------------------------------------------------------------------------------

    def reset_counters(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.bytes_sent = 0
        self.most_at_once = 0
        self._at_once = 0

    def entered(self, path: str) -> None:
        with self.lock:
            self.requests[path] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def left(self) -> None:
        with self.lock:
            self._at_once = max(0, self._at_once - 1)

    def sent(self, status: int | None, count: int) -> None:
        with self.lock:
            self.bytes_sent += count
            if status is not None:
                self.statuses[status] += 1

    # --- Faults ---------------------------------------------------------------------------------------------------

    def fail(
        self,
        status: int,
        path: str = "",
        times: int | None = 1,
        skip: int = 0,
        *,
        body: bytes = ERROR_PAGE,
        **headers: str,
    ) -> None:
        """Answer with an HTTP error; ``headers`` are more headers, such as Retry_After="1"."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self._fault("status", path, times, skip, Answer(status, body, {"Content-Type": "text/html"} | more))

    def query_error(self, code: str, times: int | None = 1, skip: int = 0, status: int = 400) -> None:
        """Answer the Query API with one of AWS's errors, such as ThrottlingException or AccessDeniedException."""
        self._fault("query", GET_PRODUCTS, times, skip, (status, code))

    def drop_connection(self, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Close the connection without an answer."""
        self._fault("cut", path, times, skip, None)

    def cut(self, path: str = "", fraction: float = 0.5, times: int | None = 1, skip: int = 0) -> None:
        """Close the connection after a part of the body; the Content-Length is that of the whole."""
        self._fault("cut", path, times, skip, fraction)

    def truncate_gzip(self, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Send half of the compressed body as if it were all."""
        self._fault("wire", path, times, skip, lambda body: body[: len(body) // 2])

    def rewrite(self, change: Callable[[bytes], bytes], path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Send another body, with status 200; ``change`` gets the right one before it is compressed."""
        self._fault("body", path, times, skip, change)

    def truncate_json(self, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Send half of the JSON, well compressed and with status 200."""
        self.rewrite(lambda body: body[: len(body) // 2], path, times, skip)

    def delay(self, seconds: float, path: str = "", times: int | None = None, skip: int = 0) -> None:
        """Wait before the answer."""
        self._fault("delay", path, times, skip, seconds)

    def trickle(self, bytes_per_s: int, path: str = "", times: int | None = None, skip: int = 0) -> None:
        """Send the body slowly."""
        self._fault("trickle", path, times, skip, bytes_per_s)

    def clear_faults(self) -> None:
        with self.lock:
            self.faults.clear()

    def _fault(self, kind: str, path: str, times: int | None, skip: int, value: Any) -> None:
        with self.lock:
            self.faults.append(Fault(kind, path, times, skip, value))

    def faults_for(self, path: str) -> dict[str, Any]:
        """Count this request against the faults that match: one delay, one trickle and one of all the others."""
        found: dict[str, Any] = {}
        classes = set()
        with self.lock:
            for fault in self.faults:
                of_class = fault.kind if fault.kind in ("delay", "trickle") else "wrong answer"
                if of_class not in classes and fault.hits(path):
                    classes.add(of_class)
                    found[fault.kind] = fault.value
        return found

    # --- Documents ------------------------------------------------------------------------------------------------

    def document(self, path: str, compressed: bool) -> tuple[bytes, str] | None:
        """Body and Last-Modified of a file, made when first asked for; None if there is none."""
        key = (path, compressed)
        generation = self.catalogue.generation
        with self.lock:
            kept = self._documents.get(key)
            if kept is not None and kept[0] == generation:
                return kept[1], kept[2]
            with self.catalogue.lock:
                made = self._make(path)
            if made is None:
                return None
            content, published = made
            body = msgspec.json.format(msgspec.json.encode(content), indent=2)
            if compressed:
                body = gzip.compress(body, 6, mtime=0)
            self._documents[key] = (generation, body, published)
            return body, published

    def _make(self, path: str) -> tuple[dict[str, Any], str] | None:
        catalogue = self.catalogue
        if path == SPOT_PATH:
            published = catalogue.savings_plans_published
            return records.spot_feed_json(
                records.spot_rows(catalogue.discounted), records.aws_version(published)
            ), published
        if path == "/offers/v1.0/aws/index.json":
            current = {code: catalogue.current(code) for code in records.PUBLISHED}
            index = records.service_index_json(current)
            return index, index["publicationDate"]
        return self._make_plans(path) if path.startswith(_PLANS) else self._make_offers(path)

    def _make_plans(self, path: str) -> tuple[dict[str, Any], str] | None:
        catalogue = self.catalogue
        published = catalogue.savings_plans_published
        if path == f"{_PLANS}/current/region_index.json":
            return records.savings_plan_index_json(catalogue.regions, published), published
        match = _PLAN.fullmatch(path)
        if match is None or match["version"] not in ("current", records.aws_version(published)):
            return None
        region = match["region"]
        if region not in catalogue.rates:
            return None
        prices = catalogue.discounted[region]
        return records.savings_plan_json(region, catalogue.rates[region], prices, published), published

    def _make_offers(self, path: str) -> tuple[dict[str, Any], str] | None:
        match = _VERSION_INDEX.fullmatch(path)
        if match and (publications := self.catalogue.publications(match["code"])):
            return records.version_index_json(match["code"], publications), publications[-1].published
        match = _REGION_INDEX.fullmatch(path)
        if match and (publication := self._publication(match["code"], match["version"])):
            parts = [*self.catalogue.regions, GLOBAL]
            return records.region_index_json(match["code"], parts, publication), publication.published
        match = _OFFERS.fullmatch(path)
        if not match or not (publication := self._publication(match["code"], match["version"])):
            return None
        code, part = match["code"], match["part"]
        if part == "default":
            return records.empty_offer_json(code, publication), publication.published
        if (code, part) in NO_PART or not any(record.part == part for record in publication.records):
            return None
        return records.offer_json(code, part, publication, self.fillers), publication.published

    def _publication(self, code: str, version: str) -> Publication | None:
        known = self.catalogue.publications(code)
        if version == "current":
            return known[-1] if known else None
        return next((each for each in known if each.version == version), None)

    # --- Query API ------------------------------------------------------------------------------------------------

    def get_products(self, question: dict[str, Any]) -> Answer:
        """Answer GetProducts. Filters are ANDed; a page token names the next item and the question that it belongs to."""
        publications = self.catalogue.publications(question.get("ServiceCode", ""))
        if not publications:
            return aws_error(400, "InvalidParameterException", f"Service code {question.get('ServiceCode')} is invalid")
        size = question.get("MaxResults", 100)
        if not isinstance(size, int) or not 1 <= size <= 100:
            return aws_error(400, "InvalidParameterException", "MaxResults must be between 1 and 100")
        filters = question.get("Filters", [])
        if any(each.get("Type") != "TERM_MATCH" for each in filters):
            return aws_error(400, "InvalidParameterException", "The filter type is invalid")
        seal = hashlib.sha256(json.dumps([question["ServiceCode"], filters]).encode()).hexdigest()[:12]
        start = _page_start(question.get("NextToken"), seal)
        if start is None:
            return aws_error(400, "InvalidNextTokenException", "The pagination token is invalid")
        found = [record for record in publications[-1].records if _matches(record, filters)]
        end = start + min(size, self.page_size)
        items = [json.dumps(records.answer_json(record, publications[-1])) for record in found[start:end]]
        # AWS leaves out the list if it is empty.
        reply: dict[str, Any] = {"FormatVersion": "aws_v1"} | ({"PriceList": items} if items else {})
        if end < len(found):
            reply["NextToken"] = base64.b64encode(f"{end}:{seal}".encode()).decode()
        return Answer(200, json.dumps(reply).encode(), {"Content-Type": _AWS_JSON})


#: Credentials that the double accepts; the other variables keep those of the machine away.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_CONFIG_FILE": "/nonexistent",
}


def aws_error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Answer(status, body, {"Content-Type": _AWS_JSON, "x-amzn-ErrorType": code})


def _page_start(token: str | None, seal: str) -> int | None:
    if token is None:
        return 0
    try:
        start, _, sealed = base64.b64decode(token, validate=True).decode().partition(":")
        return int(start) if sealed == seal else None
    except ValueError:
        return None


def _matches(record: records.Record, filters: list[dict[str, str]]) -> bool:
    fields = record.attributes | {
        "productFamily": record.family,
        "sku": record.sku,
        "ServiceCode": record.service_code,
    }
    return all(fields.get(each["Field"]) == each["Value"] for each in filters)


def signature_error(headers: Any, body: bytes) -> Answer | None:
    """Sign the request again with botocore and compare; None if the signature is right."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), Signature=(\w+)",
        headers.get("Authorization", ""),
    )
    if given is None:
        return aws_error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    key, region, service, names, signature = given.groups()
    if key != ACCESS_KEY:
        message = f"The security token {key} included in the request is invalid."
        return aws_error(403, "UnrecognizedClientException", message)
    if service != "pricing":
        message = "Credential should be scoped to correct service: 'pricing'."
        return aws_error(403, "InvalidSignatureException", message)
    signed = {name: headers[name] for name in names.split(";") if name in headers}
    request = AWSRequest("POST", f"http://{headers['Host']}/", headers=signed, data=body)
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "pricing", region)
    canonical = signer.canonical_request(request)
    if signer.signature(signer.string_to_sign(request, canonical), request) != signature:
        message = f"The request signature we calculated does not match the signature you provided by {key}: {canonical}"
        return aws_error(403, "InvalidSignatureException", message)
    return None


class _Server(ThreadingHTTPServer):
    """Keeps its connections, so that none is left open at the end."""

    double: AwsDouble
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self.open_connections: set[socket.socket] = set()
        super().__init__(*args)

    def close_connections(self) -> None:
        with self.double.lock:
            for connection in self.open_connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        # A client that goes away is nothing unusual.
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.double.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "AWSDouble"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.double.lock:
            self.server.open_connections.add(self.connection)
            if self.server.double.stopping.is_set():
                self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        with self.server.double.lock:
            self.server.open_connections.discard(self.connection)
        try:
            super().finish()
        except ConnectionError:
            self.rfile.close()

    def log_message(self, *args: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self._serve(path, lambda faults: self._file(path, faults))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if service != "AWSPriceListService" or operation != GET_PRODUCTS:
            self._serve(operation, lambda _: aws_error(400, "UnknownOperationException", "Unknown operation"))
            return
        self._serve(GET_PRODUCTS, lambda faults: self._query(body, faults))

    def _serve(self, path: str, answer_with: Callable[[dict[str, Any]], Answer]) -> None:
        double = self.server.double
        double.entered(path)
        try:
            faults = double.faults_for(path)
            if "delay" in faults:
                double.stopping.wait(faults["delay"])
            if "query" in faults:
                status, code = faults["query"]
                answer = aws_error(status, code, f"User arn:aws:iam::123456789012:user/me with {ACCESS_KEY} is told so")
            elif "status" in faults:
                answer = replace(faults["status"])
            else:
                answer = answer_with(faults)
            self._send(answer, faults)
        finally:
            double.left()

    def _query(self, body: bytes, faults: dict[str, Any]) -> Answer:
        answer = signature_error(self.headers, body) or self.server.double.get_products(json.loads(body))
        if "body" in faults:
            answer.body = faults["body"](answer.body)
        return answer

    def _file(self, path: str, faults: dict[str, Any]) -> Answer:
        compressed = "gzip" in self.headers.get("Accept-Encoding", "")
        document = self.server.double.document(path, compressed)
        if document is None:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"})
        body, published = document
        if "body" in faults:
            body = faults["body"](gzip.decompress(body) if compressed else body)
            body = gzip.compress(body, 6, mtime=0) if compressed else body
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        moment = Publication("", published, ()).last_modified
        headers = {
            "Content-Type": _JSON,
            "ETag": etag,
            "Last-Modified": format_datetime(moment, usegmt=True),
            "Accept-Ranges": "bytes",
            "Vary": "Accept-Encoding",
        }
        if compressed:
            headers["Content-Encoding"] = "gzip"
        known = [each.strip().removeprefix("W/") for each in self.headers.get("If-None-Match", "").split(",")]
        if etag in known or "*" in known:
            return Answer(304, b"", headers)
        return self._part_of(Answer(200, body, headers), etag)

    def _part_of(self, answer: Answer, etag: str) -> Answer:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked or self.headers.get("If-Range", etag) != etag:
            return answer
        size = len(answer.body)
        start, end = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
        if start > end:
            return Answer(416, b"", {"Content-Range": f"bytes */{size}"})
        headers = answer.headers | {"Content-Range": f"bytes {start}-{end}/{size}"}
        return Answer(206, answer.body[start : end + 1], headers)

    def _send(self, answer: Answer, faults: dict[str, Any]) -> None:
        double = self.server.double
        if "wire" in faults:
            answer.body = faults["wire"](answer.body)
        if "cut" in faults and faults["cut"] is None:
            double.sent(None, 0)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("x-amzn-RequestId", "00000000-0000-4000-a000-000000000000")
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body
        if "cut" in faults:
            body = body[: int(len(body) * faults["cut"])]
            self.close_connection = True
        double.sent(answer.status, len(body))
        self._write(body, faults.get("trickle"))

    def _write(self, body: bytes, bytes_per_s: int | None) -> None:
        if not bytes_per_s:
            self.wfile.write(body)
            return
        step = max(1, bytes_per_s // 20)
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if self.server.double.stopping.wait(step / bytes_per_s):
                self.close_connection = True
                return
