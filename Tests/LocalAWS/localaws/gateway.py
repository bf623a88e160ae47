"""The one address that a client under test talks to.

For every request, in this order: classify, let a fault rule spoil the request, verify the signature, check who may do
what, check the body against its hashes, let a fault rule act, do the call, let a fault rule spoil the answer, log.
S3 decides on the caller from the headers, before it takes the body (that is what `Expect: 100-continue` is for).
"""

import calendar
import json
import time
import traceback
import uuid
import xml.etree.ElementTree as ElementTree

from . import signing
from .calls import Call
from .errors import JSON_SERVICES, Refusal, error_response
from .faults import flip
from .keys import ACCOUNT, AccessKey
from .wire import Response

UNSIGNED_STS = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"


class Gateway:
    def __init__(self, clock, keys, kinesis, moto, redshift, faults, journal, control):
        self.clock = clock
        self.keys = keys
        self.kinesis = kinesis
        self.moto = moto
        self.redshift = redshift
        self.faults = faults
        self.journal = journal
        self.control = control
        self.reset()

    def reset(self):
        self.check_skew = True
        self.bucket_owners = {}

    def handle(self, request):
        if request.path.startswith("/_control/"):
            return self.control.handle(request)
        started = time.monotonic()
        call = Call(request, self.kinesis)
        rule = None if call.is_observer else self.faults.choose(call)
        code = None
        try:
            response = self._answer(call, rule)
        except Refusal as refusal:
            code = refusal.code
            response = error_response(call.service, refusal, request.method, request.path)
        except Exception:
            traceback.print_exc()
            code = "InternalFailure"
            response = error_response(call.service, Refusal(500, code, "the emulator failed; see its standard error"))
        code = code or self._error_code(call, response)
        self._finish(call, response)
        if rule is not None:
            response = spoil(rule, response)
        if not call.is_observer:
            self.journal.add(call, response, code, started, rule)
        return response

    def _answer(self, call, rule):
        request = call.request
        kind = rule.action["kind"] if rule else None
        if kind == "flip_request":
            request.body = flip(request.body, rule.action.get("offset", 0))
        if request.chunked:
            raise Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented",
                          {"Header": "Transfer-Encoding"})
        key = self._authenticate(call)
        if key is not None:
            self._authorize(call, key)
            if call.service == "s3":
                signing.check_body(call.request)
        if rule is not None and "seconds" in rule.action and not rule.action.get("after_call"):
            time.sleep(rule.action["seconds"])
        if kind == "error":
            return injected_error(call, rule)
        if kind == "cut":
            return Response(0, cut=True, reset=rule.action.get("reset", False))
        response = None
        if kind != "error_in_200" or rule.action.get("after_call"):
            response = self._dispatch(call, rule.action if kind == "put_partial" else None)
            self._hide_absence(call, key, response)
        if kind == "error_in_200":
            wrong = error_response("s3", Refusal(200, rule.action.get("code", "InternalError"),
                                                 rule.action.get("message", "We encountered an internal error.")))
            return Response(200, wrong.headers, wrong.body)
        return response

    def _authenticate(self, call):
        """The key that signed the request; None for the calls that STS takes unsigned."""
        if call.service == "unknown":
            raise Refusal(400, "UnknownOperationException", "no such service here")
        if call.service == "sts" and call.operation in UNSIGNED_STS:
            return None
        try:
            verified = signing.verify(call.request, call.service, self.keys, self.clock.now(),
                                      self.check_skew and not call.is_observer)
        except Refusal as refusal:
            call.signature_refused = refusal.code in (
                "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignatureException",
                "IncompleteSignature", "AuthorizationHeaderMalformed")
            raise
        call.verified = True
        if call.service == "s3":
            self._check_bucket(call, verified.region)
        return verified.key

    def _check_bucket(self, call, region):
        if call.bucket is None or call.operation == "CreateBucket":
            return
        actual = self.moto.bucket_region(call.bucket)
        if actual is not None and actual != region:
            raise Refusal(400, "AuthorizationHeaderMalformed",
                          "The authorization header is malformed; the region '%s' is wrong; expecting '%s'"
                          % (region, actual), {"Region": actual}, [("x-amz-bucket-region", actual)])
        expected = call.request.header("x-amz-expected-bucket-owner")
        owner = self.bucket_owners.get(call.bucket, ACCOUNT)
        if actual is not None and expected not in (None, owner):
            raise Refusal(403, "AccessDenied", "Access Denied")

    def _authorize(self, call, key):
        for action, resource, context in call.needed(self._owner(call)):
            if key.denies(action, resource, context):
                raise self._refusal(call, key, action, resource)

    def _owner(self, call):
        return self.bucket_owners.get(call.bucket, ACCOUNT)

    def _refusal(self, call, key, action, resource):
        where = '"%s"' % resource if call.service == "s3" else resource
        text = "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the " \
               "%s action" % (key.arn, action, where, action)
        if call.service == "s3":
            return Refusal(403, "AccessDenied", "Access Denied" if call.method == "HEAD" else text)
        return Refusal(*((400, "AccessDeniedException") if call.service in JSON_SERVICES else (403, "AccessDenied")),
                       message=text)

    def _hide_absence(self, call, key, response):
        """S3 says 404 of a key to those only who may list the bucket; no prefix is part of that question.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"."""
        if (call.operation in ("GetObject", "HeadObject") and response.status == 404 and key is not None
                and self.moto.bucket_region(call.bucket) is not None
                and key.denies("s3:ListBucket", "arn:aws:s3:::" + call.bucket,
                               {"s3:ResourceAccount": self._owner(call)})):
            raise self._refusal(call, key, "s3:ListBucket", "arn:aws:s3:::" + call.bucket)

    def _dispatch(self, call, partial):
        if call.service == "kinesis":
            if partial is not None and call.operation == "PutRecords":
                answer = self.kinesis.put_records(call.json_body(), call.region, partial)
                return Response(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(answer).encode())
            return self.kinesis.call(call.operation, call.json_body(), call.region)
        if call.service == "redshift-data":
            return self.redshift.call(call.operation, call.json_body(), call.access_key)
        if call.service not in ("s3", "sts", "dynamodb"):
            raise Refusal(400, "UnknownOperationException", "the local endpoint has no " + call.service)
        response = self.moto.call(call.service, call.request, call.region)
        if call.service == "sts":
            self._register_assumed_role(response)
        if call.service == "s3" and call.bucket is not None and response.header("x-amz-bucket-region") is None:
            region = self.moto.bucket_region(call.bucket)
            if region is not None and call.operation == "HeadBucket":
                response.headers.append(("x-amz-bucket-region", region))
        return response

    def _register_assumed_role(self, response):
        """Keys that moto's STS handed out become known here, with their expiry."""
        if response.status != 200:
            return
        root = ElementTree.fromstring(response.body)
        for found in root.iter(STS + "Credentials"):
            fields = {child.tag[len(STS):]: child.text for child in found}
            expires = _seconds(fields["Expiration"])
            self.keys.put(AccessKey(fields["AccessKeyId"], fields["SecretAccessKey"], fields["SessionToken"], expires,
                                    arn="arn:aws:sts::%s:assumed-role/local/session" % ACCOUNT))

    def _finish(self, call, response):
        response.headers.append(("Date", self.clock.http_date()))
        identifier = str(uuid.uuid4())
        if call.service == "s3":
            response.headers.append(("x-amz-request-id", identifier.replace("-", "")[:16].upper()))
            response.headers.append(("x-amz-id-2", identifier))
            response.headers.append(("Server", "AmazonS3"))
        else:
            response.headers.append(("x-amzn-RequestId", identifier))

    def _error_code(self, call, response):
        """The error code of an answer that came from moto or a rule, for the log."""
        if response.cut or (response.status < 400 and b"<Error>" not in response.body[:256]):
            return None
        if call.service in JSON_SERVICES:
            try:
                return json.loads(response.body).get("__type", "").rpartition("#")[2]
            except (ValueError, AttributeError):
                return str(response.status)
        before, _, rest = response.body[:4096].partition(b"<Code>")
        return rest.partition(b"</Code>")[0].decode("latin-1") or str(response.status)


def injected_error(call, rule):
    action = rule.action
    refusal = Refusal(action.get("status", 500), action.get("code", "InternalFailure"),
                      action.get("message", "injected by a fault rule"))
    response = error_response(call.service, refusal, call.method, call.request.path)
    body = rule.replacement_body()
    if body is not None:
        response.body = body
    if "retry_after_ms" in action:
        response.headers.append(("x-amz-retry-after", str(action["retry_after_ms"])))
    response.headers += list(action.get("headers", {}).items())
    return response


def spoil(rule, response):
    """The answer as the client gets to see it under this rule."""
    action, kind = rule.action, rule.action["kind"]
    if action.get("after_call") and "seconds" in action:
        time.sleep(action["seconds"])
    if kind == "lose_answer":
        return Response(response.status, cut=True, reset=action.get("reset", False))
    if kind == "truncate":
        response.send_at_most = action.get("bytes", 0)
        response.reset = action.get("reset", False)
    elif kind == "flip_response":
        response.body = flip(response.body, action.get("offset", 0))
    elif kind == "replace_body":
        response.status = action.get("status", response.status)
        response.body = rule.replacement_body() or b""
    elif kind == "close":
        response.close = True
    return response


def _seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
