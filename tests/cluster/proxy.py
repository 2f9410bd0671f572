"""A proxy in front of an S3-compatible server that breaks answers in the ways that stores and networks do."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = "pool"  # as clients know it; behind the proxy every case has a bucket of its own
ALWAYS = 1 << 30
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
}
KINDS = {"read": ("GET", "range"), "look": ("HEAD", "object"), "list": ("GET", "list"), "any": ("", "")}


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """What is done to some requests: of a kind (`read`, `look`, `list`, `any`), the first `after` of them not, then
    `times` of them; only those whose address has `inside`."""

    name: str
    of: str = "read"
    after: int = 0
    times: int = 1
    inside: str = ""
    seen: int = 0
    struck: int = 0

    def strikes(self, method: str, address: str) -> bool:
        """Whether this request is one of them."""
        kind = "list" if "list-type=2" in address else "range" if method == "GET" else "object"
        wanted, what = KINDS[self.of]
        if self.inside not in address or (self.of != "any" and (method != wanted or kind != what)):
            return False
        self.seen += 1
        hit = self.after < self.seen <= self.after + self.times
        self.struck += hit
        return hit


@dataclass
class Proxy:
    """A proxy to a server's bucket; `faults` may be changed at any time. `requests` are (method, address)."""

    server: tuple[str, int]
    bucket: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, method: str, address: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """An answer of the server itself."""
        path = re.sub(rf"^/{BUCKET}(?=[/?]|$)", f"/{self.bucket}", address)
        connection = HTTPConnection(*self.server, timeout=60)
        try:
            connection.request(method, path, body or None, headers or SIGNED)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def put(self, key: str, data: bytes) -> None:
        """Write an object, past all faults."""
        answer = self.ask("PUT", f"/{BUCKET}/{key}", body=data)
        assert answer.status == 200, answer

    def fault(self, method: str, address: str) -> Fault | None:
        """The fault that strikes a request."""
        with self.lock:
            self.requests.append((method, address))
            return next((fault for fault in self.faults if fault.strikes(method, address)), None)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """The address of the proxy, while it runs."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
            http.daemon_threads = True
            threading.Thread(target=http.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{http.server_port}"
            finally:
                http.shutdown()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: object) -> None: ...

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        fault = self.proxy.fault(self.command, self.path)
        if fault is not None:
            FAULTS[fault.name](self, headers)
            return
        self.send(self.proxy.ask(self.command, self.path, headers, body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def server_says(self, headers: dict[str, str]) -> Answer:
        """What the server says to this request."""
        return self.proxy.ask(self.command, self.path, headers)

    def send(self, answer: Answer, length: int | None = None) -> None:
        """Hand on an answer, with its length or another."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                self.send_header(name, value)
        stated = answer.headers.get("Content-Length") if self.command == "HEAD" else str(len(answer.body))
        self.send_header("Content-Length", str(length) if length is not None else stated or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def refuse(self, status: int, code: str, words: str) -> None:
        """An error as S3 words it."""
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>"
        self.send(Answer(status, {"Content-Type": "application/xml"}, text.encode()))

    def hang_up(self, *, reset: bool = False) -> None:
        """End the connection, as one that was reset where asked for."""
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.close() if reset else self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


def _late(to: _Handler, headers: dict[str, str]) -> None:
    time.sleep(0.3)
    to.send(to.server_says(headers))


def _silent(to: _Handler, headers: dict[str, str]) -> None:
    select.select([to.connection], [], [], 40)  # until the client gives up
    to.hang_up()


def _reset(to: _Handler, headers: dict[str, str]) -> None:
    to.hang_up(reset=True)


def _cut(to: _Handler, headers: dict[str, str]) -> None:
    """The right length, half of the body."""
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2]), len(whole.body))
    to.hang_up()


def _reset_inside(to: _Handler, headers: dict[str, str]) -> None:
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2]), len(whole.body))
    to.hang_up(reset=True)


def _cut_and_denied(to: _Handler, headers: dict[str, str]) -> None:
    """Half of the body, and a length that says it is the whole."""
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2]))


def _nothing(to: _Handler, headers: dict[str, str]) -> None:
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, b""))


def _wrong_etag(to: _Handler, headers: dict[str, str]) -> None:
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers | {"ETag": '"0123456789abcdef0123456789abcdef"'}, whole.body))


def _other_version(to: _Handler, headers: dict[str, str]) -> None:
    """The same bytes of another version, by a store that does not know `If-Match`."""
    headers = {name: value for name, value in headers.items() if name.lower() != "if-match"}
    to.send(to.proxy.ask(to.command, f"{to.path}.other", headers))


def _overwritten(to: _Handler, headers: dict[str, str]) -> None:
    """Somebody writes another version just before this request."""
    key = to.path.removeprefix(f"/{BUCKET}/")
    to.proxy.put(key, to.proxy.ask("GET", f"/{BUCKET}/{key}.other").body)
    to.send(to.server_says(headers))


def _vanished(to: _Handler, headers: dict[str, str]) -> None:
    assert to.proxy.ask("DELETE", to.path).status == 204
    to.send(to.server_says(headers))


def _torn_list(to: _Handler, headers: dict[str, str]) -> None:
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2]))


def _short_list(to: _Handler, headers: dict[str, str]) -> None:
    """One object less than the list says to hold."""
    whole = to.server_says(headers)
    to.send(Answer(whole.status, whole.headers, re.sub(rb"<Contents>.*?</Contents>", b"", whole.body, count=1)))


def _endless_list(to: _Handler, headers: dict[str, str]) -> None:
    """A list that says there is more, and not where."""
    whole = to.server_says(headers)
    body = re.sub(rb"<Contents>.*?</Contents>", b"", whole.body, count=1)
    body = re.sub(rb"<(KeyCount|NextContinuationToken)>.*?</\1>", b"", body)
    to.send(Answer(whole.status, whole.headers, re.sub(rb"<IsTruncated>false", b"<IsTruncated>true", body)))


def _refused(status: int, code: str, words: str) -> Callable[[_Handler, dict[str, str]], None]:
    return lambda to, _: to.refuse(status, code, words)


FAULTS: dict[str, Callable[[_Handler, dict[str, str]], None]] = {
    "latency": _late,
    "silence": _silent,
    "slow down": _refused(503, "SlowDown", "Please reduce your request rate."),
    "internal error": _refused(500, "InternalError", "We encountered an internal error."),
    "expired": _refused(403, "ExpiredToken", "The provided token has expired."),
    "denied": _refused(403, "AccessDenied", "Access Denied"),
    "reset": _reset,
    "reset inside": _reset_inside,
    "cut, length right": _cut,
    "cut, length wrong": _cut_and_denied,
    "empty": _nothing,
    "wrong ETag": _wrong_etag,
    "other version": _other_version,
    "overwritten": _overwritten,
    "vanished": _vanished,
    "torn list": _torn_list,
    "short list": _short_list,
    "endless list": _endless_list,
}
