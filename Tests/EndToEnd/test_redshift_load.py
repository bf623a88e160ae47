"""`sluice redshift load`: whatever fails, and whoever loads beside, each row is in the table once, and the ledger says so."""

import collections
import gzip
import json
import os
import re
import signal
import time

import pytest

from support.scenario import time_text

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "Jobs", "Archive",
                      "Failpoints.swift")
HOUR = 3_600_000
LINES = 120


def failpoints():
    with open(SOURCE) as file:
        names = re.findall(r'case \w+ = "(load-[a-z-]+\.(?:before|after))"', file.read())
    assert len(names) >= 7
    return names


class Warehouse:
    """An archive of three hours in some batches, and a table of its own that waits for them."""

    def __init__(self, scenario, lines=None):
        self.scenario, self.control = scenario, scenario.control
        word = re.sub("[^a-z0-9]+", "_", scenario.name)
        self.table, self.ledger = "t_" + word, "l_" + word
        self.group = {"cluster": "local-cluster", "user": "loader", "database": "dev", "table": self.table,
                      "ledger_table": self.ledger, "role_arn": "arn:aws:iam::111122223333:role/copy"}
        scenario.set_up(shards=2, seal={"records": 20}, redshift=self.group)
        self.start = int(time.time() * 1000) // HOUR * HOUR - 4 * HOUR
        lines = scenario.lines(LINES) if lines is None else lines
        scenario.load(lines, arrivals=[self.start + n * 3 * HOUR // len(lines) for n in range(len(lines))])
        scenario.archive()
        ddl = scenario.program.run("redshift", "ddl", scenario.job).stdout
        self.execute(re.sub(r"--[^\n]*", "", ddl).split(";\n")[0])

    def use(self, place, **job):
        """Another way to the same table, or other settings of the job."""
        self.group = dict({"database": "dev", "table": self.table, "ledger_table": self.ledger}, **place)
        self.scenario.write_job(seal={"records": 20}, redshift=self.group, **job)

    def execute(self, sql):
        client = self.scenario.endpoint.observer("redshift-data")
        answer = client.execute_statement(Sql=sql, ClusterIdentifier="local-cluster", DbUser="x", Database="dev")
        while True:
            found = client.describe_statement(Id=answer["Id"])
            if found["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                assert found["Status"] == "FINISHED", found
                return
            time.sleep(0.02)

    def load(self, *arguments, expect=0, **options):
        return self.scenario.program.run("redshift", "load", self.scenario.job, "--json", *arguments, expect=expect,
                                         **options)

    def start_load(self, *arguments, **options):
        return self.scenario.program.start("redshift", "load", self.scenario.job, "--json", *arguments, **options)

    def sql(self, text):
        return self.control.sql(text.format(t='"%s"' % self.table, l='"%s"' % self.ledger))

    def manifests(self):
        keys = self.scenario.keys(self.scenario.control_prefix + "commits/")
        return {"s3://%s/%s" % (self.scenario.bucket, k): self.scenario.json_object(k) for k in keys}

    def has_ledger(self):
        return self.control.sql("SELECT count(*) FROM pg_tables WHERE tablename = '%s'" % self.ledger) == [[1]]

    def audit(self, complete=True):
        """Table and ledger against the stream and against each other."""
        records = {(r["shard"], r["sequence"]) for r in self.scenario.oracle()}
        # In one statement, so at one moment: what a killed host has handed in may still be committed.
        both = self.sql("SELECT 'row', shard_id, sequence_number, 0, 0 FROM {t}" + (
            " UNION ALL SELECT 'batch', manifest, '', object_count, row_count FROM {l}" if self.has_ledger() else ""))
        rows = collections.Counter((shard, sequence) for kind, shard, sequence, _, _ in both if kind == "row")
        assert max(rows.values(), default=1) == 1, "a row is in the table twice"
        assert set(rows) <= records
        ledger = [(manifest, objects, count) for kind, manifest, _, objects, count in both if kind == "batch"]
        manifests = self.manifests()
        assert len({m for m, _, _ in ledger}) == len(ledger), "a batch is in the ledger twice"
        expected = set()
        for name, objects, count in ledger:
            manifest = manifests[name]
            assert (len(manifest["objects"]), manifest["rows"]) == (objects, count)
            expected |= {(s, n) for s, n in records
                         if s == manifest["shard"] and int(manifest["first"]) <= int(n) <= int(manifest["last"])}
        assert set(rows) == expected, "ledger and table differ"
        if complete:
            assert len(ledger) == len(manifests) and set(rows) == records
        return len(rows)

    def fault(self, kind, match, **rule):
        """In the database, for statements about this table alone."""
        self.control.redshift_fault(kind, "(?=.*(?:%s|%s)).*%s" % (self.table, self.ledger, match), **rule)


@pytest.fixture
def warehouse(scenario):
    yield Warehouse(scenario)
    scenario.control.clear_redshift_faults()
    scenario.control.clear_faults()


def test_everything_is_loaded_once_and_a_second_run_finds_nothing_to_do(warehouse):
    dry = warehouse.load("--dry-run").report
    assert [l["outcome"] for l in dry["loads"]] == ["planned"] and dry["dry_run"] and not warehouse.has_ledger()
    assert not [k for k in warehouse.scenario.keys() if "redshift/" in k]
    report = warehouse.load().report
    assert warehouse.audit() == LINES == report["rows_loaded"]
    (load,) = report["loads"]
    assert load["id"] == dry["loads"][0]["id"] and load["batches"] == len(warehouse.manifests()) > 4
    assert report["exit_code"] == report["batches_left"] == report["known_batches"] == 0
    again = warehouse.load("--since-last").report
    assert again["loads"] == [] and again["known_batches"] == load["batches"]
    warehouse.scenario.load(warehouse.scenario.lines(10, start=LINES))
    warehouse.scenario.archive()
    assert warehouse.load().report["rows_loaded"] == 10
    warehouse.audit()
    assert "nothing to load" in warehouse.scenario.program.run("redshift", "load", warehouse.scenario.job).stdout


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
    warehouse.scenario.wait_for(lambda: warehouse.control.redshift_faults()[0]["fired"] == 1)
    process.kill()
    process.wait()
    warehouse.load()
    assert warehouse.audit() == LINES
    # The ledger is locked until the transaction has ended, so the second run saw all of it.
    assert warehouse.control.redshift_faults()[0]["fired"] == 1


def test_asked_to_end_while_it_waits(warehouse):
    warehouse.fault("wait", "^COPY", seconds=1, count=1)
    process = warehouse.start_load()
    warehouse.scenario.wait_for(lambda: warehouse.control.redshift_faults()[0]["fired"] == 1)
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
    ("fail", "^LOCK", 0), ("after", "SELECT 1 / CASE WHEN PG_LAST", 0),
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


def test_bad_luck_that_lasts_is_a_temporary_failure(warehouse):
    warehouse.fault("conflict", "^COPY")
    report = warehouse.load(expect=75).report
    assert report["loads"][0]["outcome"] == "failed" and "1023" in report["loads"][0]["error"]
    assert report["batches_left"] == len(warehouse.manifests())
    warehouse.audit(complete=False)
    warehouse.control.clear_redshift_faults()
    assert warehouse.load().report["rows_loaded"] == LINES
    warehouse.audit()


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


def test_hosts_that_load_at_once_while_others_are_killed(warehouse):
    names = [n for n in failpoints() if n != "load-ledger.after"]
    warehouse.fault("wait", "^COPY", seconds=0.2)
    for number, name in enumerate(names):
        warehouse.scenario.load(warehouse.scenario.lines(10, start=LINES + 10 * number))
        warehouse.scenario.archive()
        end = time_text(warehouse.start + (number % 3 + 1) * HOUR)
        processes = [warehouse.start_load(failpoint=name + "=kill"), warehouse.start_load("--from", "2000-01-01", "--to", end)]
        for process in processes:
            warehouse.scenario.program.finish(process, expect=None)
        warehouse.audit(complete=False)
    warehouse.load()
    assert warehouse.audit() == LINES + 10 * len(names)


def test_a_row_that_redshift_refuses_is_traced_and_the_other_batches_go_on(scenario):
    lines = scenario.lines(LINES)
    lines[57] = lines[57].replace("host0", "averylonghost")
    warehouse = Warehouse(scenario, lines)
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


def test_rows_that_are_missing_from_an_object_undo_the_load(warehouse):
    """An object that reads shorter than its manifest says, as one of several gzip members might."""
    manifest = next(iter(warehouse.manifests().values()))
    key = manifest["objects"][0]["key"]
    bucket, s3 = warehouse.scenario.bucket, warehouse.scenario.s3
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    short = gzip.compress(b"".join(lines[:len(lines) // 2]), mtime=0)
    s3.put_object(Bucket=bucket, Key=key, Body=short + b"\0" * (len(whole) - len(short)))
    result = warehouse.load(expect=65)
    assert "another number of rows" in result.stderr
    assert result.report["rows_loaded"] == 0 and warehouse.sql("SELECT count(*) FROM {t}") == [[0]]
    assert warehouse.sql("SELECT count(*) FROM {l}") == [[0]]


def test_what_a_job_file_has_wrong_is_said_with_its_exit_code(warehouse):
    scenario = warehouse.scenario
    for change, status, text in [
            ({"cluster": "other"}, 78, "under `redshift:`"), ({"database": "nowhere"}, 78, "does not exist"),
            ({"table": "t_nowhere"}, 78, "sluice redshift ddl"), ({"schema": "nowhere"}, 78, "does not exist")]:
        scenario.write_job(seal={"records": 20}, redshift=dict(warehouse.group, **change))
        result = warehouse.load(expect=status)
        assert text in result.stderr, result
    scenario.write_job(seal={"records": 20})
    assert "redshift" in warehouse.load(expect=78).stderr
    scenario.write_job(seal={"records": 20}, redshift=warehouse.group)
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
    wanted = {k: v for k, v in dict(warehouse.group, **group).items() if v is not None}
    warehouse.scenario.write_job(seal={"records": 20}, redshift=wanted)
    key = warehouse.control.issue_key(denied=[denied])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    result = warehouse.load(expect=77, environment=environment)
    assert denied in result.stderr
    warehouse.load()
    assert warehouse.audit() == LINES
    assert json.loads(warehouse.load().stdout)["loads"] == []
