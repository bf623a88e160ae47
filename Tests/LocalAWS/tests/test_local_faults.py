"""Fault rules fire exactly when told, and leave what they should have left."""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError, ResponseStreamingError
from botocore.exceptions import HTTPClientError

from localaws.client import ControlError


def code(error):
    return error.value.response["Error"]["Code"]


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="logs")
    return s3


def keys(s3):
    return [o["Key"] for o in s3.list_objects_v2(Bucket="logs").get("Contents", [])]


def test_error_on_the_nth_call(bucket, control):
    control.fault({"kind": "error", "status": 503, "code": "SlowDown", "retry_after_ms": 1500},
                  {"service": "s3", "operation": "PutObject", "key": "^data/"}, nth=2)
    bucket.put_object(Bucket="logs", Key="other", Body=b"")
    bucket.put_object(Bucket="logs", Key="data/1", Body=b"")
    with pytest.raises(ClientError) as error:
        bucket.put_object(Bucket="logs", Key="data/2", Body=b"")
    assert code(error) == "SlowDown"
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-retry-after"] == "1500"
    bucket.put_object(Bucket="logs", Key="data/3", Body=b"")
    assert keys(bucket) == ["data/1", "data/3", "other"]
    assert [(r["seen"], r["fired"]) for r in control.faults()] == [(3, 1)]


def test_count_every_after_and_probability(bucket, control):
    def outcomes(calls, **firing):
        control.clear_faults()
        control.fault({"kind": "error", "status": 500, "code": "InternalError"}, {"operation": "HeadBucket"}, **firing)
        found = ""
        for _ in range(calls):
            try:
                bucket.head_bucket(Bucket="logs")
                found += "."
            except ClientError:
                found += "x"
        return found

    assert outcomes(5, count=2) == "xx..."
    assert outcomes(6, every=3) == "..x..x"
    assert outcomes(4, after=3) == "...x"
    first = outcomes(30, probability=0.5, seed=7)
    assert first == outcomes(30, probability=0.5, seed=7) and 5 < first.count("x") < 25


def test_cut_and_lost_answer(bucket, control):
    for kind, stored in [("cut", False), ("lose_answer", True)]:
        control.fault({"kind": kind, "reset": True}, {"operation": "PutObject"}, count=1)
        with pytest.raises((ConnectionClosedError, HTTPClientError)):
            bucket.put_object(Bucket="logs", Key=kind, Body=b"x")
        assert (kind in keys(bucket)) == stored


def test_truncated_delayed_and_flipped(endpoint, bucket, control):
    bucket.put_object(Bucket="logs", Key="k", Body=b"0123456789" * 1000)
    control.fault({"kind": "truncate", "bytes": 5000}, {"operation": "GetObject"}, count=1)
    with pytest.raises((ResponseStreamingError, HTTPClientError)):
        bucket.get_object(Bucket="logs", Key="k")["Body"].read()
    control.fault({"kind": "flip_response", "offset": 1}, {"operation": "GetObject"}, count=1)
    assert bucket.get_object(Bucket="logs", Key="k")["Body"].read()[:3] == b"002"
    control.fault({"kind": "flip_request", "offset": -1}, {"operation": "PutObject"}, count=1)
    with pytest.raises(ClientError) as error:
        bucket.put_object(Bucket="logs", Key="flipped", Body=b"abc")
    assert code(error) == "XAmzContentSHA256Mismatch" and keys(bucket) == ["k"]
    control.fault({"kind": "delay", "seconds": 3}, {"operation": "HeadBucket"}, count=1)
    with pytest.raises(ReadTimeoutError):
        endpoint.client("s3", config={"read_timeout": 1}).head_bucket(Bucket="logs")


def test_error_in_a_200(bucket, control):
    control.fault({"kind": "error_in_200", "code": "InternalError"}, {"operation": "PutObject"}, count=1)
    with pytest.raises(ClientError) as error:
        bucket.put_object(Bucket="logs", Key="k", Body=b"")
    assert code(error) == "InternalError" and keys(bucket) == []
    entry = control.log(operation="PutObject")[-1]
    assert (entry["status"], entry["code"]) == (200, "InternalError")


def test_partial_put_records(endpoint, control):
    kinesis = endpoint.client("kinesis")
    control.create_stream("s", shards=2)
    control.fault({"kind": "put_partial", "share": 0.3, "seed": 1, "code": "InternalFailure"},
                  {"operation": "PutRecords", "stream": "^s$"}, count=1)
    answer = kinesis.put_records(StreamName="s", Records=[{"Data": b"x", "PartitionKey": str(n)} for n in range(200)])
    failed = [r for r in answer["Records"] if "ErrorCode" in r]
    assert 30 < len(failed) == answer["FailedRecordCount"] < 90 and len(control.dump("s")) == 200 - len(failed)
    assert failed[0] == {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."}


def test_fault_on_the_data_of_a_record(endpoint, control):
    kinesis = endpoint.client("kinesis")
    control.create_stream("s")
    control.fault({"kind": "error", "status": 400, "code": "ValidationException"},
                  {"operation": "PutRecords", "data": "poison|\xff\xfe"})
    for data, refused in [(b"sound", False), (b"some poison", True), (b"\xff\xfe", True), (b"cG9pc29u", False)]:
        entries = [{"Data": b"first", "PartitionKey": "a"}, {"Data": data, "PartitionKey": "b"}]
        try:
            kinesis.put_records(StreamName="s", Records=entries)
            assert not refused
        except ClientError as error:
            assert refused and error.response["Error"]["Code"] == "ValidationException"
    kinesis.put_record(StreamName="s", Data=b"poison", PartitionKey="poison")
    assert len(control.dump("s")) == 2 * 2 + 1


def test_fault_on_one_shard_only(endpoint, control):
    kinesis = endpoint.client("kinesis")
    control.create_stream("s", shards=2)
    tokens = [kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-%012d" % n, ShardIteratorType="LATEST")
              ["ShardIterator"] for n in range(2)]
    control.fault({"kind": "error", "status": 500, "code": "InternalFailure"}, {"shard": "000001$"})
    kinesis.get_records(ShardIterator=tokens[0])
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=tokens[1])
    assert code(error) == "InternalFailure"


@pytest.mark.parametrize("rule", [
    {"action": {"kind": "eror"}}, {"action": {"kind": "error", "stauts": 500}}, {"action": {"kind": "cut"}, "mach": {}},
    {"action": {"kind": "cut"}, "match": {"op": "x"}}])
def test_misspelt_rule_is_refused(control, rule):
    with pytest.raises(ControlError):
        control.call("POST", "faults", rule)


def test_connections_stay_open(bucket, control):
    before = control.stats()["connections"]
    for number in range(20):
        bucket.put_object(Bucket="logs", Key=str(number), Body=b"x")
    # One for each of the two stats calls; the twenty PUTs share the one that made the bucket.
    assert control.stats()["connections"] == before + 1
    assert len({e["connection"] for e in control.log(operation="PutObject")}) == 1


def test_observer_goes_unnoticed(endpoint, bucket, control):
    control.fault("cut", {"service": ["s3", "kinesis"]})
    control.clock(offset=100_000)
    control.clear_log()
    watching = endpoint.observer("s3")
    watching.put_object(Bucket="logs", Key="k", Body=b"x")
    assert keys(watching) == ["k"] and endpoint.observer("kinesis").list_streams()["StreamNames"] == []
    assert control.log() == [] and control.faults()[0]["seen"] == 0
