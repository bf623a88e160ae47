"""Reading a stream as it is: resharding, expired iterators, throttling, trimmed checkpoints, recreated streams."""

import time

import pytest

HOUR = 3600


def split(scenario, shard, at):
    scenario.kinesis.split_shard(StreamName=scenario.stream, ShardToSplit=shard, NewStartingHashKey=str(at))


def open_shards(scenario):
    shards = scenario.kinesis.list_shards(StreamName=scenario.stream)["Shards"]
    return [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]


def test_split_and_merge_between_runs(scenario):
    scenario.set_up(shards=2)
    scenario.load(scenario.lines(50))
    scenario.archive()
    split(scenario, "shardId-000000000000", 1 << 125)
    scenario.load(scenario.lines(50, start=50))
    scenario.archive()
    a, b = sorted(open_shards(scenario), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))[:2]
    scenario.kinesis.merge_shards(StreamName=scenario.stream, ShardToMerge=a["ShardId"],
                                  AdjacentShardToMerge=b["ShardId"])
    scenario.load(scenario.lines(50, start=100))
    report = scenario.archive().report
    assert sum(shard["ended"] for shard in report["shards"]) == 2
    scenario.audit()
    assert scenario.archive().report["totals"]["records"] == 0


@pytest.mark.slow
def test_resharding_while_a_run_reads(scenario):
    scenario.set_up(shards=2, settings={"page_records": 10}, seal={"records": 25})
    scenario.load(scenario.lines(300))
    scenario.fault({"kind": "delay", "seconds": 0.05}, {"service": "kinesis", "operation": "GetRecords"})
    process = scenario.start_archive("--until", "drained")
    scenario.wait_for(lambda: len(scenario.keys("_sluice/")) >= 3, what="the first manifests")
    split(scenario, "shardId-000000000000", 1 << 125)
    scenario.load(scenario.lines(100, start=300))
    a, b = sorted(open_shards(scenario), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))[:2]
    scenario.kinesis.merge_shards(StreamName=scenario.stream, ShardToMerge=a["ShardId"],
                                  AdjacentShardToMerge=b["ShardId"])
    scenario.load(scenario.lines(100, start=400))
    result = scenario.program.finish(process)
    assert result.report["totals"]["records"] >= 300
    scenario.control.clear_faults()
    scenario.archive()
    scenario.audit()
    # Children only ever begin after their parents have ended.
    shards = {s["ShardId"]: s for s in scenario.kinesis.list_shards(StreamName=scenario.stream)["Shards"]}
    reads = [e for e in scenario.requests(operation="GetRecords") if e.get("shard")]
    last = {}
    for index, entry in enumerate(reads):
        last[entry["shard"]] = index
    for index, entry in enumerate(reads):
        for name in ("ParentShardId", "AdjacentParentShardId"):
            parent = shards[entry["shard"]].get(name)
            if parent in last and shards[entry["shard"]]:
                first_child = next(i for i, e in enumerate(reads) if e["shard"] == entry["shard"])
                assert last[parent] < first_child, "%s was read before %s had ended" % (entry["shard"], parent)


def test_sixteen_shards_and_a_restart_between(scenario):
    scenario.set_up(shards=16, seal={"records": 10})
    scenario.load(scenario.lines(400))
    assert scenario.archive(failpoint="commit.after:5=kill", expect=None).was_killed
    scenario.load(scenario.lines(100, start=400))
    scenario.archive()
    scenario.audit()


def test_an_expired_iterator_resumes_after_the_last_record_read(scenario):
    scenario.set_up(settings={"page_records": 10})
    scenario.load(scenario.lines(100))
    scenario.fault({"kind": "error", "status": 400, "code": "ExpiredIteratorException", "message": "Iterator expired."},
                   {"service": "kinesis", "operation": "GetRecords"}, every=3)
    scenario.archive()
    scenario.audit()


def test_empty_pages_are_read_past(scenario):
    scenario.set_up(settings={"empty_pages": 25})
    scenario.load(scenario.lines(20))
    assert scenario.archive().report["totals"]["records"] == 20
    scenario.audit()


def test_an_end_without_children_is_asked_again(scenario):
    scenario.set_up(settings={"omit_child_shards": 2, "end_page": "separate"})
    scenario.load(scenario.lines(20))
    split(scenario, "shardId-000000000000", 1 << 127)
    scenario.load(scenario.lines(20, start=20))
    scenario.archive()
    scenario.audit()


@pytest.mark.slow
def test_reading_keeps_to_what_kinesis_allows(scenario):
    scenario.set_up(limits=True, source={"read_rate": "2MB"}, settings={"page_records": 50, "write_limits": False})
    scenario.load(scenario.lines(600))
    before = time.monotonic()
    scenario.archive()
    seconds = time.monotonic() - before
    scenario.audit()
    refused = [e for e in scenario.requests(operation="GetRecords") if e["status"] != 200]
    assert not refused and seconds >= 2.0, (len(refused), seconds)


def test_throttling_only_delays(scenario):
    scenario.set_up(shards=2, settings={"page_records": 20})
    scenario.load(scenario.lines(200))
    scenario.fault({"kind": "error", "status": 400, "code": "ProvisionedThroughputExceededException",
                    "message": "Rate exceeded"}, {"service": "kinesis", "operation": "GetRecords"},
                   probability=0.3, seed=5)
    scenario.archive()
    scenario.audit()


@pytest.mark.parametrize("mode", ["silent", "empty", "refuse"])
@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_records_that_expired_unread_are_a_gap(scenario, mode, policy):
    scenario.set_up(settings={"trim_mode": mode}, source={"on_gap": policy})
    scenario.load(scenario.lines(20))
    scenario.archive()
    scenario.load(scenario.lines(20, start=20))
    scenario.control.check_skew(False)
    scenario.control.clock(advance=30 * HOUR)
    scenario.load(scenario.lines(20, start=40))
    result = scenario.archive(expect=69)
    assert "expired" in result.stdout + result.stderr
    trimmed = {r["sequence"] for r in scenario.oracle()[20:40]}
    if policy == "stop":
        assert result.report["totals"]["records"] == 0
        assert scenario.archive(expect=69).report["totals"]["records"] == 0
        scenario.write_job(source={"on_gap": "continue"})
        scenario.archive(expect=69)
    audit = scenario.audit(expected=lambda r: r["sequence"] not in trimmed, gaps_allowed=True)
    assert any(m.get("gap") for found in audit.manifests.values() for _, m in found)
    scenario.archive()


@pytest.mark.parametrize("mode", ["silent", "empty", "refuse"])
def test_a_quiet_shard_is_no_gap(scenario, mode):
    scenario.set_up(settings={"trim_mode": mode})
    scenario.load(scenario.lines(20))
    scenario.control.check_skew(False)
    scenario.archive()
    for _ in range(3):
        scenario.control.clock(advance=20 * HOUR)
        assert scenario.archive().report["totals"]["records"] == 0
    scenario.load(scenario.lines(5, start=20))
    assert scenario.archive().report["totals"]["records"] == 5
    scenario.audit()


def test_a_recreated_stream_is_refused(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    scenario.kinesis.delete_stream(StreamName=scenario.stream)
    scenario.control.create_stream(scenario.stream, 1, {"read_limits": False})
    before = scenario.keys()
    result = scenario.archive(expect=74)
    assert scenario.stream in result.stderr + result.stdout
    assert "hint" in result.stderr or result.report["problem"]["hint"]
    assert scenario.keys() == before


def test_start_latest_takes_only_what_comes_after(scenario):
    scenario.set_up(source={"start": "latest"})
    scenario.load(scenario.lines(10))
    assert scenario.archive().report["totals"]["records"] == 0
    scenario.load(scenario.lines(10, start=10))
    assert scenario.archive().report["totals"]["records"] == 10
    wanted = {r["sequence"] for r in scenario.oracle()[10:]}
    scenario.audit(expected=lambda r: r["sequence"] in wanted)


def test_start_at_a_time_over_a_reshard(scenario):
    scenario.set_up()
    now = int(scenario.control.clock()["now"] * 1000)
    scenario.load(scenario.lines(10), arrival_ms=now - 5_000_000)
    scenario.load(scenario.lines(10, start=10), arrival_ms=now - 1_000_000)
    split(scenario, "shardId-000000000000", 1 << 127)
    scenario.load(scenario.lines(10, start=20))
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((now - 2_000_000) / 1000))
    scenario.write_job(source={"start": start})
    scenario.archive()
    scenario.audit(expected=lambda r: r["arrival_ms"] >= now - 2_000_000)


def test_a_run_that_meets_its_time_limit_commits_what_it_has(scenario):
    scenario.set_up(settings={"page_records": 5}, limits={"run_time": "2s"})
    scenario.write_job(limits={"run_time": "2s"})
    scenario.load(scenario.lines(300))
    scenario.fault({"kind": "delay", "seconds": 0.1}, {"service": "kinesis", "operation": "GetRecords"})
    report = scenario.archive(expect=75).report
    assert 0 < report["totals"]["records"] < 300 and report["more_waiting"]
    scenario.control.clear_faults()
    scenario.write_job()
    scenario.archive()
    scenario.audit()


def test_records_of_a_child_that_expired_before_it_was_read_are_a_gap(scenario):
    """The child took records while nobody read; its parent was read to the end much later, and then a run died."""
    scenario.set_up()
    scenario.load(scenario.lines(20))
    scenario.archive()
    split(scenario, "shardId-000000000000", 1 << 127)
    scenario.load(scenario.lines(20, start=20))
    scenario.control.check_skew(False)
    scenario.control.clock(advance=20 * HOUR)
    scenario.archive(failpoint="shard-end.after=kill", expect=None)
    scenario.control.clock(advance=5 * HOUR)
    scenario.load(scenario.lines(20, start=40))
    result = scenario.archive(expect=69)
    assert "expired before they were read" in result.stdout
    assert [s["exit_code"] for s in result.report["shards"]].count(69) == 2
