"""A hub of datasets on this machine: as much of its interface as reading asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789012345678901234567890123456789"


class Hub(BaseHTTPRequestHandler):
    """Serves the files of one dataset, `maker/pool`, at the revision `main` and at its commit."""

    files: Mapping[str, bytes] = {}
    ranges: list[tuple[str, int]]  # (path, bytes) of what was asked for

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        repository = "/api/datasets/maker/pool"
        if path in (repository, f"{repository}/revision/main", f"{repository}/revision/{COMMIT}"):
            self._json({"id": "maker/pool", "sha": COMMIT, "siblings": [], "tags": [], "downloads": 0, "likes": 0})
        elif path.startswith(f"{repository}/tree/"):
            folder = "/".join(path.removeprefix(f"{repository}/tree/").split("/")[1:])
            self._tree(folder, "recursive=True" in self.path or "recursive=true" in self.path)
        elif path.startswith("/datasets/maker/pool/resolve/"):
            self._content("/".join(path.removeprefix("/datasets/maker/pool/resolve/").split("/")[1:]))
        else:
            self._missing("RepoNotFound")

    do_HEAD = do_GET

    def _entry(self, path: str) -> dict[str, Any]:
        data = self.files[path]
        return {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": len(data), "path": path}

    def _tree(self, folder: str, recursive: bool) -> None:
        start = f"{folder}/" if folder else ""
        inside = [path for path in self.files if path.startswith(start)]
        if not inside:
            self._missing("EntryNotFound")
            return
        deep = {"/".join(path[len(start) :].split("/")[:-1][:1]) for path in inside} - {""}
        entries = [self._entry(path) for path in inside if recursive or "/" not in path[len(start) :]]
        self._json([*({"type": "directory", "oid": "0", "size": 0, "path": start + name} for name in deep), *entries])

    def _content(self, path: str) -> None:
        data, status = self.files.get(path), 200
        if data is None:
            self._missing("EntryNotFound")
            return
        headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if (asked := self.headers.get("Range")) is not None:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            end = min(int(last or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            data, status = data[int(first) : end + 1], 206
        self.ranges.append((path, len(data)))
        self._send(status, data, headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._send(404, b"{}", {"X-Error-Code": code, "X-Error-Message": "not found"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """The address of a hub with these files, and what is read of them."""
    ranges: list[tuple[str, int]] = []
    handler = type("OneHub", (Hub,), {"files": files, "ranges": ranges})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", ranges
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
