"""What the gateway adds to moto's S3, and what of moto the product relies on."""

import threading

import pytest
from botocore.exceptions import ClientError


def status(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_conditional_puts(s3):
    s3.create_bucket(Bucket="logs")
    first = s3.put_object(Bucket="logs", Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="logs", Key="k", Body=b"2", IfNoneMatch="*")
    assert status(error) == 412
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="logs", Key="k", Body=b"2", IfMatch='"0000"')
    assert status(error) == 412
    s3.put_object(Bucket="logs", Key="k", Body=b"3", IfMatch=first["ETag"], Metadata={"sha256": "x"})
    head = s3.head_object(Bucket="logs", Key="k")
    assert head["ContentLength"] == 1 and head["Metadata"] == {"sha256": "x"}


def test_one_of_many_conditional_puts_wins(endpoint, s3):
    s3.create_bucket(Bucket="logs")
    outcomes = []

    def put(number):
        try:
            endpoint.client("s3").put_object(Bucket="logs", Key="k", Body=b"%d" % number, IfNoneMatch="*")
            outcomes.append("stored")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=put, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["stored"]


def test_missing_names_and_wrong_owner(endpoint, control, s3):
    s3.create_bucket(Bucket="logs")
    for key, call in [("NoSuchBucket", lambda: s3.put_object(Bucket="none", Key="k", Body=b"")),
                      ("NoSuchKey", lambda: s3.get_object(Bucket="logs", Key="k")),
                      ("404", lambda: s3.head_object(Bucket="logs", Key="k"))]:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == key
    s3.put_object(Bucket="logs", Key="k", Body=b"", ExpectedBucketOwner="123456789012")
    control.bucket_owner("logs", "999999999999")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="logs", Key="k", Body=b"", ExpectedBucketOwner="123456789012")
    assert status(error) == 403


def test_wrong_region_names_the_right_one(endpoint, control, s3):
    west = endpoint.client("s3", region_name="eu-west-1")
    west.create_bucket(Bucket="west", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    control.clear_log()
    s3.put_object(Bucket="west", Key="k", Body=b"")  # botocore follows the region that the refusal names
    entries = control.log()
    assert entries[0]["code"] == "AuthorizationHeaderMalformed" and entries[0]["status"] == 400
    assert (entries[-1]["status"], entries[-1]["region"]) == (200, "eu-west-1")


def test_list_in_pages_with_start_after(s3):
    s3.create_bucket(Bucket="logs")
    for number in range(25):
        s3.put_object(Bucket="logs", Key="p/%03d" % number, Body=b"")
    s3.put_object(Bucket="logs", Key="q", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="logs", Prefix="p/", StartAfter="p/009",
                                                          PaginationConfig={"PageSize": 4})
    assert [o["Key"] for page in pages for o in page["Contents"]] == ["p/%03d" % n for n in range(10, 25)]


def test_body_checksums_are_checked(endpoint, s3):
    s3.create_bucket(Bucket="logs")
    s3.put_object(Bucket="logs", Key="k", Body=b"x", ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="logs", Key="k", Body=b"x", ChecksumCRC32="AAAAAA==")
    assert error.value.response["Error"]["Code"] == "BadDigest"


def test_dynamodb_answers_through_the_gateway(endpoint, control):
    table = endpoint.client("dynamodb")
    table.create_table(TableName="t", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                       AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                       BillingMode="PAY_PER_REQUEST")
    table.put_item(TableName="t", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")
    with pytest.raises(ClientError) as error:
        table.put_item(TableName="t", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")
    assert error.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
