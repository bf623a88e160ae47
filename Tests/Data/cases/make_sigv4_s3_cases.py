"""Writes sigv4_s3_cases.jsonl: S3 requests signed by botocore. The official suite has no case of the S3 rules.

Run with the botocore of the project's virtual environment: python make_sigv4_s3_cases.py > sigv4_s3_cases.jsonl
"""
import datetime
import hashlib
import json
import sys
from unittest import mock
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

WHEN = datetime.datetime(2026, 11, 22, 20, 31, 0)
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "tok/en+with=signs"
KEYS = [
    "drupal/dt=2026-11-22/hour=20/my_stream-shardId-000000000000-0049.ndjson.gz",
    "a//b", "../a/./b", "/lead", "a b+c&d=e?f#g%41", "ü/😀", "tab\tlf\n", "~-._",
    "q'\"(){}[]*!$,;:@\\^`|<>", "%2F", "a/", "e\u0301/é",
]


def signed(method, key, query, headers, body, token):
    path = "/" + quote(key, safe="/-._~")
    url = "https://acme-logs.s3.us-east-1.amazonaws.com" + path + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    request.context["payload_signing_enabled"] = True
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: WHEN):
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, token), "s3", "us-east-1").add_auth(request)
    return {
        "method": method, "key": key, "query": query, "headers": headers, "token": token,
        "payload_hash": hashlib.sha256(body).hexdigest(), "authorization": request.headers["Authorization"],
    }


put = [["If-None-Match", "*"], ["x-amz-meta-a", "  b   c "], ["Content-Type", "application/gzip"]]
cases = [signed("PUT", key, None, put, key.encode(), TOKEN if i % 2 else None) for i, key in enumerate(KEYS)]
cases.append(signed("HEAD", "k", None, [["x-amz-expected-bucket-owner", "123456789012"]], b"", TOKEN))
listing = "encoding-type=url&list-type=2&max-keys=1000&prefix=" + quote("dt=1/ü a+b", safe="-._~")
cases.append(signed("GET", "", listing + "&start-after=x%20y", [], b"", TOKEN))
for case in cases:
    sys.stdout.write(json.dumps(case, ensure_ascii=False) + "\n")
