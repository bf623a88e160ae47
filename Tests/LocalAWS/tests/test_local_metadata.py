"""Instance metadata takes version 2 only; what it hands out signs, expires and rotates."""

import http.client

import pytest
from botocore.exceptions import ClientError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher


def ask(endpoint, method, path, headers=()):
    host = endpoint.description["metadata_url"][len("http://"):]
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request(method, path, headers=dict(headers))
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_version_one_and_bad_tokens_are_refused(endpoint, control):
    path = "/latest/meta-data/iam/security-credentials/"
    assert ask(endpoint, "GET", path)[0] == 401
    assert ask(endpoint, "GET", path, {"X-aws-ec2-metadata-token": "x"})[0] == 401
    lifetime = "X-aws-ec2-metadata-token-ttl-seconds"
    assert ask(endpoint, "PUT", "/latest/api/token")[0] == 400
    assert ask(endpoint, "PUT", "/latest/api/token", {lifetime: "21601"})[0] == 400
    assert ask(endpoint, "PUT", "/latest/api/token", {lifetime: "60", "X-Forwarded-For": "1.2.3.4"})[0] == 403
    status, token = ask(endpoint, "PUT", "/latest/api/token", {lifetime: "60"})
    assert status == 200
    assert ask(endpoint, "GET", path, {"X-aws-ec2-metadata-token": token}) == (200, "sluice-archiver")


def test_botocore_gets_keys_that_sign(endpoint, control):
    control.metadata(lifetime=900)
    fetcher = InstanceMetadataFetcher(base_url=endpoint.description["metadata_url"] + "/", num_attempts=1)
    keys = fetcher.retrieve_iam_role_credentials()
    names = {"aws_access_key_id": keys["access_key"], "aws_secret_access_key": keys["secret_key"],
             "aws_session_token": keys["token"]}
    endpoint.client("s3", **names).list_buckets()
    assert fetcher.retrieve_iam_role_credentials()["access_key"] == keys["access_key"]
    control.metadata(rotate=True)
    assert fetcher.retrieve_iam_role_credentials()["access_key"] != keys["access_key"]
    control.change_key(keys["access_key"], expires_in=0)
    with pytest.raises(ClientError) as error:
        endpoint.client("s3", **names).list_buckets()
    assert error.value.response["Error"]["Code"] == "ExpiredToken"
    control.metadata(imds="v1_only")
    assert fetcher._fetch_metadata_token() is None


def test_container_endpoint_wants_its_token(endpoint, control):
    uri = endpoint.description["container"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    token = endpoint.description["container"]["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    path = uri[len(endpoint.description["metadata_url"]):]
    assert ask(endpoint, "GET", path)[0] == 401
    keys = ContainerMetadataFetcher().retrieve_full_uri(uri, {"Authorization": token})
    endpoint.client("kinesis", aws_access_key_id=keys["AccessKeyId"], aws_session_token=keys["Token"],
                    aws_secret_access_key=keys["SecretAccessKey"]).list_streams()
    control.metadata(container="garbage")
    assert not ask(endpoint, "GET", path, {"Authorization": token})[1].startswith("{")
