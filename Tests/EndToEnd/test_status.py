"""`sluice status` tells the truth, at once, without a lock, without changing anything, and without AWS if need be."""

import os
import time

import pytest

HOUR = 3600


def status(scenario, *arguments, expect=0, **options):
    return scenario.program.run("status", scenario.job, "--json", *arguments, expect=expect, **options).report


def shards(report):
    return {shard["shard"]: shard for shard in report["shards"]}


def now_ms(scenario):
    return int(scenario.control.clock()["now"] * 1000)


def files(directory):
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[path] = (os.stat(path).st_mtime_ns, file.read())
    return found


def test_before_the_first_run_it_says_so_and_makes_nothing(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    report = status(scenario, expect=75)
    assert not report["has_run"] and report["online"] and report["shards"] == [] and "last_run" not in report
    assert not os.path.exists(scenario.state_directory)
    text = scenario.program.run("status", scenario.job, expect=75).stdout
    assert text.splitlines()[1].startswith("NEVER RUN")


def test_a_shard_is_as_far_behind_as_its_oldest_record_is_old(scenario):
    scenario.set_up(shards=2)
    base = now_ms(scenario)
    scenario.load(scenario.lines(10), arrival_ms=base - 5_000, shard="shardId-000000000000")
    scenario.archive()
    report = status(scenario)
    assert all(s["lag_seconds"] == 0 and s["level"] == "ok" and "waiting_since" not in s for s in report["shards"])
    archived = scenario.oracle()[-1]
    first = shards(report)["shardId-000000000000"]
    assert first["checkpoint"] == "after:" + archived["sequence"]
    assert parse_ms(first["last_arrival"]) == archived["arrival_ms"]
    assert shards(report)["shardId-000000000001"]["checkpoint"] == "trim_horizon"
    assert report["totals"]["records"] == report["totals"]["rows"] == 10 and report["exit_code"] == 0
    assert report["last_run"]["exit_code"] == 0 and report["last_run"]["ended"] == report["last_success"]
    # Two hours of records arrive on one shard, and time goes on; the other shard stays quiet.
    scenario.control.check_skew(False)
    scenario.control.clock(advance=3 * HOUR, freeze=True)
    waiting = now_ms(scenario) - 2 * HOUR * 1000
    scenario.load(scenario.lines(20, start=10), arrival_ms=waiting, shard="shardId-000000000000")
    report = status(scenario)
    first, second = (shards(report)["shardId-00000000000%d" % n] for n in (0, 1))
    assert parse_ms(first["waiting_since"]) == waiting and abs(first["lag_seconds"] - 2 * HOUR) < 1.1
    assert abs(first["retention_used"] - 2 / 24) < 0.001 and second["lag_seconds"] == 0
    assert report["retention_seconds"] == 24 * HOUR


@pytest.mark.parametrize("hours,level", [(11.9, "ok"), (12.1, "warning"), (19.1, "warning"), (19.3, "critical")])
def test_the_share_of_the_retention_decides_how_urgent_it_is(scenario, hours, level):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    scenario.load(scenario.lines(10, start=10))
    scenario.control.check_skew(False)
    scenario.control.clock(advance=hours * HOUR)
    report = status(scenario, expect=0 if level == "ok" else 75)
    assert report["level"] == level
    word = {"ok": "well", "warning": "BEHIND", "critical": "CRITICAL"}[level]
    assert word in scenario.program.run("status", scenario.job, expect=None).stdout.splitlines()[1]


@pytest.mark.parametrize("mode", ["silent", "empty", "refuse"])
def test_records_that_expired_unread_are_a_gap(scenario, mode):
    scenario.set_up(settings={"trim_mode": mode})
    scenario.load(scenario.lines(20))
    scenario.archive()
    scenario.load(scenario.lines(20, start=20))
    scenario.control.check_skew(False)
    scenario.control.clock(advance=30 * HOUR)
    scenario.load(scenario.lines(20, start=40))
    report = status(scenario, expect=69)
    assert report["level"] == "gap" and report["shards"][0]["gap"]["to"]
    assert "GAP" in scenario.program.run("status", scenario.job, expect=69).stdout.splitlines()[1]
    # As long as the job stops at it, and when it has just gone on over it.
    scenario.archive(expect=69)
    status(scenario, expect=69)
    scenario.write_job(source={"on_gap": "continue"})
    scenario.archive(expect=69)
    assert status(scenario, expect=69)["level"] == "ok"
    scenario.archive()
    assert status(scenario)["level"] == "ok"


def test_a_quiet_shard_is_no_gap(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(5))
    scenario.control.check_skew(False)
    for _ in range(3):
        scenario.archive()
        scenario.control.clock(advance=20 * HOUR)
        assert status(scenario)["shards"][0]["lag_seconds"] == 0


def test_shards_after_a_reshard_wait_for_their_parents(scenario):
    scenario.set_up(settings={"page_records": 5})
    scenario.load(scenario.lines(20))
    scenario.archive()
    scenario.load(scenario.lines(20, start=20))
    scenario.kinesis.split_shard(StreamName=scenario.stream, ShardToSplit="shardId-000000000000",
                                 NewStartingHashKey=str(1 << 127))
    scenario.load(scenario.lines(10, start=40))
    found = shards(status(scenario))
    assert [found["shardId-00000000000%d" % n]["condition"] for n in range(3)] == ["reading", "waiting", "waiting"]
    assert "waiting_since" in found["shardId-000000000001"]
    scenario.archive()
    found = shards(status(scenario))
    assert [found["shardId-00000000000%d" % n]["condition"] for n in range(3)] == ["ended", "reading", "reading"]
    assert "1 shard has ended" in scenario.program.run("status", scenario.job).stdout


def test_a_run_that_was_killed_shows_with_its_open_batches(scenario):
    scenario.set_up(seal={"records": 10})
    scenario.load(scenario.lines(15))
    scenario.archive(failpoint="manifest.before=kill", expect=None)
    report = status(scenario)
    assert "ended" not in report["last_run"] and "last_success" not in report and "running_process" not in report
    assert [(b["records"], b["objects"]) for b in report["open_intents"]] == [(10, 1)]
    assert "did not end: it was killed" in scenario.program.run("status", scenario.job).stdout
    scenario.archive()
    report = status(scenario)
    assert report["open_intents"] == [] and report["totals"]["records"] == 15 and report["last_run"]["exit_code"] == 0


def test_a_failed_run_shows_with_its_reason(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(5))
    scenario.archive()
    good = status(scenario)["last_success"]
    scenario.fault({"kind": "error", "status": 403, "code": "AccessDenied", "message": "x"},
                   {"service": "s3", "method": ["PUT"]})
    scenario.load(scenario.lines(5, start=5))
    scenario.archive(expect=77)
    report = status(scenario)
    assert report["last_run"]["exit_code"] == 77 and "AccessDenied" in report["last_run"]["problem"]
    assert report["last_success"] == good
    # A run that did not even get as far as the state.
    scenario.control.clear_faults()
    scenario.archive(expect=75, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"})
    assert status(scenario)["last_run"]["exit_code"] == 75


def test_it_looks_on_while_a_run_is_under_way(scenario):
    scenario.set_up(settings={"page_records": 10}, seal={"records": 10})
    scenario.load(scenario.lines(300))
    # Slow enough that the run is under way until it has been looked at.
    scenario.fault({"kind": "delay", "seconds": 0.3}, {"service": "s3", "method": ["PUT"]})
    process = scenario.start_archive()
    scenario.wait_for(lambda: len(scenario.keys("_sluice/")) >= 3, what="the first manifests")
    records = []
    for _ in range(3):
        report = status(scenario)
        assert process.poll() is None
        records.append(report["totals"]["records"])
        assert report["running_process"] == process.pid and "ended" not in report["last_run"]
    scenario.control.clear_faults()
    scenario.program.finish(process)
    assert records == sorted(records) and 0 < records[0] and records[-1] < 300
    assert status(scenario)["totals"]["records"] == 300
    scenario.audit()


def test_it_changes_nothing_anywhere(scenario):
    scenario.set_up(shards=2)
    scenario.load(scenario.lines(30))
    scenario.archive(failpoint="commit.before=kill", expect=None)
    before = files(scenario.state_directory), scenario.keys()
    scenario.control.clear_log()
    status(scenario)
    status(scenario, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}, expect=75)
    assert (files(scenario.state_directory), scenario.keys()) == before
    assert {e["operation"] for e in scenario.requests()} <= {
        "DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords"}
    scenario.archive()
    scenario.audit()


def test_without_aws_it_tells_what_the_state_knows(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    report = status(scenario, expect=75, environment=nowhere)
    assert not report["online"] and report["problem"]["hint"] and report["retention_seconds"] == 24 * HOUR
    shard = report["shards"][0]
    assert shard["checkpoint"].startswith("after:") and shard["level"] == "ok" and shard["lag_seconds"] < 60
    assert shard["waiting_since"] == shard["horizon"]
    text = scenario.program.run("status", scenario.job, expect=75, environment=nowhere).stdout
    assert "AWS was not asked" in text
    key = scenario.control.issue_key(denied=["kinesis:DescribeStreamSummary"])
    denied = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
              "AWS_SESSION_TOKEN": key["session_token"]}
    report = status(scenario, expect=77, environment=denied)
    assert "kinesis:DescribeStreamSummary" in report["problem"]["hint"] and report["shards"]
    # Not even credentials.
    report = status(scenario, expect=None, environment={
        "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"})
    assert report["exit_code"] != 0 and report["shards"]


def test_a_state_of_another_stream_is_refused(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(5))
    scenario.archive()
    scenario.kinesis.delete_stream(StreamName=scenario.stream)
    scenario.control.create_stream(scenario.stream, 1, {"read_limits": False}, created_ms=now_ms(scenario) + 60_000)
    result = scenario.program.run("status", scenario.job, expect=74)
    assert "deleted and created anew" in result.stderr and "hint: " in result.stderr
    with open(os.path.join(scenario.state_directory, "state.sqlite"), "r+b") as file:
        file.truncate(50)
    assert "sluice state rebuild" in scenario.program.run("status", scenario.job, expect=74).stderr


def test_empty_pages_and_throttles_do_not_hide_what_waits(scenario):
    scenario.set_up(settings={"empty_pages": 3})
    scenario.load(scenario.lines(5))
    scenario.archive()
    scenario.load(scenario.lines(5, start=5), arrival_ms=now_ms(scenario))
    waiting = scenario.oracle()[5]["arrival_ms"]
    assert parse_ms(status(scenario)["shards"][0]["waiting_since"]) == waiting
    scenario.fault({"kind": "error", "status": 400, "code": "ProvisionedThroughputExceededException", "message": "x"},
                   {"service": "kinesis", "operation": "GetRecords"})
    report = status(scenario, expect=75, environment={"AWS_MAX_ATTEMPTS": "1"})
    assert report["shards"][0]["problem"] and report["online"]


def test_an_estimate_of_bytes_and_catching_up(scenario):
    """A minute of 100 records a second was archived, then an hour of the same waits."""
    scenario.set_up(source={"read_rate": "100kB"})
    base = now_ms(scenario) - 2 * HOUR * 1000
    for second in range(61):
        scenario.load(scenario.lines(10, start=10 * second), arrival_ms=base + second * 1000)
    scenario.archive()
    bytes_each = sum(len(line) for line in scenario.lines(610)) / 610
    waiting = now_ms(scenario) - HOUR * 1000
    scenario.load(scenario.lines(10, start=610), arrival_ms=waiting)
    shard = status(scenario)["shards"][0]
    expected = 10 * bytes_each * HOUR
    assert abs(shard["lag_bytes"] - expected) / expected < 0.05, (shard["lag_bytes"], expected)
    catch_up = expected / (100_000 - 10 * bytes_each)
    assert abs(shard["catch_up_seconds"] - catch_up) / catch_up < 0.05


def parse_ms(text):
    from support.auditor import instant_ms
    return instant_ms(text)
