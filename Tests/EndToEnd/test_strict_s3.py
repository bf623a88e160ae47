"""Signing and uploads work against an S3 that nobody here wrote: OpenStack Swift's s3api.

It recomputes signatures, payload hashes and paths by its own code, so what passes here is not just what our own
gateway and botocore agree on.
"""

import json

import pytest
from botocore.exceptions import ClientError

from support.auditor import Audit
from support.strict import StrictS3

# Each becomes part of a key, and no two of them the same part.
ODD_HOSTS = ["plain", "a=b", "A=B", "a+b", "a%20b", "a&b", "ä-ö", "日本", "a~b", "a'b\"", "(x)*!", "a;b,c", "a:b@c", "..",
             "_", "%2e%2e", "a//b", "x" * 200]


@pytest.fixture(scope="module")
def strict():
    server = StrictS3()
    yield server
    server.stop()


def code(error):
    return error.value.response["Error"]["Code"]


def test_it_is_strict(strict):
    """What this test is worth: the server refuses a wrong secret, a wrong hash and a second conditional PUT."""
    s3 = strict.client()
    s3.create_bucket(Bucket="strictness")
    s3.put_object(Bucket="strictness", Key="k", Body=b"x", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="strictness", Key="k", Body=b"x", IfNoneMatch="*")
    assert code(error) == "PreconditionFailed"
    with pytest.raises(ClientError) as error:
        strict.client(aws_secret_access_key="other").list_buckets()
    assert code(error) == "SignatureDoesNotMatch"

    def lie(request, **_):
        request.body = b"y"

    s3.meta.events.register("before-send.s3.PutObject", lie)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="strictness", Key="k2", Body=b"x")
    assert code(error) == "XAmzContentSHA256Mismatch"


def test_archive_with_odd_keys(strict, aws, scenario):
    # Fluentd's JSON carries a host of any form.
    lines = [json.dumps({"host": ODD_HOSTS[n % len(ODD_HOSTS)], "ident": "app", "message": "line %d" % n,
                         "time": "2026-11-22T22:16:%02dZ" % (n % 60)}) for n in range(20 * len(ODD_HOSTS))]
    scenario.set_up(shards=2, destination={"prefix": "a=1/b.-_/host={host}/dt={date}/"})
    scenario.load(lines)
    strict.client().create_bucket(Bucket=scenario.bucket)
    aws.control.put_key(strict.access_key_id, strict.secret_access_key)
    del scenario.program.environment["AWS_ENDPOINT_URL"]
    scenario.program.environment.update({
        "AWS_ENDPOINT_URL_S3": strict.url, "AWS_ENDPOINT_URL_KINESIS": aws.url,
        "AWS_ACCESS_KEY_ID": strict.access_key_id, "AWS_SECRET_ACCESS_KEY": strict.secret_access_key})
    result = scenario.archive()
    assert result.report["totals"]["rows"] == len(lines)
    audit = Audit(strict.client(), scenario.bucket, scenario.oracle(), scenario.stream, scenario.control_prefix)
    audit.assert_clean("strict S3")
    hosts = {row.get("host") for row in audit.rows}
    assert hosts == set(ODD_HOSTS)
    assert len({key.split("/dt=")[0] for key in audit.objects}) == len(ODD_HOSTS)
