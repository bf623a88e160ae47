"""moto's S3, STS and DynamoDB, called in process through WSGI: no second server, no second connection.

One lock a service makes every call atomic, which moto itself is not (two conditional PUTs at once could both win).
The raw target is passed on, so odd keys arrive as they were sent.
"""

import io
import os
import threading
from urllib.parse import unquote_to_bytes

from .wire import Response

SERVICES = ("s3", "sts", "dynamodb")
HOP_BY_HOP = {"connection", "date", "server", "keep-alive", "transfer-encoding", "content-length"}
# Every caller is the same to moto: it would otherwise give the keys of another role another account.
AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=AKIAMOTO/20260101/%s/%s/aws4_request, SignedHeaders=host, "
                 "Signature=0")


class Moto:
    def __init__(self):
        os.environ.setdefault("MOTO_S3_DEFAULT_KEY_BUFFER_SIZE", str(32 * 1024 * 1024))
        os.environ.setdefault("MOTO_S3_CUSTOM_ENDPOINTS", "")
        from moto.moto_server.werkzeug_app import create_backend_app  # half a second: not at import

        self._locks = {name: threading.Lock() for name in SERVICES}
        self._apps = {name: create_backend_app(name) for name in SERVICES}
        for app in self._apps.values():
            app.debug = False

    def reset(self):
        from moto.backends import get_backend

        for name in SERVICES:
            with self._locks[name]:
                for account in list(get_backend(name).values()):
                    for backend in list(account.values()):
                        backend.reset()

    def bucket_region(self, bucket):
        """The region that a bucket was made in; None when there is no such bucket."""
        from moto.backends import get_backend

        for account in get_backend("s3").values():
            found = account["aws"].buckets.get(bucket)
            if found is not None:
                return found.region_name
        return None

    def object_bytes(self, bucket, key):
        """The bytes of an object; None when there is none. For services that read S3 themselves."""
        from moto.backends import get_backend

        with self._locks["s3"]:
            for account in get_backend("s3").values():
                found = account["aws"].buckets.get(bucket)
                if found is not None and key in found.keys:
                    return found.keys[key].value
        return None

    def call(self, service, request, region, body=None):
        body = request.body if body is None else body
        environ = {
            "REQUEST_METHOD": request.method, "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"), "QUERY_STRING": request.query,
            "RAW_URI": request.target, "REQUEST_URI": request.target, "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key not in ("CONTENT_LENGTH", "EXPECT", "AUTHORIZATION", "CONNECTION"):
                environ["HTTP_" + key] = value
        if region:
            environ["HTTP_AUTHORIZATION"] = AUTHORIZATION % (region, service)
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer["status"], answer["headers"] = int(status.split(" ")[0]), headers

        with self._locks[service]:
            chunks = self._apps[service](environ, start_response)
            try:
                data = b"".join(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        headers = [(k, v) for k, v in answer["headers"]
                   if k.lower() not in HOP_BY_HOP and not k.lower().startswith("access-control-")]
        length = [v for k, v in answer["headers"] if k.lower() == "content-length"]
        if request.method == "HEAD" and length:
            headers.append(("Content-Length", length[0]))
        return Response(answer["status"], headers, data)
