"""What an operator meets: wrong input, refused permission, a full disk, a second host. Each says what it is and ends
with its own exit code, and nothing is lost."""

import os
import shutil
import sqlite3
import subprocess

import pytest

from support.program import binary


def said(result):
    """Everything the operator sees; never a secret or a stack trace."""
    text = result.stdout + result.stderr
    assert "Fatal error" not in text and "Stack dump" not in text, text
    return text


def test_a_missing_stream_is_named(scenario):
    scenario.set_up()
    scenario.write_job(source={"stream": "no-such-stream"})
    assert "no-such-stream" in said(scenario.archive(expect=74))


def test_a_missing_bucket_is_named(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(5))
    scenario.write_job(destination={"bucket": "no-such-bucket-%s" % scenario.name})
    result = scenario.archive(expect=(74, 77))
    assert "no-such-bucket" in said(result) and "hint" in said(result)


@pytest.mark.parametrize("action", ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator",
                                    "kinesis:GetRecords", "s3:GetObject", "s3:PutObject"])
def test_a_refused_permission_names_the_action(scenario, action):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    key = scenario.control.issue_key(denied=[action])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    result = scenario.archive(environment=environment, expect=77)
    text = said(result)
    assert action in text, text
    assert key["secret_access_key"] not in text and key["session_token"] not in text
    scenario.archive()
    scenario.audit()


def test_wrong_secret_is_refused_and_not_shown(scenario):
    scenario.set_up()
    result = scenario.archive(environment={"AWS_SECRET_ACCESS_KEY": "wrongwrongwrong"}, expect=77)
    assert "wrongwrongwrong" not in said(result)


def test_no_credentials_at_all(scenario):
    scenario.set_up()
    result = scenario.archive(environment={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, expect=77)
    assert "credentials" in said(result)


def test_a_token_that_expires_while_it_runs_is_renewed(scenario):
    scenario.set_up(shards=2, settings={"page_records": 20}, seal={"records": 20})
    scenario.load(scenario.lines(200))
    scenario.fault({"kind": "error", "status": 400, "code": "ExpiredTokenException",
                    "message": "The security token included in the request is expired"},
                   {"service": "kinesis", "operation": "GetRecords"}, nth=3)
    scenario.archive()
    scenario.audit()


def test_a_wrong_clock_is_corrected(scenario):
    scenario.set_up()
    scenario.control.clock(offset=3600)
    scenario.load(scenario.lines(10))
    scenario.archive()
    scenario.control.clock(offset=0)
    scenario.audit()


def test_s3_down_for_a_while_leaves_the_batch_for_the_next_run(scenario):
    scenario.set_up(limits={"run_time": "3s"})
    scenario.load(scenario.lines(10))
    scenario.fault({"kind": "error", "status": 503, "code": "SlowDown", "message": "Reduce your request rate"},
                   {"service": "s3", "method": "PUT", "key": "data/"})
    result = scenario.archive(expect=75)
    assert "SlowDown" in said(result)
    scenario.control.clear_faults()
    scenario.archive()
    scenario.audit()


def test_an_error_inside_a_200_is_an_error(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.fault({"kind": "error_in_200", "code": "InternalError", "message": "x"},
                   {"service": "s3", "method": "PUT"}, count=2)
    scenario.archive()
    scenario.audit()


def test_an_object_of_somebody_else_is_not_overwritten(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    assert scenario.archive(failpoint="object.before=kill", expect=None).was_killed
    spool = os.listdir(os.path.join(scenario.state_directory, "spool"))
    assert len(spool) == 1
    sequence = scenario.oracle()[0]["sequence"].zfill(64)
    now = __import__("time").gmtime(scenario.oracle()[0]["arrival_ms"] / 1000)
    key = "data/dt=%s/hour=%02d/%s-shardId-000000000000-%s.ndjson.gz" % (
        __import__("time").strftime("%Y-%m-%d", now), now.tm_hour, scenario.stream, sequence)
    scenario.s3.put_object(Bucket=scenario.bucket, Key=key, Body=b"mine")
    result = scenario.archive(expect=73)
    assert key in said(result)
    assert scenario.s3.get_object(Bucket=scenario.bucket, Key=key)["Body"].read() == b"mine"
    scenario.s3.delete_object(Bucket=scenario.bucket, Key=key)
    scenario.archive()
    scenario.audit()


def test_two_runs_of_one_job_do_not_overlap(scenario):
    scenario.set_up(settings={"page_records": 5})
    scenario.load(scenario.lines(200))
    scenario.fault({"kind": "delay", "seconds": 0.1}, {"service": "kinesis", "operation": "GetRecords"})
    process = scenario.start_archive()
    scenario.wait_for(lambda: scenario.requests(operation="GetRecords"), what="the first read")
    second = scenario.archive(expect=79)
    assert second.seconds < 3 and str(process.pid) in said(second)
    scenario.program.finish(process)
    scenario.audit()


def test_a_second_host_is_found_out_before_it_writes(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    before = scenario.keys()
    scenario.write_job(state={"directory": os.path.join(scenario.directory, "other-host")})
    result = scenario.archive(expect=74)
    assert "state rebuild" in said(result)
    assert scenario.keys() == before


def test_a_restored_old_state_is_found_out(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    shutil.copytree(scenario.state_directory, scenario.state_directory + ".old")
    scenario.load(scenario.lines(10, start=10))
    scenario.archive()
    shutil.rmtree(scenario.state_directory)
    os.rename(scenario.state_directory + ".old", scenario.state_directory)
    before = scenario.keys()
    assert "state rebuild" in said(scenario.archive(expect=74))
    assert scenario.keys() == before
    scenario.program.run("state", "rebuild", scenario.job, "--force")
    scenario.load(scenario.lines(10, start=20))
    assert scenario.archive().report["totals"]["records"] == 10
    scenario.audit()


def test_lost_state_is_rebuilt_from_the_bucket(scenario):
    scenario.set_up(shards=2, seal={"records": 7})
    scenario.load(scenario.lines(60))
    scenario.kinesis.split_shard(StreamName=scenario.stream, ShardToSplit="shardId-000000000000",
                                 NewStartingHashKey=str(1 << 125))
    scenario.load(scenario.lines(40, start=60))
    scenario.archive()
    shutil.rmtree(scenario.state_directory)
    assert "state rebuild" in said(scenario.archive(expect=74))
    scenario.program.run("state", "rebuild", scenario.job)
    scenario.load(scenario.lines(20, start=100))
    assert scenario.archive().report["totals"]["records"] == 20
    scenario.audit()


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "foreign", "newer"])
def test_damaged_state_is_detected_and_never_reset(scenario, damage):
    scenario.set_up()
    scenario.load(scenario.lines(10))
    scenario.archive()
    path = next(os.path.join(scenario.state_directory, n) for n in os.listdir(scenario.state_directory)
                if n.endswith((".db", ".sqlite", ".sqlite3")))
    with open(path, "rb") as file:
        good = file.read()
    bad = {"flip": good[:5000] + bytes(b ^ 0xFF for b in good[5000:9000]) + good[9000:],
           "truncate": good[:6000], "empty": b"", "foreign": None, "newer": None}[damage]
    if damage == "foreign":
        os.unlink(path)
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE t (x)")
    elif damage == "newer":
        with sqlite3.connect(path) as same:
            same.execute("PRAGMA user_version = 999")
    else:
        with open(path, "wb") as file:
            file.write(bad)
    with open(path, "rb") as file:
        broken = file.read()
    text = said(scenario.archive(expect=74))
    assert os.path.basename(path) in text and "hint" in text, text
    with open(path, "rb") as file:
        assert file.read() == broken
    scenario.program.run("state", "rebuild", scenario.job, "--force")
    scenario.load(scenario.lines(5, start=10))
    assert scenario.archive().report["totals"]["records"] == 5
    scenario.audit()


def test_a_full_disk_loses_nothing(scenario):
    """The state directory on a file system of 300 KiB, then the same with room."""
    scenario.set_up()
    scenario.load(["2026-11-22T22:16:10+00:00 web app: %s" % os.urandom(300).hex() for _ in range(1500)])
    script = ("mkdir -p state && mount -t tmpfs -o size=300k,mode=0700 none state && "
              "{ %(run)s >small.json 2>small.log; echo $? >small.exit; "
              "mount -o remount,size=64m state; %(run)s >large.json 2>large.log; echo $? >large.exit; }" % {
                  "run": "%s archive %s --json" % (binary(), scenario.job)})
    flags = "-m" if os.geteuid() == 0 else "-rm"
    subprocess.run(["unshare", flags, "sh", "-c", script], cwd=scenario.directory, env=scenario.program.environment,
                   check=True, timeout=120)

    def read(name):
        with open(os.path.join(scenario.directory, name)) as file:
            return file.read()

    assert read("small.exit").strip() == "75", read("small.log") + read("small.json")
    assert "No space left" in read("small.log") + read("small.json")
    assert read("large.exit").strip() == "0", read("large.log")
    scenario.audit()


def test_state_that_cannot_be_written_is_named(scenario):
    scenario.set_up(state={"directory": "/proc/sluice-cannot-write-here"})
    result = scenario.archive(expect=(74, 75, 77))
    assert "/proc/sluice-cannot-write-here" in said(result)


def test_an_unreachable_endpoint_says_what_failed(scenario):
    scenario.set_up(limits={"run_time": "2s"})
    refused = scenario.archive(environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, expect=75)
    assert "connect" in said(refused)
    unknown = scenario.archive(environment={"AWS_ENDPOINT_URL": "https://nowhere.invalid"}, expect=75)
    assert "resolve" in said(unknown) and "refused an option" not in said(unknown)


def test_plain_http_is_for_loopback_only(scenario):
    scenario.set_up()
    text = said(scenario.archive(environment={"AWS_ENDPOINT_URL": "http://example.org"}, expect=(64, 77, 78)))
    assert "https" in text
