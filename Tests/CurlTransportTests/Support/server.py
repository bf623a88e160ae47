"""Loopback servers for the transport's tests, standard library only.

Reads commands from stdin, one a line, and answers each with one line of JSON:
  listen KIND   starts a listener of its own for one test: {"port": N, "bundle": path of the test authority}
  stats PORT    what that listener has seen so far
  close PORT    the connection is closed after the next response, without announcing it
  hangup PORT   the next request is read and its connection closed without a response
KIND is http, a certificate's name for TLS (good, expired, wronghost, selfsigned, tls11), reset, silent, hangup
or proxy[:user:password].
Ends when stdin ends, so that no run leaves it behind.
"""

import base64
import gzip
import hashlib
import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler

HANG_SECONDS_MAX = 30
LISTENERS = {}
DRIP = b"x" * 10


class Stats:
    def __init__(self):
        self.lock = threading.Lock()
        self.accepts = self.active = self.peak = self.continues = self.requests = 0
        self.body_bytes = 0
        self.connects = []
        self.refused_logins = 0
        self.next = None  # "close" or "hangup"

    def add(self, name, value=1):
        with self.lock:
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self):
        with self.lock:
            names = ("accepts", "active", "peak", "continues", "requests", "body_bytes", "connects", "refused_logins")
            return {name: getattr(self, name) for name in names}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loopback"
    timeout = HANG_SECONDS_MAX

    def log_message(self, *_):
        pass

    @property
    def raw_target(self):
        # self.path folds leading slashes.
        return self.raw_requestline.split(b" ")[1].decode("latin-1")

    def handle_expect_100(self):
        self.server.stats.add("continues")
        if self.raw_target.startswith("/refuse-early"):
            self.send_answer(403, b"no")
            self.close_connection = True
            return False
        return super().handle_expect_100()

    def read_body(self):
        left = int(self.headers.get("Content-Length") or 0)
        digest, size = hashlib.sha256(), 0
        while left:
            piece = self.rfile.read(min(left, 1 << 16))
            if not piece:
                break
            digest.update(piece)
            size += len(piece)
            left -= len(piece)
        self.server.stats.add("body_bytes", size)
        return size, digest.hexdigest()

    def send_answer(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self):
        stats = self.server.stats
        stats.add("requests")
        with stats.lock:
            stats.active += 1
            stats.peak = max(stats.peak, stats.active)
            ending, stats.next = stats.next, None
        try:
            if ending == "hangup":
                self.read_body()
            else:
                self.route()
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        finally:
            stats.add("active", -1)
        if ending:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

    def route(self):
        size, digest = self.read_body()
        name, _, argument = self.raw_target.lstrip("/").partition("/")
        if name == "bytes":
            self.send_answer(200, b"a" * int(argument))
        elif name == "status":
            self.send_answer(int(argument))
        elif name == "head":
            self.send_answer(200, b"", [("ETag", '"abc"')], length=int(argument))
        elif name == "redirect":
            self.send_answer(302, b"moved", [("Location", "/bytes/5")])
        elif name == "gzip":
            self.send_answer(200, gzip.compress(b"hello", mtime=0), [("Content-Encoding", "gzip")])
        elif name == "truncated":
            self.send_answer(200, b"short", length=1000)
            self.close_connection = True
        elif name == "truncated-chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n64\r\nhalf")
            self.close_connection = True
        elif name == "chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(int(argument)):
                self.wfile.write(b"a\r\n" + DRIP + b"\r\n")
            self.wfile.write(b"0\r\nX-Trailer: late\r\n\r\n")
        elif name == "sleep":
            time.sleep(int(argument) / 1000)
            self.send_answer(200, b"slept")
        elif name == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            for _ in range(HANG_SECONDS_MAX * 5):
                self.wfile.write(DRIP)
                self.wfile.flush()
                time.sleep(0.2)
        elif name == "odd-headers":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Spaces: \t a b \t\r\nX-Colon: a:b: c\r\nX-Bytes: caf\xe9\r\n"
                b"x-twice: 1\r\nX-Twice: 2\r\nX-Folded: one\r\n  two\r\nContent-Length: 0\r\n\r\n"
            )
        elif name == "many-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Fill: " + b"f" * 50000 + b"\r\n")
            for _ in range(int(argument)):
                self.wfile.write(b"X-Fill: " + b"f" * 50000 + b"\r\n")
            self.wfile.write(b"Content-Length: 0\r\n\r\n")
        elif name == "not-http":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.close_connection = True
        else:
            report = {
                "method": self.command,
                "target": self.raw_target,
                "headers": [[n, v] for n, v in self.headers.items()],
                "bodyBytes": size,
                "bodySHA256": digest,
            }
            self.send_answer(200, json.dumps(report).encode())


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, kind, context=None, handler=Handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.kind, self.context, self.stats = kind, context, Stats()
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def process_request(self, request, client_address):
        self.stats.add("accepts")
        super().process_request(request, client_address)

    def finish_request(self, request, client_address):
        if self.kind == "reset":
            request.recv(1)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if self.kind == "hangup":
            request.recv(1 << 16)
            return
        if self.kind == "silent":
            time.sleep(HANG_SECONDS_MAX)
            return
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        try:
            super().finish_request(request, client_address)
        finally:
            if self.context:
                try:
                    request.unwrap()
                except OSError:
                    pass
                request.close()

    def handle_error(self, *_):
        pass


class Proxy(socketserver.StreamRequestHandler):
    """CONNECT only. Every name leads to the loopback address, so tests can use names that do not exist."""

    def handle(self):
        request = self.rfile.readline().decode("latin-1").split()
        headers = {}
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        stats, login = self.server.stats, self.server.kind.partition(":")[2]
        with stats.lock:
            stats.connects.append([" ".join(request[:2]), sorted(headers)])
        if login and headers.get("proxy-authorization") != "Basic " + base64.b64encode(login.encode()).decode():
            stats.add("refused_logins")
            self.wfile.write(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=t\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = request[1].rpartition(":")
        if host.startswith("forbidden"):
            self.wfile.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            return
        upstream = socket.create_connection(("127.0.0.1", int(port)))
        self.wfile.write(b"HTTP/1.1 200 Tunnel\r\n\r\n")
        back = threading.Thread(target=pump, args=(upstream, self.connection), daemon=True)
        back.start()
        pump(self.connection, upstream)
        back.join()


def pump(source, sink):
    try:
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    except OSError:
        pass
    for end, how in ((source, socket.SHUT_RD), (sink, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass


class Certificates:
    """An authority and what it signed, made by the openssl command."""

    NAMES = {
        "good": ("localhost", "DNS:localhost,DNS:archive.test,IP:127.0.0.1", ["-days", "2"]),
        "wronghost": ("other.test", "DNS:other.test", ["-days", "2"]),
        "expired": ("localhost", "DNS:localhost,IP:127.0.0.1", ["-days", "-1"]),
    }

    def __init__(self, folder):
        self.folder = folder
        self.bundle = self.path("ca.pem")
        self.self_signed("ca", "sluice test authority", ["-addext", "basicConstraints=critical,CA:TRUE"])
        self.self_signed("selfsigned", "localhost", ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        for name, (subject, names, validity) in self.NAMES.items():
            self.issue(name, subject, names, validity)

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def self_signed(self, name, subject, extensions):
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={subject}", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem"), *extensions,
        )

    def issue(self, name, subject, names, validity):
        key, request, extensions = self.path(f"{name}.key"), self.path(f"{name}.csr"), self.path(f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        self.openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={subject}", "-keyout", key, "-out", request,
        )
        self.openssl(
            "x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", self.path("ca.key"), "-CAcreateserial",
            "-extfile", extensions, "-out", self.path(f"{name}.pem"), *validity,
        )

    def context(self, kind):
        name = "good" if kind == "tls11" else kind
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "tls11":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        return context


def listen(kind, certificates):
    if kind.startswith("proxy"):
        listener = Listener(kind, handler=Proxy)
    elif kind in ("http", "reset", "silent", "hangup"):
        listener = Listener(kind)
    else:
        listener = Listener(kind, certificates.context(kind))
    LISTENERS[listener.port] = listener
    return {"port": listener.port, "bundle": certificates.bundle}


def main():
    warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is old on purpose
    with tempfile.TemporaryDirectory(prefix="sluice-transport-") as folder:
        certificates = Certificates(folder)
        for line in sys.stdin:
            command, argument = line.split()
            if command == "listen":
                answer = listen(argument, certificates)
            elif command == "stats":
                answer = LISTENERS[int(argument)].stats.as_dict()
            else:
                LISTENERS[int(argument)].stats.next = command
                answer = {}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
