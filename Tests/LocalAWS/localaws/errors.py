"""One refusal, said in the dialect of the service that was asked.

JSON services answer 400 with `__type` and `message`; S3 and STS answer XML. HEAD answers carry no body. Codes and
texts are AWS's own, because the client under test decides by them.
"""

import json
import uuid
from xml.sax.saxutils import escape

from .wire import Response

JSON_SERVICES = {"kinesis": "1.1", "dynamodb": "1.0", "redshift-data": "1.1"}


class Refusal(Exception):
    """A request that is answered with an error. `extra` becomes elements (XML) or is left out (JSON)."""

    def __init__(self, status, code, message, extra=None, headers=()):
        super().__init__(code + ": " + message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra or {}
        self.headers = list(headers)


def error_response(service, refusal, method="GET", resource=""):
    """The refusal as `service` would send it."""
    request_id = str(uuid.uuid4())
    if service in JSON_SERVICES:
        body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        kind = "application/x-amz-json-" + JSON_SERVICES[service]
    elif service == "s3":
        fields = [("Code", refusal.code), ("Message", refusal.message)] + list(refusal.extra.items())
        if resource:
            fields.append(("Resource", resource))
        fields += [("RequestId", request_id), ("HostId", "local")]
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error>%s</Error>' % elements(fields)).encode()
        kind = "application/xml"
    else:
        inner = elements([("Type", "Sender"), ("Code", refusal.code), ("Message", refusal.message)])
        body = ('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>%s</Error>'
                "<RequestId>%s</RequestId></ErrorResponse>" % (inner, request_id)).encode()
        kind = "text/xml"
    if method == "HEAD":
        return Response(refusal.status, refusal.headers + [("Content-Type", kind)])
    return Response(refusal.status, refusal.headers + [("Content-Type", kind)], body)


def elements(fields):
    return "".join("<%s>%s</%s>" % (name, escape(clean(str(value))), name) for name, value in fields)


def clean(text):
    """Without the characters that XML 1.0 has no way to write."""
    return "".join(c if c in "\t\n\r" or ord(c) >= 0x20 else "?" for c in text)
