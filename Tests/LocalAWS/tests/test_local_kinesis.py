"""The Kinesis emulator holds the rules that moto's does not."""

import base64
import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from raw import send, signed

LIMITS_OFF = {"read_limits": False, "write_limits": False, "iterator_limits": False}


def code(error):
    return error.value.response["Error"]["Code"]


def iterator(kinesis, stream="s", shard="shardId-000000000000", kind="TRIM_HORIZON", **more):
    return kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def read_all(kinesis, token, limit=10000):
    """(records, child shard ids) from an iterator to the tip or the shard's end."""
    records = []
    while token:
        page = kinesis.get_records(ShardIterator=token, Limit=limit)
        records += page["Records"]
        if page["MillisBehindLatest"] == 0 and not page["Records"] and page.get("NextShardIterator"):
            return records, None
        token = page.get("NextShardIterator")
    return records, [c["ShardId"] for c in page["ChildShards"]]


def put(kinesis, count, stream="s", prefix="k"):
    """PutRecords of `count` records; [(shard, sequence)]."""
    placed = []
    for start in range(0, count, 500):
        entries = [{"Data": b"%s-%d" % (prefix.encode(), n), "PartitionKey": "%s%d" % (prefix, n)}
                   for n in range(start, min(count, start + 500))]
        answer = kinesis.put_records(StreamName=stream, Records=entries)
        assert answer["FailedRecordCount"] == 0
        placed += [(r["ShardId"], int(r["SequenceNumber"])) for r in answer["Records"]]
    return placed


def test_sequence_numbers_rise_and_differ_over_shards(kinesis, control):
    control.create_stream("s", shards=4, settings=LIMITS_OFF)
    placed = put(kinesis, 2000)
    assert len(set(n for _, n in placed)) == 2000
    assert all(len(str(n)) == 56 for _, n in placed)
    for shard in set(s for s, _ in placed):
        numbers = [n for s, n in placed if s == shard]
        assert numbers == sorted(numbers) and len(numbers) > 300


def test_concurrent_producers_lose_nothing(endpoint, kinesis, control):
    control.create_stream("s", shards=1, settings=LIMITS_OFF)
    threads = [threading.Thread(target=put, args=(endpoint.client("kinesis"), 1000, "s", "p%d-" % n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records, _ = read_all(kinesis, iterator(kinesis))
    assert len(set(r["Data"] for r in records)) == 8000 == len(control.dump("s"))
    assert [r["SequenceNumber"] for r in control_order(records)] == [r["SequenceNumber"] for r in records]


def control_order(records):
    return sorted(records, key=lambda r: int(r["SequenceNumber"]))


def test_split_and_merge_lineage(kinesis, control):
    control.create_stream("s", shards=1, settings=LIMITS_OFF)
    before = put(kinesis, 50)
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127))
    between = put(kinesis, 50, prefix="b")
    kinesis.merge_shards(StreamName="s", ShardToMerge="shardId-000000000001",
                         AdjacentShardToMerge="shardId-000000000002")
    after = put(kinesis, 50, prefix="a")
    assert {s for s, _ in between} == {"shardId-000000000001", "shardId-000000000002"}
    assert {s for s, _ in after} == {"shardId-000000000003"}
    assert max(n for _, n in before) < min(n for _, n in between)
    assert max(n for _, n in between) < min(n for _, n in after)
    shards = kinesis.list_shards(StreamName="s")["Shards"]
    assert [s.get("ParentShardId") for s in shards] == [None, "shardId-000000000000", "shardId-000000000000",
                                                       "shardId-000000000001"]
    assert shards[3]["AdjacentParentShardId"] == "shardId-000000000002"
    assert ["EndingSequenceNumber" in s["SequenceNumberRange"] for s in shards] == [True, True, True, False]
    records, children = read_all(kinesis, iterator(kinesis))
    assert len(records) == 50 and children == ["shardId-000000000001", "shardId-000000000002"]
    with pytest.raises(ClientError) as error:
        kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey="9")
    assert code(error) == "InvalidArgumentException"


def test_shard_end_on_a_page_of_its_own_and_without_children(kinesis, control):
    control.create_stream("s", shards=1, settings=dict(LIMITS_OFF, end_page="separate", omit_child_shards=1))
    put(kinesis, 3)
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127))
    first = kinesis.get_records(ShardIterator=iterator(kinesis))
    assert len(first["Records"]) == 3 and first["NextShardIterator"]
    end = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert "NextShardIterator" not in end and "ChildShards" not in end
    end = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert "NextShardIterator" not in end and len(end["ChildShards"]) == 2


def test_filters(kinesis, control):
    start = int(time.time() * 1000) - 3 * 86_400_000
    control.create_stream("s", shards=2, settings=LIMITS_OFF, retention_hours=48)
    control.create_stream("old", shards=1, settings=LIMITS_OFF, created_ms=start)
    control.check_skew(False)
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 126))

    def ids(**shard_filter):
        return [int(s["ShardId"][8:]) for s in kinesis.list_shards(StreamName="s", ShardFilter=shard_filter)["Shards"]]

    assert ids(Type="FROM_TRIM_HORIZON") == [0, 1, 2, 3]
    assert ids(Type="AT_LATEST") == [1, 2, 3]
    assert ids(Type="AT_TRIM_HORIZON") == [0, 1]
    assert ids(Type="AFTER_SHARD_ID", ShardId="shardId-000000000001") == [2, 3]
    control.clock(advance=3600)
    assert ids(Type="AT_TIMESTAMP", Timestamp=time.time() + 1800) == [1, 2, 3]
    assert ids(Type="FROM_TIMESTAMP", Timestamp=time.time() - 60) == [0, 1, 2, 3]
    assert ids(Type="FROM_TIMESTAMP", Timestamp=time.time() + 1800) == [1, 2, 3]
    control.clock(advance=49 * 3600)
    assert ids(Type="FROM_TRIM_HORIZON") == [1, 2, 3]
    with pytest.raises(ClientError) as error:
        iterator(kinesis)
    assert code(error) == "ResourceNotFoundException"


def test_list_shards_pages(kinesis, control):
    control.create_stream("s", shards=7)
    page = kinesis.list_shards(StreamName="s", MaxResults=3)
    seen = [s["ShardId"] for s in page["Shards"]]
    with pytest.raises(ClientError) as error:
        kinesis.list_shards(StreamName="s", NextToken=page["NextToken"])
    assert "cannot be provided together" in str(error.value)
    while "NextToken" in page:
        token = page["NextToken"]
        page = kinesis.list_shards(NextToken=token, MaxResults=3)
        seen += [s["ShardId"] for s in page["Shards"]]
    assert len(seen) == 7
    control.stream_settings("s", list_page=2)
    assert len(kinesis.list_shards(StreamName="s")["Shards"]) == 2
    control.check_skew(False)
    control.clock(advance=301)
    with pytest.raises(ClientError) as error:
        kinesis.list_shards(NextToken=token)
    assert code(error) == "ExpiredNextTokenException"


def test_iterators_expire_and_cannot_be_forged(kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF)
    token = iterator(kinesis)
    control.check_skew(False)
    control.clock(advance=299)
    kinesis.get_records(ShardIterator=token)
    control.clock(advance=2)
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=token)
    assert code(error) == "ExpiredIteratorException" and "300000 milliseconds" in str(error.value)
    forged = base64.b64decode(iterator(kinesis))
    forged = base64.b64encode(forged[:-1] + bytes([forged[-1] ^ 1])).decode()
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=forged)
    assert code(error) == "InvalidArgumentException"


def test_five_positions(kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF)
    now = int(time.time() * 1000)
    control.load("s", [{"text": str(n), "partition_key": "k", "arrival_ms": now - 10_000 + n * 1000}
                       for n in range(5)])
    numbers = [r["sequence"] for r in control.dump("s")]

    def texts(**where):
        return [r["Data"].decode() for r in read_all(kinesis, iterator(kinesis, **where))[0]]

    assert texts() == ["0", "1", "2", "3", "4"]
    assert texts(kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == ["2", "3", "4"]
    assert texts(kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == ["3", "4"]
    assert texts(kind="AT_TIMESTAMP", Timestamp=(now - 10_000 + 3000) / 1000) == ["3", "4"]
    latest = iterator(kinesis, kind="LATEST")
    put(kinesis, 1)
    assert [r["Data"] for r in read_all(kinesis, latest)[0]] == [b"k-0"]


def test_sequence_numbers_that_do_not_belong(kinesis, control):
    control.create_stream("s", shards=2, settings=LIMITS_OFF)
    placed = dict(put(kinesis, 40))
    one = str(placed["shardId-000000000001"])
    cases = [("It encodes shardId-000000000001", one), ("is invalid", "12345"),
             ("did not come from this stream", str(placed["shardId-000000000000"] + (1 << 81)))]
    for text, number in cases:
        with pytest.raises(ClientError) as error:
            iterator(kinesis, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number)
        assert code(error) == "InvalidArgumentException" and text in str(error.value)
    kinesis.delete_stream(StreamName="s")
    with pytest.raises(ClientError) as error:
        iterator(kinesis)
    assert code(error) == "ResourceNotFoundException"
    time.sleep(1.1)  # the second of creation is part of every number
    kinesis.create_stream(StreamName="s", ShardCount=2)
    with pytest.raises(ClientError) as error:
        iterator(kinesis, shard="shardId-000000000001", kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=one)
    assert "is invalid because it did not come from this stream." in str(error.value)
    assert len(control.dump("s")) == 40


@pytest.mark.parametrize("mode", ["silent", "empty", "refuse"])
def test_trimmed_checkpoint(kinesis, control, mode):
    now = int(time.time() * 1000)
    control.create_stream("s", settings=dict(LIMITS_OFF, trim_mode=mode), created_ms=now - 90_000_000)
    control.load("s", [{"text": "old", "partition_key": "k", "arrival_ms": now - 86_500_000},
                       {"text": "new", "partition_key": "k", "arrival_ms": now - 1000}])
    old, new = control.dump("s")
    assert (old["trimmed"], new["trimmed"]) == (True, False)
    assert [r["Data"] for r in read_all(kinesis, iterator(kinesis))[0]] == [b"new"]
    if mode == "refuse":
        with pytest.raises(ClientError) as error:
            iterator(kinesis, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=old["sequence"])
        assert "StartingSequenceNumber is no longer available" in str(error.value)
        return
    token = iterator(kinesis, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=old["sequence"])
    for _ in range(3):
        page = kinesis.get_records(ShardIterator=token)
        token = page["NextShardIterator"]
        if mode == "silent":
            assert [r["Data"] for r in page["Records"]] == [b"new"]
            return
        assert page["Records"] == [] and page["MillisBehindLatest"] == 86_400_000


def test_empty_pages_come_before_data(kinesis, control):
    control.create_stream("s", settings=dict(LIMITS_OFF, empty_pages=3))
    put(kinesis, 2)
    token, pages = iterator(kinesis), []
    for _ in range(5):
        page = kinesis.get_records(ShardIterator=token)
        token = page["NextShardIterator"]
        pages.append((len(page["Records"]), page["MillisBehindLatest"] > 0))
    assert pages == [(0, True), (0, True), (0, True), (2, False), (0, False)]


def test_page_caps_and_the_throttle_after_a_full_page(kinesis, control):
    control.create_stream("s", settings={"write_limits": False})
    megabyte = b"x" * 1_000_000
    control.load("s", [{"data": megabyte, "partition_key": "k"} for _ in range(11)])
    page = kinesis.get_records(ShardIterator=iterator(kinesis))
    assert len(page["Records"]) == 10 and page["MillisBehindLatest"] > 0
    time.sleep(1.5)
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=page["NextShardIterator"])
    assert code(error) == "ProvisionedThroughputExceededException"
    control.load("s", [{"text": "x", "partition_key": "k"}] * 10_500)
    control.stream_settings("s", read_limits=False)
    assert len(kinesis.get_records(ShardIterator=page["NextShardIterator"])["Records"]) == 10_000


def test_five_calls_a_second(kinesis, control):
    control.create_stream("s")
    token = iterator(kinesis)
    for _ in range(5):
        token = kinesis.get_records(ShardIterator=token)["NextShardIterator"]
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=token)
    assert code(error) == "ProvisionedThroughputExceededException"
    assert "Rate exceeded for shard shardId-000000000000 in stream s under account" in str(error.value)
    assert control.stats()["shards"]["s/shardId-000000000000"]["most_in_a_second"] == 6
    time.sleep(1.05)
    kinesis.get_records(ShardIterator=token)


def test_writes_over_the_limit_fail_one_by_one(kinesis, control):
    control.create_stream("s")
    stored = 0
    for _ in range(20):     # a thousand a second: a slow machine needs more than three requests to go beyond
        answer = kinesis.put_records(StreamName="s", Records=[{"Data": b"x", "PartitionKey": "k"}] * 500)
        stored += 500 - answer["FailedRecordCount"]
        if answer["FailedRecordCount"]:
            break
    assert answer["FailedRecordCount"] and len(control.dump("s")) == stored
    wrong = [r for r in answer["Records"] if "ErrorCode" in r][0]
    assert wrong["ErrorCode"] == "ProvisionedThroughputExceededException" and "shardId-000000000000" in \
        wrong["ErrorMessage"]


def test_limits_of_a_put(kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF)
    refused = [
        lambda: kinesis.put_records(StreamName="s", Records=[{"Data": b"", "PartitionKey": "k"}] * 501),
        lambda: kinesis.put_record(StreamName="s", Data=b"x" * (1024 * 1024 + 1), PartitionKey="k"),
        lambda: kinesis.put_records(StreamName="s", Records=[{"Data": b"x" * 1_048_000, "PartitionKey": "k"}] * 11),
        lambda: kinesis.put_record(StreamName="s", Data=b"", PartitionKey="k", ExplicitHashKey=str(1 << 128)),
    ]
    for call in refused:
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) in ("ValidationException", "InvalidArgumentException")
    assert control.dump("s") == []
    kinesis.put_record(StreamName="s", Data=b"x" * 1024 * 1024, PartitionKey="k", ExplicitHashKey=str((1 << 128) - 1))
    control.stream_settings("s", record_bytes=10 * 1024 * 1024)
    kinesis.put_record(StreamName="s", Data=b"x" * 10 * 1024 * 1024, PartitionKey="k")
    assert len(read_all(kinesis, iterator(kinesis))[0]) == 2


def test_timestamps_and_members_as_printed(endpoint, kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF, created_ms=1795385468000)
    control.load("s", [{"data": b"\x00\xff", "partition_key": "\u00e4\u2028\"\\\U0001F600",
                        "arrival_ms": 1795385468741}])
    control.clock(offset=1795385469 - time.time())
    control.check_skew(False)
    from localaws.kinesis.shard import timestamp

    assert [timestamp(ms) for ms in (1795385468741, 1795385468000, 1795385468700, 1, 1000, 0)] == [
        "1.795385468741E9", "1.795385468E9", "1.7953854687E9", "1.0E-3", "1.0E0", "0.0"]
    raw = []
    kinesis.meta.events.register("before-parse.kinesis.*", lambda response_dict, **_: raw.append(response_dict["body"]))
    plain = kinesis.get_records(ShardIterator=iterator(kinesis))["Records"]
    control.stream_settings("s", field_order="varied")
    assert kinesis.get_records(ShardIterator=iterator(kinesis))["Records"] == plain
    assert b'"ApproximateArrivalTimestamp":1.795385468741E9' in raw[1] and b" ,\n" in raw[3]
    assert json.loads(raw[1])["Records"][0]["PartitionKey"] == "\u00e4\u2028\"\\\U0001F600"
    summary = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
    assert summary["StreamCreationTimestamp"].timestamp() == 1795385468


def test_iterator_of_a_recreated_stream(kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF)
    token = iterator(kinesis)
    kinesis.delete_stream(StreamName="s")
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=token)
    assert code(error) == "ResourceNotFoundException"
    kinesis.create_stream(StreamName="s", ShardCount=1)
    with pytest.raises(ClientError) as error:
        kinesis.get_records(ShardIterator=token)
    assert "did not come from this stream" in str(error.value)


def test_regions_are_apart(endpoint, kinesis, control):
    control.create_stream("s")
    with pytest.raises(ClientError) as error:
        endpoint.client("kinesis", region_name="eu-west-1").describe_stream_summary(StreamName="s")
    assert code(error) == "ResourceNotFoundException"
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    assert arn == "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    assert len(kinesis.list_shards(StreamARN=arn)["Shards"]) == 1


def test_pages_of_real_lines_are_cut_by_count_and_by_bytes(endpoint, kinesis, control):
    control.create_stream("s", settings=LIMITS_OFF)
    line = b"2026-11-22T22:16:10.241766+00:00 host drupal: "
    control.load_lines("s", b"\n".join([line + b"x" * 1000] * 20_000 + [line] * 20_000) + b"\n", key="host/file/0/")
    sizes, token = [], iterator(kinesis)
    while True:
        body = json.dumps({"ShardIterator": token}).encode()
        headers = signed(endpoint, "kinesis", "POST", "/", body, {"X-Amz-Target": "Kinesis_20131202.GetRecords"})
        status, text = send(endpoint, "POST", "/", body, headers)
        page = json.loads(text)
        sizes.append(len(page["Records"]))
        token = page["NextShardIterator"]
        if page["MillisBehindLatest"] == 0:
            break
    assert sum(sizes) == 40_000 and 9_000 < sizes[0] < 10_000 and sizes[-2] == 10_000
