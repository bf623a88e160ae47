"""Verifies Signature Version 4 with botocore's own signing code, from the bytes on the wire.

botocore computes the canonical request from the raw path, the raw query and exactly the headers that the client
named in SignedHeaders. A difference of one bit anywhere is refused with the answer AWS gives.
"""

import base64
import calendar
import hashlib
import hmac
import re
import time
import zlib

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .errors import JSON_SERVICES, Refusal

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request, *"
    r"SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})")
SKEW_SECONDS = {"s3": 900}  # S3 allows 15 minutes, the others 5
OTHER_SKEW_SECONDS = 300
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Verified:
    def __init__(self, key, service, region):
        self.key = key
        self.service = service
        self.region = region


def dialect(service, json_code, s3_code, sts_code):
    """(status, code) of one condition; tables of the three dialects. Each argument is `(status, code)`."""
    if service in JSON_SERVICES:
        return json_code
    return s3_code if service == "s3" else sts_code


def verify(request, service, keys, now, check_skew=True):
    """The key that signed `request`, or a Refusal in the dialect of `service`."""
    header = request.header("Authorization")
    if not header:
        raise Refusal(*dialect(service, (400, "MissingAuthenticationTokenException"), (403, "AccessDenied"),
                               (403, "MissingAuthenticationToken")),
                      message="Access Denied" if service == "s3" else "Missing Authentication Token")
    match = AUTHORIZATION.fullmatch(header)
    if not match:
        raise malformed(service, "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' "
                                 "parameters of AWS4-HMAC-SHA256.")
    key_id, scope_date, region, scope_service, signed, signature = match.groups()
    if scope_service != service:
        raise malformed(service, "Credential should be scoped to correct service: '%s'." % service)
    key = find_key(request, service, keys, key_id, now)
    stamp = request.header("X-Amz-Date") or ""
    check_date(service, stamp, scope_date, now, check_skew)
    check_signed_headers(request, service, signed.split(";"))
    digest = check_payload_hash(request, service)
    canonical, to_sign, expected = compute(request, service, key, region, stamp, signed.split(";"), digest)
    if not hmac.compare_digest(expected, signature):
        raise wrong_signature(service, key_id, signature, canonical, to_sign)
    return Verified(key, service, region)


def compute(request, service, key, region, stamp, signed, digest):
    """Canonical request, string to sign and signature as botocore computes them for these raw bytes."""
    base = S3SigV4Auth if service == "s3" else SigV4Auth

    class Recomputing(base):
        def headers_to_sign(self, _):
            chosen = HTTPHeaders()
            for name, value in request.headers:
                if name.lower() in signed:
                    chosen[name.lower()] = value
            return chosen

    # Raw text, so that botocore sees the path and the query as they were sent.
    url = "http://host" + request.path + ("?" + request.query if request.query else "")
    copy = AWSRequest(method=request.method, url=url, data=request.body)
    copy.headers = HTTPHeaders()
    copy.headers["X-Amz-Content-SHA256"] = digest
    copy.context["timestamp"] = stamp
    auth = Recomputing(Credentials(key.key_id, key.secret), service, region)
    canonical = auth.canonical_request(copy)
    to_sign = auth.string_to_sign(copy, canonical)
    return canonical, to_sign, auth.signature(to_sign, copy)


def find_key(request, service, keys, key_id, now):
    key = keys.find(key_id)
    if key is None:
        message = ("The AWS Access Key Id you provided does not exist in our records." if service == "s3"
                   else "The security token included in the request is invalid.")
        raise Refusal(*dialect(service, (400, "UnrecognizedClientException"), (403, "InvalidAccessKeyId"),
                               (403, "InvalidClientTokenId")), message=message)
    token = request.header("X-Amz-Security-Token")
    if (token or None) != key.token:
        message = ("The provided token is malformed or otherwise invalid." if service == "s3"
                   else "The security token included in the request is invalid.")
        raise Refusal(*dialect(service, (400, "UnrecognizedClientException"), (400, "InvalidToken"),
                               (403, "InvalidClientTokenId")), message=message)
    if key.expires is not None and key.expires <= now:
        message = ("The provided token has expired." if service == "s3"
                   else "The security token included in the request is expired")
        raise Refusal(*dialect(service, (400, "ExpiredTokenException"), (400, "ExpiredToken"),
                               (403, "ExpiredToken")), message=message)
    return key


def check_date(service, stamp, scope_date, now, check_skew):
    try:
        sent = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise malformed(service, "AWS authentication requires a valid X-Amz-Date header, got %r" % stamp)
    if stamp[:8] != scope_date:
        raise malformed(service, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                                 "from HTTP: '%s' != '%s', from '%s'." % (scope_date, stamp[:8], stamp))
    allowed = SKEW_SECONDS.get(service, OTHER_SKEW_SECONDS)
    if not check_skew or abs(sent - now) <= allowed:
        return
    if service == "s3":
        raise Refusal(403, "RequestTimeTooSkewed",
                      "The difference between the request time and the current time is too large.",
                      {"RequestTime": stamp, "ServerTime": iso(now), "MaxAllowedSkewMilliseconds": allowed * 1000})
    server = basic(now)
    if sent < now:
        text = "Signature expired: %s is now earlier than %s (%s - %d min.)" % (
            stamp, basic(now - allowed), server, allowed // 60)
    else:
        text = "Signature not yet current: %s is still later than %s (%s + %d min.)" % (
            stamp, basic(now + allowed), server, allowed // 60)
    raise Refusal(*dialect(service, (400, "InvalidSignatureException"), None, (403, "SignatureDoesNotMatch")),
                  message=text)


def check_signed_headers(request, service, signed):
    if signed != sorted(set(name.lower() for name in signed)):
        raise malformed(service, "SignedHeaders must be lower case, sorted and without repetition.")
    if "host" not in signed:
        raise malformed(service, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    present = set(name.lower() for name, _ in request.headers)
    missing = [name for name in signed if name not in present]
    if missing:
        raise malformed(service, "SignedHeaders names headers that were not sent: " + ", ".join(missing))
    unsigned = sorted(name for name in present
                      if (name.startswith("x-amz-") or name in ("content-type", "content-md5"))
                      and name not in signed)
    if unsigned:
        raise Refusal(*dialect(service, (400, "InvalidSignatureException"), (403, "AccessDenied"),
                               (403, "SignatureDoesNotMatch")),
                      message="There were headers present in the request which were not signed",
                      extra={"HeadersNotSigned": ", ".join(unsigned)})


def check_payload_hash(request, service):
    """The body's hash as the canonical request must carry it."""
    sent = request.header("X-Amz-Content-SHA256")
    actual = hashlib.sha256(request.body).hexdigest() if request.body else EMPTY_SHA256
    if service != "s3":
        return actual
    if sent is None:
        raise Refusal(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if sent.startswith("STREAMING-"):
        raise Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented",
                      {"Header": "x-amz-content-sha256: " + sent})
    if not re.fullmatch("[0-9a-f]{64}", sent):
        raise Refusal(400, "InvalidArgument", "x-amz-content-sha256 must be a valid sha256 value. UNSIGNED-PAYLOAD "
                                              "is not accepted over http.",
                      {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": sent})
    return sent


def check_body(request):
    """What S3 checks after the signature: the body against its hash and against every checksum header."""
    actual = hashlib.sha256(request.body).hexdigest()
    sent = request.header("X-Amz-Content-SHA256")
    if sent != actual:
        raise Refusal(400, "XAmzContentSHA256Mismatch",
                      "The provided 'x-amz-content-sha256' header does not match what was computed.",
                      {"ClientComputedContentSHA256": sent, "S3ComputedContentSHA256": actual})
    claimed = request.header("Content-MD5")
    if claimed is not None and claimed != b64(hashlib.md5(request.body).digest()):
        raise Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.",
                      {"ExpectedDigest": claimed})
    for name, compute_checksum in CHECKSUMS.items():
        claimed = request.header("x-amz-checksum-" + name)
        if claimed is not None and claimed != b64(compute_checksum(request.body)):
            raise Refusal(400, "BadDigest", "The %s you specified did not match the calculated checksum."
                          % name.upper())


def b64(data):
    return base64.b64encode(data).decode()


CHECKSUMS = {
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha1": lambda body: hashlib.sha1(body).digest(),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}


def malformed(service, message):
    return Refusal(*dialect(service, (400, "IncompleteSignatureException"), (400, "AuthorizationHeaderMalformed"),
                            (400, "IncompleteSignature")), message=message)


def wrong_signature(service, key_id, signature, canonical, to_sign):
    if service == "s3":
        return Refusal(403, "SignatureDoesNotMatch",
                       "The request signature we calculated does not match the signature you provided. "
                       "Check your key and signing method.",
                       {"AWSAccessKeyId": key_id, "StringToSign": to_sign, "SignatureProvided": signature,
                        "CanonicalRequest": canonical})
    text = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String "
            "for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n"
            % (canonical, to_sign))
    return Refusal(*dialect(service, (400, "InvalidSignatureException"), None, (403, "SignatureDoesNotMatch")),
                   message=text)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def basic(seconds):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
