"""Instance metadata (IMDSv2, strict) and the container credentials endpoint, on a port of their own.

Version 1 is refused: a GET without a session token gets 401. Keys that are handed out are known to the gateway, live
as long as the settings say, and rotate when a test asks for it.
"""

import json
import secrets
import time

from .signing import iso
from .wire import Response

TOKEN_SECONDS_MAX = 21600
ROLE = "sluice-archiver"
CONTAINER_PATH = "/v2/credentials/9c7a"

DEFAULTS = {
    "lifetime": 21600,       # seconds that handed out keys live
    "rotate_before": 300,    # a new set is handed out when the old one has less than this left
    "denied": [],            # actions that the keys may not do
    "imds": "ok",            # ok | down (503) | v1_only (token PUT answers 404) | silent (token PUT never answers)
    "container": "ok",       # ok | down | garbage
}


class Metadata:
    def __init__(self, clock, keys):
        self._clock = clock
        self._keys = keys
        self.container_token = "container-token-" + secrets.token_hex(8)
        self.reset()

    def reset(self):
        self.settings = dict(DEFAULTS)
        self._tokens = {}
        self._issued = {}
        self.requests = []

    def change(self, changes):
        changes = dict(changes)
        if changes.pop("rotate", False):
            self._issued = {}
        unknown = set(changes) - set(DEFAULTS)
        if unknown:
            raise ValueError("unknown %s; known are %s" % (sorted(unknown), sorted(DEFAULTS)))
        self.settings.update(changes)
        return dict(self.settings, container_token=self.container_token)

    def handle(self, request):
        response = self._answer(request)
        self.requests.append({"method": request.method, "path": request.path, "status": response.status})
        return response

    def _answer(self, request):
        if request.path == CONTAINER_PATH:
            return self._container(request)
        if request.path == "/latest/api/token":
            return self._token(request)
        if self.settings["imds"] == "down":
            return plain(503, "Service Unavailable")
        if self.settings["imds"] != "v1_only":
            token = request.header("X-aws-ec2-metadata-token")
            if token is None or self._tokens.get(token, 0) <= time.monotonic():
                return plain(401, "Unauthorized")
        return self._instance(request)

    def _token(self, request):
        if self.settings["imds"] == "silent":  # what a hop limit of 1 looks like from inside a container
            time.sleep(30)
            return Response(503, cut=True)
        if self.settings["imds"] != "ok":
            return plain(404 if self.settings["imds"] == "v1_only" else 503, "")
        if request.method != "PUT":
            return plain(405, "Method Not Allowed")
        if request.header("X-Forwarded-For"):
            return plain(403, "Forbidden")
        lifetime = request.header("X-aws-ec2-metadata-token-ttl-seconds") or ""
        if not lifetime.isdigit() or not 1 <= int(lifetime) <= TOKEN_SECONDS_MAX:
            return plain(400, "Bad Request")
        token = "AQAEA" + secrets.token_urlsafe(36) + "=="
        self._tokens[token] = time.monotonic() + int(lifetime)
        return plain(200, token, [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", lifetime)])

    def _instance(self, request):
        if request.method != "GET":
            return plain(405, "Method Not Allowed")
        if request.path in ("/latest/meta-data/iam/security-credentials/",
                            "/latest/meta-data/iam/security-credentials"):
            return plain(200, ROLE)
        if request.path == "/latest/meta-data/iam/security-credentials/" + ROLE:
            key = self._current("imds")
            return as_json({"Code": "Success", "LastUpdated": iso(self._clock.now()), "Type": "AWS-HMAC",
                            "AccessKeyId": key.key_id, "SecretAccessKey": key.secret, "Token": key.token,
                            "Expiration": iso(key.expires)})
        if request.path == "/latest/meta-data/placement/region":
            return plain(200, "us-east-1")
        return plain(404, "Not Found")

    def _container(self, request):
        if self.settings["container"] == "down":
            return as_json({"code": "InternalServerError", "message": "try later"}, 500)
        if self.settings["container"] == "garbage":
            return plain(200, "<html>not credentials</html>")
        if request.method != "GET" or request.header("Authorization") != self.container_token:
            return as_json({"code": "AccessDenied", "message": "Provided token is not authorized"}, 401)
        key = self._current("container")
        return as_json({"AccessKeyId": key.key_id, "SecretAccessKey": key.secret, "Token": key.token,
                        "Expiration": iso(key.expires), "RoleArn": key.arn})

    def _current(self, source):
        """The keys in force; a new set when the old one runs out, or was told to."""
        key = self._issued.get(source)
        if key is None or key.expires - self._clock.now() < self.settings["rotate_before"]:
            key = self._keys.issue_temporary(self.settings["lifetime"], self.settings["denied"])
            self._issued[source] = key
        return key


def plain(status, text, headers=()):
    return Response(status, [("Content-Type", "text/plain")] + list(headers), text.encode())


def as_json(value, status=200):
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode())
