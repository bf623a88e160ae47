"""`sluice redshift load`: whatever fails, and whoever loads beside, each row is in the table once, and the ledger says so."""

import gzip
import json
import os
import re
import signal
import time

import pytest

from support.scenario import Scenario, time_text
from support.warehouse import HOUR, LINES, Warehouse, make_archive

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "Jobs", "Archive",
                      "Failpoints.swift")


def failpoints():
    with open(SOURCE) as file:
        names = re.findall(r'case \w+ = "(load-[a-z-]+\.(?:before|after))"', file.read())
    assert len(names) >= 7
    return names


@pytest.fixture(scope="module")
def archive(aws, tmp_path_factory):
    """Made once, for the tests that leave it as it is."""
    return make_archive(Scenario(aws, tmp_path_factory.mktemp("archive"), "load"))


@pytest.fixture
def warehouse(archive):
    """A table of its own over the common archive."""
    yield Warehouse(archive)
    archive.control.clear_redshift_faults()
    archive.control.clear_faults()


@pytest.fixture
def own(scenario):
    """Table and archive of its own, for what changes the archive."""
    yield Warehouse(make_archive(scenario))
    scenario.control.clear_redshift_faults()


def test_everything_is_loaded_once_and_a_second_run_finds_nothing_to_do(own):
    dry = own.load("--dry-run").report
    assert [l["outcome"] for l in dry["loads"]] == ["planned"] and dry["dry_run"] and not own.has_ledger()
    assert not [k for k in own.scenario.keys() if "redshift/" in k]
    report = own.load().report
    assert own.audit() == LINES == report["rows_loaded"]
    (load,) = report["loads"]
    assert load["id"] == dry["loads"][0]["id"] and load["batches"] == len(own.manifests()) > 4
    assert report["exit_code"] == report["batches_left"] == report["known_batches"] == 0
    again = own.load("--since-last").report
    assert again["loads"] == [] and again["known_batches"] == load["batches"]
    own.scenario.load(own.scenario.lines(10, start=LINES))
    own.scenario.archive()
    assert own.load().report["rows_loaded"] == 10
    own.audit()
    assert "nothing to load" in own.scenario.program.run("redshift", "load", own.scenario.job).stdout


def test_ranges_that_meet_load_all_of_it(warehouse):
    times = [time_text(warehouse.start + n * HOUR) for n in range(5)]
    for start, end in zip(times, times[1:]):
        warehouse.load("--from", start, "--to", end)
        warehouse.audit(complete=False)
    assert warehouse.audit() == LINES


@pytest.mark.parametrize("name", failpoints())
def test_killed_anywhere_and_run_again(warehouse, name):
    killed = warehouse.load(failpoint=name + "=kill", expect=None)
    assert killed.was_killed, killed
    warehouse.load()
    assert warehouse.audit() == LINES


def test_killed_while_the_transaction_runs_meets_it_again(warehouse):
    warehouse.fault("wait", "^COPY", seconds=1.5, count=2)
    process = warehouse.start_load()
    warehouse.wait_for_fault()
    process.kill()
    process.wait()
    warehouse.load()
    assert warehouse.audit() == LINES
    # The ledger is locked until the transaction has ended, so the second run saw all of it.
    assert warehouse.control.redshift_faults()[0]["fired"] == 1


@pytest.mark.slow
def test_waits_with_news_and_no_longer_than_the_run_may_take(warehouse):
    warehouse.write_job(limits={"run_time": "3s"})
    warehouse.fault("wait", "^COPY", seconds=4)
    result = warehouse.load(expect=75)
    assert 3 <= result.seconds < 10
    news = re.findall(r"load ([0-9a-f]{12}) of 120 rows in \d+ objects: waiting for 2 s, statement (\S+) is STARTED",
                      result.stderr)
    assert len(news) == 1, result
    report = result.report
    assert report["batches_left"] == len(warehouse.manifests()) and report["exit_code"] == 75
    assert "limits.run_time of 3s is over" in result.stderr and news[0][1] in report["problem"]["subject"]
    warehouse.write_job()
    again = warehouse.load().report
    # The transaction was left alone and is met again: by its token, or it was seen in the ledger.
    assert again["known_batches"] or again["loads"][0]["statement"] == news[0][1]
    assert warehouse.audit() == LINES and warehouse.control.redshift_faults()[0]["fired"] == 1


def test_no_load_begins_when_the_run_has_had_its_time(warehouse):
    warehouse.write_job(limits={"run_time": "1s"})
    result = warehouse.load(failpoint="load-ledger.after=sleep:1100", expect=75)
    assert "limits.run_time of 1s is over" in result.stderr and result.report["loads"] == []
    assert result.report["batches_left"] == len(warehouse.manifests())
    warehouse.audit(complete=False)
    assert not warehouse.scenario.requests(operation="BatchExecuteStatement")


def test_asked_to_end_while_it_waits(warehouse):
    warehouse.fault("wait", "^COPY", seconds=1, count=1)
    process = warehouse.start_load()
    warehouse.wait_for_fault()
    process.send_signal(signal.SIGTERM)
    result = warehouse.scenario.program.finish(process, expect=143)
    assert result.seconds < 10
    warehouse.load()
    assert warehouse.audit() == LINES


@pytest.mark.parametrize("operation", ["ExecuteStatement", "BatchExecuteStatement", "DescribeStatement",
                                       "GetStatementResult"])
@pytest.mark.parametrize("kind", ["lose_answer", "cut", "throttle"])
def test_answers_that_get_lost(warehouse, operation, kind):
    action = kind if kind != "throttle" else {"kind": "error", "status": 400, "code": "ThrottlingException"}
    warehouse.control.fault(action, {"service": "redshift-data", "operation": operation}, count=2)
    warehouse.load()
    assert warehouse.audit() == LINES
    assert warehouse.control.faults()[0]["fired"] == 2


@pytest.mark.parametrize("kind, match, count", [
    ("conflict", "^INSERT", 2), ("conflict", "^COPY", 1), ("crash", "^COPY", 2), ("crash", "pg_last", 0),
    ("fail", "^LOCK", 0), ("after", "SELECT 1 / CASE WHEN PG_LAST", 0), ("conflict", "^COMMIT of LOCK", 1),
    ("crash", "^COMMIT of LOCK", 1),
])
def test_transactions_that_fail(warehouse, kind, match, count):
    if count:
        warehouse.fault(kind, match, count=count)
    else:
        # These statements do not name the table; nobody else runs any now.
        warehouse.control.redshift_fault(kind, match, count=1, message="ERROR: connection reset")
    report = warehouse.load().report
    assert [l["outcome"] for l in report["loads"]] == ["loaded"]
    assert warehouse.audit() == LINES
    assert warehouse.control.redshift_faults()[0]["fired"] == max(count, 1)


@pytest.mark.slow
def test_bad_luck_that_lasts_is_a_temporary_failure(warehouse):
    warehouse.fault("conflict", "^COPY")
    report = warehouse.load(expect=75).report
    assert report["loads"][0]["outcome"] == "failed" and "1023" in report["loads"][0]["error"]
    assert report["batches_left"] == len(warehouse.manifests())
    warehouse.audit(complete=False)
    warehouse.control.clear_redshift_faults()
    assert warehouse.load().report["rows_loaded"] == LINES
    warehouse.audit()


def test_a_statement_that_fails_leaves_its_batches_to_the_next_run(warehouse):
    warehouse.fault("fail", "^COPY", count=1, message="ERROR: Disk Full")
    report = warehouse.load(expect=75).report
    (load,) = report["loads"]
    assert (load["outcome"], load["reason"], load["error"]) == ("failed", "other", "ERROR: Disk Full")
    assert report["batches_left"] == len(warehouse.manifests()) and warehouse.audit(complete=False) == 0
    assert warehouse.load().report["rows_loaded"] == LINES == warehouse.audit()


def test_two_hosts_with_overlapping_sets_at_once(warehouse):
    warehouse.fault("wait", "^COPY", seconds=0.7)
    middle = time_text(warehouse.start + 2 * HOUR)
    # The ledger is there, so that both read it before either loads.
    warehouse.load("--from", "2000-01-01", "--to", "2000-01-02")
    processes = [warehouse.start_load(), warehouse.start_load("--from", "2000-01-01", "--to", middle),
                 warehouse.start_load("--from", time_text(warehouse.start + HOUR), "--to", "2100-01-01"),
                 warehouse.start_load()]
    reports = [warehouse.scenario.program.finish(p).report for p in processes]
    assert warehouse.audit() == LINES
    assert sum(r["batches_loaded_elsewhere"] for r in reports) > 0


@pytest.mark.slow
def test_hosts_that_load_at_once_while_others_are_killed(own):
    names = [n for n in failpoints() if n != "load-ledger.after"]
    own.fault("wait", "^COPY", seconds=0.2)
    for number, name in enumerate(names):
        own.scenario.load(own.scenario.lines(10, start=LINES + 10 * number))
        own.scenario.archive()
        end = time_text(own.start + (number % 3 + 1) * HOUR)
        processes = [own.start_load(failpoint=name + "=kill"), own.start_load("--from", "2000-01-01", "--to", end)]
        for process in processes:
            own.scenario.program.finish(process, expect=None)
        own.audit(complete=False)
    own.load()
    assert own.audit() == LINES + 10 * len(names)


def test_a_row_that_redshift_refuses_is_traced_and_the_other_batches_go_on(scenario):
    lines = scenario.lines(LINES)
    lines[57] = lines[57].replace("host0", "averylonghost")
    warehouse = Warehouse(make_archive(scenario, lines))
    warehouse.control.sql('ALTER TABLE "%s" ALTER COLUMN host TYPE varchar(8)' % warehouse.table)
    result = warehouse.load(expect=65)
    report = result.report
    failed = [l for l in report["loads"] if l["outcome"] == "failed"]
    assert len(failed) == 1 and failed[0]["batches"] == report["batches_left"] == 1 and failed[0]["reason"] == "rows"
    (row,) = failed[0]["refused_rows"]
    (record,) = [r for r in scenario.oracle() if r["partition_key"] == "host/file/0/57"]
    assert (row["shard"], row["sequence_number"]) == (record["shard"], record["sequence"])
    assert row["column"] == "host" and "DDL length" in row["message"]
    manifest = next(m for m in warehouse.manifests().values() if row["object"] in [o["key"] for o in m["objects"]])
    assert warehouse.audit(complete=False) == LINES - manifest["rows"]
    assert "hint: " in result.stderr
    text = scenario.program.run("redshift", "load", scenario.job, expect=65).stdout
    assert "%s line %d column host" % (row["object"], row["line"]) in text and record["sequence"] in text
    # The statements that failed are still known to the service under their tokens.
    warehouse.control.sql('ALTER TABLE "%s" ALTER COLUMN host TYPE varchar(255)' % warehouse.table)
    assert warehouse.load().report["rows_loaded"] == manifest["rows"]
    warehouse.audit()


@pytest.mark.parametrize("kind", ["no JSON", "no origin"])
def test_a_row_that_does_not_tell_its_record_is_traced_to_its_batch(own, kind):
    name, manifest = next(iter(own.manifests().items()))
    key = manifest["objects"][0]["key"]
    bucket, s3 = own.scenario.bucket, own.scenario.s3
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    row = {k: v for k, v in json.loads(lines[2]).items() if k not in ("shard_id", "sequence_number")}
    lines[2] = b"{\n" if kind == "no JSON" else json.dumps(dict(row, severity=1 << 20)).encode() + b"\n"
    # As long as the manifest says: the rest of the rows goes, and zeros come.
    short = gzip.compress(b"".join(lines[:4]), mtime=0)
    s3.put_object(Bucket=bucket, Key=key, Body=short + b"\0" * (len(whole) - len(short)))
    report = own.load(expect=65).report
    (failed,) = [load for load in report["loads"] if load["outcome"] == "failed"]
    (row,) = failed["refused_rows"]
    assert (row["object"], row["line"], row["shard"]) == (key, 3, manifest["shard"]) and "sequence_number" not in row
    assert name.endswith("/" + row["manifest"])
    text = own.scenario.program.run("redshift", "load", own.scenario.job, expect=65).stdout
    assert "%s line 3" % key in text and "(%s of %s)" % (manifest["shard"], row["manifest"]) in text
    assert own.audit(complete=False) == LINES - manifest["rows"]


def test_rows_that_are_missing_from_an_object_undo_the_load(own):
    """An object that reads shorter than its manifest says, as one of several gzip members might."""
    manifest = next(iter(own.manifests().values()))
    key = manifest["objects"][0]["key"]
    bucket, s3 = own.scenario.bucket, own.scenario.s3
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    short = gzip.compress(b"".join(lines[:len(lines) // 2]), mtime=0)
    s3.put_object(Bucket=bucket, Key=key, Body=short + b"\0" * (len(whole) - len(short)))
    result = own.load(expect=65)
    assert "another number of rows" in result.stderr
    assert result.report["rows_loaded"] == 0 and own.sql("SELECT count(*) FROM {t}") == [[0]]
    assert own.sql("SELECT count(*) FROM {l}") == [[0]]


def test_what_a_job_file_has_wrong_is_said_with_its_exit_code(warehouse):
    for change, status, text in [
            ({"cluster": "other"}, 78, "under `redshift:`"), ({"database": "nowhere"}, 78, "does not exist"),
            ({"table": "t_nowhere"}, 78, "sluice redshift ddl"), ({"schema": "nowhere"}, 78, "does not exist")]:
        warehouse.write_job(change)
        result = warehouse.load(expect=status)
        assert text in result.stderr, result
    warehouse.write_job(redshift=None)
    assert "redshift" in warehouse.load(expect=78).stderr
    warehouse.write_job()
    warehouse.audit(complete=False)
    warehouse.load()
    warehouse.audit()


@pytest.mark.parametrize("group, denied", [
    ({}, "redshift:GetClusterCredentials"), ({}, "redshift-data:BatchExecuteStatement"),
    ({}, "redshift-data:DescribeStatement"), ({}, "redshift-data:GetStatementResult"),
    ({"cluster": None, "user": None, "workgroup": "local-workgroup"}, "redshift-serverless:GetCredentials"),
    ({"user": None, "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"},
     "secretsmanager:GetSecretValue"),
])
def test_a_missing_permission_is_named_and_without_it_missing_all_is_well(warehouse, group, denied):
    warehouse.write_job(group)
    key = warehouse.control.issue_key(denied=[denied])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    result = warehouse.load(expect=77, environment=environment)
    assert denied in result.stderr
    warehouse.load()
    assert warehouse.audit() == LINES
    assert json.loads(warehouse.load().stdout)["loads"] == []
