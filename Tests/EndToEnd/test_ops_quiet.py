"""`--quiet` for cron: not a byte when all is well, everything that matters otherwise."""

import fcntl
import json
import os
import time

from support import jobs
from support.scenario import time_text


def said(result):
    return result.stdout + result.stderr


def test_a_run_that_is_well_says_nothing(scenario):
    scenario.set_up(shards=2)
    scenario.load(scenario.lines(20))
    now = int(time.time() * 1000)
    for arguments in (["archive", scenario.job], ["archive", scenario.job, "--json", "--log-level", "debug"],
                      ["archive", scenario.job, "--log-format", "json"], ["check", scenario.job],
                      ["check", "--live", scenario.job], ["state", "rebuild", "--force", scenario.job],
                      ["status", scenario.job], ["verify", "--read-data", scenario.job],
                      ["backfill", scenario.job, "--from", "2026-01-01", "--to", time_text(now)],
                      ["backfill", scenario.job, "--from", "2026-01-01", "--to", time_text(now), "--dry-run"]):
        assert said(scenario.program.run(*arguments, "--quiet")) == "", arguments
    scenario.audit()


def test_a_job_that_another_run_holds_is_no_news(scenario):
    scenario.set_up()
    scenario.archive()
    with open(os.path.join(scenario.state_directory, "lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert said(scenario.archive("--quiet", expect=79)) == ""
        assert "is running this job" in said(scenario.archive(expect=79))


def test_a_failure_brings_error_and_summary(scenario):
    scenario.set_up(shards=2)
    scenario.load(scenario.lines(20))
    key = scenario.control.issue_key(denied=["s3:PutObject"])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    result = scenario.archive("--quiet", environment=environment, expect=77)
    assert result.report["exit_code"] == 77 and "s3:PutObject" in said(result)
    text = scenario.program.run("archive", scenario.job, "--quiet", environment=environment, expect=77)
    assert "not finished" in text.stdout and " info " not in text.stderr


def test_a_job_that_is_behind_and_an_archive_that_is_damaged_are_told(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(5))
    assert "NEVER RUN" in said(scenario.program.run("status", scenario.job, "--quiet", expect=75))
    scenario.archive()
    scenario.s3.delete_object(Bucket=scenario.bucket, Key=scenario.keys("data/")[0])
    assert "object-missing" in said(scenario.program.run("verify", scenario.job, "--quiet", expect=65))


def test_a_warning_is_told_even_when_the_run_succeeds(scenario):
    scenario.set_up()
    bucket = scenario.bucket + "-eu"
    scenario.endpoint.observer("s3", region_name="eu-west-1").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    scenario.write_job(destination={"bucket": bucket})
    scenario.load(scenario.lines(3))
    result = scenario.archive("--quiet")
    assert "eu-west-1" in result.stderr and result.report["totals"]["records"] == 3


def test_ship_is_quiet_too(scenario):
    scenario.set_up()
    log = os.path.join(scenario.directory, "app.log")
    with open(log, "w") as file:
        file.write("one\ntwo\n")
    job = jobs.ship(scenario.directory, scenario.stream, [log])
    assert said(scenario.program.run("ship", "--once", "--quiet", job)) == ""
    assert len(scenario.oracle()) == 2
    scenario.write_job()
    refused = scenario.control.issue_key(denied=["kinesis:PutRecords"])
    with open(log, "a") as file:
        file.write("three\n")
    result = scenario.program.run("ship", "--once", "--quiet", "--json", job, expect=77, environment={
        "AWS_ACCESS_KEY_ID": refused["access_key_id"], "AWS_SECRET_ACCESS_KEY": refused["secret_access_key"],
        "AWS_SESSION_TOKEN": refused["session_token"]})
    assert json.loads(result.stdout)["exit_code"] == 77


def test_a_wrong_job_file_is_told(scenario):
    assert "read job file" in said(scenario.program.run("archive", "/nowhere.yaml", "--quiet", expect=78))


def test_what_a_command_is_for_is_never_held_back(scenario):
    scenario.set_up()
    assert json.loads(scenario.program.run("policy", scenario.job, "--quiet", "--account", "123456789012").stdout)
    rows = scenario.program.run("transform", "--quiet", stdin=b"Nov 22 22:14:15 host app: hello\n").stdout
    assert json.loads(rows)["message"] == "hello"
    assert "stream: s" in scenario.program.run("init", "archive", "--quiet", "--stream", "s1", "--bucket", "bbb",
                                               "--region", "us-east-1", "--output", "-").stdout
