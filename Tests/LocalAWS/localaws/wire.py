"""A small HTTP/1.1 server that shows requests as they came and can answer badly on purpose.

The standard library's server normalises paths and cannot cut an answer in the middle. Here the target reaches the
handler byte for byte, connections stay open between requests, and a Response may say how to break the answer.
One thread a connection; every socket is bound to 127.0.0.1.
"""

import http
import itertools
import socket
import struct
import threading

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 512 * 1024 * 1024
IDLE_SECONDS = 120


class BadRequest(Exception):
    """The bytes on the wire are not a request this server reads."""


class Request:
    """One request as received. `path` and `query` are the raw, still encoded text."""

    def __init__(self, method, target, headers, body, connection):
        self.method = method
        self.target = target
        self.path, _, query = target.partition("?")
        self.query = query
        self.headers = headers
        self.body = body
        self.connection = connection
        self.chunked = False

    def header(self, name):
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None


class Response:
    """`cut`: close without a word. `send_at_most`: close after so many body bytes. `reset`: close with RST."""

    def __init__(self, status, headers=(), body=b"", cut=False, send_at_most=None, reset=False, close=False):
        self.status = status
        self.headers = list(headers)
        self.body = body
        self.cut = cut
        self.send_at_most = send_at_most
        self.reset = reset
        self.close = close

    def header(self, name):
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None


class Server:
    """Accepts until `stop`. `handler` takes a Request and returns a Response; it must not raise."""

    def __init__(self, handler, port=0, name="http"):
        self._handler = handler
        self._name = name
        self._ids = itertools.count(1)
        self._open = set()
        self._lock = threading.Lock()
        self._stopping = False
        self.connections_accepted = 0
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(256)
        self.port = self._listener.getsockname()[1]

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def start(self):
        threading.Thread(target=self._accept, name=self._name, daemon=True).start()

    def stop(self):
        with self._lock:
            self._stopping = True
            sockets = list(self._open)
        for each in [self._listener] + sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._stopping:
                    connection.close()
                    return
                self._open.add(connection)
                self.connections_accepted += 1
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, next(self._ids)), daemon=True).start()

    def _serve(self, connection, number):
        reader = connection.makefile("rb", buffering=256 * 1024)
        try:
            while True:
                request = read_request(reader, connection, number)
                if request is None:
                    return
                response = self._handler(request)
                if not send(connection, request, response) or wants_close(request):
                    return
        except BadRequest as problem:
            body = str(problem).encode()
            send_quietly(connection, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            reader.close()
            connection.close()


def read_request(reader, connection, number):
    """The next request, or None when the peer closed between requests."""
    line = reader.readline(HEAD_BYTES_MAX)
    while line in (b"\r\n", b"\n"):
        line = reader.readline(HEAD_BYTES_MAX)
    if not line:
        return None
    try:
        method, target, version = line.decode("ascii").rstrip("\r\n").split(" ")
    except ValueError:
        raise BadRequest("request line is not `METHOD target HTTP/1.1`, or not ASCII")
    if not version.startswith("HTTP/1."):
        raise BadRequest("HTTP version")
    if target.startswith("http://"):  # absolute form, as sent to a proxy
        target = "/" + target[len("http://"):].partition("/")[2]
    headers, total = [], len(line)
    while True:
        line = reader.readline(HEAD_BYTES_MAX)
        total += len(line)
        if total > HEAD_BYTES_MAX or not line:
            raise BadRequest("head too long or cut")
        if line in (b"\r\n", b"\n"):
            break
        key, colon, value = line.decode("latin-1").partition(":")
        if not colon or key != key.strip():
            raise BadRequest("header line without a colon")
        headers.append((key, value.strip(" \t\r\n")))
    request = Request(method, target, headers, b"", number)
    request.http_1_0 = version == "HTTP/1.0"
    if (request.header("Expect") or "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in (request.header("Transfer-Encoding") or "").lower():
        request.chunked = True
        request.body = read_chunks(reader)
    else:
        length = request.header("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            raise BadRequest("Content-Length")
        request.body = reader.read(int(length)) if length != "0" else b""
        if len(request.body) != int(length):
            return None  # the peer went away in the middle of its body: nothing has happened
    return request


def read_chunks(reader):
    parts, total = [], 0
    while True:
        try:
            size = int(reader.readline(HEAD_BYTES_MAX).partition(b";")[0], 16)
        except ValueError:
            raise BadRequest("chunk size")
        total += size
        if total > BODY_BYTES_MAX:
            raise BadRequest("body too long")
        parts.append(reader.read(size))
        reader.readline(HEAD_BYTES_MAX)
        if size == 0:
            return b"".join(parts)


def wants_close(request):
    connection = (request.header("Connection") or "").lower()
    return "close" in connection or (request.http_1_0 and "keep-alive" not in connection)


def send(connection, request, response):
    """Writes the answer; False when the connection must not be used again."""
    if response.reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if response.cut:
        return False
    try:
        reason = http.HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = ["HTTP/1.1 %d %s" % (response.status, reason)]
    lines += ["%s: %s" % pair for pair in response.headers if pair[0].lower() != "content-length"]
    bodyless = request.method == "HEAD" or response.status in (204, 304) or response.status < 200
    length = response.header("Content-Length") if bodyless else str(len(response.body))
    if length is not None and response.status != 204:
        lines.append("Content-Length: " + length)
    if response.close or wants_close(request):
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    body = b"" if bodyless else response.body
    if response.send_at_most is not None:
        connection.sendall(head + bytes(body[: response.send_at_most]))
        return False
    if len(body) < 64 * 1024:
        connection.sendall(head + bytes(body))
    else:
        connection.sendall(head)
        connection.sendall(body)
    return not response.close


def send_quietly(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass
