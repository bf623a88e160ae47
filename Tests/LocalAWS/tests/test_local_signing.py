"""The gateway accepts what botocore signs, whatever the key, and nothing that differs from it by a bit."""

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from raw import send, signed

ODD_KEYS = [
    "plain", "dt=2026-11-23/hour=07/a.ndjson.gz", "a b", "a+b", "a%b", "a%20b", "ä/ö/ü", "日本語", "emoji-😀", "a//b",
    "a/./b", "a/../b", "~tilde", "a&b=c", "semi;colon", "quote'\"", "(paren)", "star*", "a:b", "a@b", "a,b", "$",
    "tab\there", "a?b", "a#b", "back\\slash", "[x]{y}|^`", "x" * 1000, "trailing ", "dot.", "_sluice/x/owner.json",
]


def code(error):
    return error.value.response["Error"]["Code"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_key_is_stored_and_read_under_its_own_name(s3, control, key):
    s3.create_bucket(Bucket="odd")
    s3.put_object(Bucket="odd", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="odd", Key=key)["Body"].read() == key.encode()
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="odd")["Contents"]] == [key]
    assert control.stats()["signature_refusals"] == 0


def test_each_single_change_is_refused(endpoint, s3):
    s3.create_bucket(Bucket="logs")
    path, body = "/logs/dt%3D1/k", b"body"
    good = signed(endpoint, "s3", "PUT", path, body, {"x-amz-meta-rows": "7", "Content-Type": "text/plain"})
    assert send(endpoint, "PUT", path, body, good)[0] == 200
    authorization = good["Authorization"]
    flipped = authorization[:-1] + "%x" % (int(authorization[-1], 16) ^ 1)

    def change(**headers):
        return dict(good, **{k.replace("_", "-"): v for k, v in headers.items()})

    refused = [
        ("one bit of the signature", path, body, change(Authorization=flipped),
         (403, "SignatureDoesNotMatch")),
        ("the path not encoded", "/logs/dt=1/k", body, good, (403, "SignatureDoesNotMatch")),
        ("another path", "/logs/dt%3D2/k", body, good, (403, "SignatureDoesNotMatch")),
        ("encoding in lower case", "/logs/dt%3d1/k", body, good, (403, "SignatureDoesNotMatch")),
        ("a query", path + "?x=", body, good, (403, "SignatureDoesNotMatch")),
        ("a signed header", path, body, change(x_amz_meta_rows="8"), (403, "SignatureDoesNotMatch")),
        ("one bit of the body", path, b"bodx", good, (400, "XAmzContentSHA256Mismatch")),
        ("an unsigned x-amz header", path, body, change(x_amz_tagging="a=b"), (403, "AccessDenied")),
        ("no x-amz-content-sha256", path, body,
         {k: v for k, v in good.items() if k != "X-Amz-Content-SHA256"}, (400, "AuthorizationHeaderMalformed")),
        ("no authorization", path, body, {k: v for k, v in good.items() if k != "Authorization"},
         (403, "AccessDenied")),
        ("not a signature", path, body, change(Authorization="AWS4-HMAC-SHA256 nonsense"),
         (400, "AuthorizationHeaderMalformed")),
        ("an unknown key", path, body, change(Authorization=authorization.replace("AKIALOCALAWS00000001", "AKIAX")),
         (403, "InvalidAccessKeyId")),
        ("another service", path, body, change(Authorization=authorization.replace("/s3/", "/sqs/")),
         (400, "AuthorizationHeaderMalformed")),
        ("a token that was not signed", path, body, change(x_amz_security_token="t"), (400, "InvalidToken")),
    ]
    for what, where, data, headers, (status, expected) in refused:
        found, text = send(endpoint, "PUT", where, data, headers)
        assert (found, expected in text) == (status, True), (what, found, text)
    wrong_secret = signed(endpoint, "s3", "PUT", path, body, {}, secret="x")
    assert "SignatureDoesNotMatch" in send(endpoint, "PUT", path, body, wrong_secret)[1]


def test_json_service_answers_400_invalid_signature(endpoint, control):
    headers = {"X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": "application/x-amz-json-1.1"}
    good = signed(endpoint, "kinesis", "POST", "/", b"{}", headers)
    assert send(endpoint, "POST", "/", b"{}", good) == (200, '{"StreamNames":[],"HasMoreStreams":false}')
    status, text = send(endpoint, "POST", "/", b'{"Limit":1}', good)
    assert status == 400 and '"__type": "InvalidSignatureException"' in text
    del good["X-Amz-Target"]
    assert send(endpoint, "POST", "/", b"{}", good)[0] == 400


def test_clock_skew_is_refused_by_each_service_in_its_way(endpoint, s3, kinesis, control):
    control.clock(offset=800)
    s3.list_buckets()
    with pytest.raises(ClientError) as error:
        kinesis.list_streams()
    assert code(error) == "InvalidSignatureException" and "Signature expired" in str(error.value)
    control.clock(offset=-800)
    with pytest.raises(ClientError) as error:
        kinesis.list_streams()
    assert "Signature not yet current" in str(error.value)
    control.clock(offset=1000)
    with pytest.raises(ClientError) as error:
        s3.list_buckets()
    assert code(error) == "RequestTimeTooSkewed"
    control.check_skew(False)
    s3.list_buckets()


def test_expired_and_foreign_tokens(endpoint, control):
    issued = control.issue_key(lifetime=600)
    names = {"aws_access_key_id": issued["access_key_id"], "aws_secret_access_key": issued["secret_access_key"]}
    for service, call, expired, wrong in [
            ("s3", "list_buckets", "ExpiredToken", "InvalidToken"),
            ("kinesis", "list_streams", "ExpiredTokenException", "UnrecognizedClientException"),
            ("sts", "get_caller_identity", "ExpiredToken", "InvalidClientTokenId")]:
        getattr(endpoint.client(service, aws_session_token=issued["session_token"], **names), call)()
        with pytest.raises(ClientError) as error:
            getattr(endpoint.client(service, aws_session_token="other", **names), call)()
        assert code(error) == wrong
        control.change_key(issued["access_key_id"], expires_in=-1)
        with pytest.raises(ClientError) as error:
            getattr(endpoint.client(service, aws_session_token=issued["session_token"], **names), call)()
        assert code(error) == expired
        control.change_key(issued["access_key_id"], expires_in=600)


def test_denied_actions_name_the_action(endpoint, control, s3, kinesis):
    s3.create_bucket(Bucket="logs")
    keys = control.issue_key(denied=["s3:PutObject arn:aws:s3:::logs/_sluice/*", "kinesis:GetRecords"])
    names = {"aws_access_key_id": keys["access_key_id"], "aws_secret_access_key": keys["secret_access_key"],
             "aws_session_token": keys["session_token"]}
    endpoint.client("s3", **names).put_object(Bucket="logs", Key="data", Body=b"")
    with pytest.raises(ClientError) as error:
        endpoint.client("s3", **names).put_object(Bucket="logs", Key="_sluice/x", Body=b"")
    assert code(error) == "AccessDenied" and "s3:PutObject" in str(error.value)
    with pytest.raises(ClientError) as error:
        endpoint.client("kinesis", **names).get_records(ShardIterator="x")
    assert code(error) == "AccessDeniedException"
    everything = endpoint.description["denied"]
    with pytest.raises(ClientError) as error:
        endpoint.client("kinesis", aws_access_key_id=everything["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=everything["AWS_SECRET_ACCESS_KEY"]).list_streams()
    assert code(error) == "AccessDeniedException"


def test_assumed_role_keys_are_known_and_expire(endpoint, control):
    answer = endpoint.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")
    keys = answer["Credentials"]
    client = endpoint.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_session_token=keys["SessionToken"],
                             aws_secret_access_key=keys["SecretAccessKey"])
    client.create_bucket(Bucket="logs")
    assert endpoint.client("s3").list_buckets()["Buckets"][0]["Name"] == "logs"
    control.check_skew(False)
    control.clock(advance=3700)
    with pytest.raises(ClientError) as error:
        client.list_buckets()
    assert code(error) == "ExpiredToken"


def test_web_identity_needs_no_signature(endpoint, control):
    session = botocore.session.get_session()
    sts = session.create_client("sts", region_name="us-east-1", endpoint_url=endpoint.url,
                                config=Config(signature_version=UNSIGNED))
    keys = sts.assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session",
                                             WebIdentityToken="token")["Credentials"]
    endpoint.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_session_token=keys["SessionToken"],
                    aws_secret_access_key=keys["SecretAccessKey"]).list_buckets()


def test_chunked_upload_is_not_implemented(endpoint, s3):
    s3.create_bucket(Bucket="logs")
    headers = signed(endpoint, "s3", "PUT", "/logs/k", b"body", {})
    headers["Transfer-Encoding"] = "chunked"
    status, text = send(endpoint, "PUT", "/logs/k", b"4\r\nbody\r\n0\r\n\r\n", headers)
    assert status == 501 and "NotImplemented" in text
