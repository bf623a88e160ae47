"""The Redshift Data API as loading sees it: one transaction a batch, tokens, errors, COPY from the local S3."""

import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

TARGET = {"ClusterIdentifier": "local-cluster", "DbUser": "loader", "Database": "dev"}
TABLE = ('CREATE TABLE "public"."t" ("at" TIMESTAMP ENCODE az64 NOT NULL, "site" VARCHAR(5) ENCODE zstd, "n" SMALLINT) '
         'DISTSTYLE EVEN COMPOUND SORTKEY ("at")')
COPY = """COPY "public"."t" ("at", "site", "n") FROM 's3://logs/m.manifest' IAM_ROLE 'arn:aws:iam::111122223333:role/r'
FORMAT JSON 's3://logs/paths.json' GZIP MANIFEST TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF MAXERROR 0"""
GOOD = {"at": "2026-11-22T01:02:03.456Z", "site": "x|y", "n": 3}


@pytest.fixture
def data(endpoint, control):
    return endpoint.client("redshift-data")


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="logs")
    s3.put_object(Bucket="logs", Key="paths.json", Body=json.dumps({"jsonpaths": ["$['at']", "$['site']", "$['n']"]}))

    def put(*objects):
        entries = []
        for number, rows in enumerate(objects):
            body = gzip.compress(b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in rows))
            s3.put_object(Bucket="logs", Key="o%d" % number, Body=body)
            entries.append({"url": "s3://logs/o%d" % number, "mandatory": True, "meta": {"content_length": len(body)}})
        s3.put_object(Bucket="logs", Key="m.manifest", Body=json.dumps({"entries": entries}))
    return put


def wait(data, answer):
    while True:
        found = data.describe_statement(Id=answer["Id"])
        if found["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return found
        time.sleep(0.02)


def batch(data, *statements, **fields):
    return wait(data, data.batch_execute_statement(Sqls=list(statements), **dict(TARGET, **fields)))


def run(data, sql):
    return wait(data, data.execute_statement(Sql=sql, **TARGET))


def code(error):
    return error.value.response["Error"]["Code"]


def test_a_batch_is_one_transaction(data, control):
    run(data, "CREATE TABLE a (n int)")
    found = batch(data, "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)")
    assert found["Status"] == "FINISHED" and [p["ResultRows"] for p in found["SubStatements"]] == [1, 1]
    found = batch(data, "INSERT INTO a VALUES (3)", "SELECT 1 / (count(*) - 3) FROM a", "INSERT INTO a VALUES (4)")
    assert found["Status"] == "FAILED" and found["Error"] == "ERROR: Divide by zero"
    assert [p["Status"] for p in found["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert control.sql("SELECT n FROM a ORDER BY n") == [[1], [2]]
    assert batch(data, "INSERT INTO a VALUES (5)", "COMMIT", "SELECT nonsense")["Status"] == "FAILED"
    assert control.sql("SELECT count(*) FROM a") == [[2]]


def test_results_come_in_pages_and_by_part(data, control):
    control.redshift_settings(page_rows=2)
    done = batch(data, "SELECT 1", "SELECT g, 'x' || g, NULL::int, true FROM generate_series(1, 5) g")
    pages = data.get_paginator("get_statement_result").paginate(Id=done["Id"] + ":2")
    rows = [row for page in pages for row in page["Records"]]
    assert [row[0]["longValue"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[4][1:] == [{"stringValue": "x5"}, {"isNull": True}, {"booleanValue": True}]
    with pytest.raises(ClientError) as error:
        data.get_statement_result(Id=done["Id"] + ":3")
    assert code(error) == "ResourceNotFoundException"


def test_a_known_token_runs_nothing_again(data, control):
    run(data, "CREATE TABLE a (n int)")
    first = batch(data, "INSERT INTO a VALUES (1)", ClientToken="t")
    assert batch(data, "INSERT INTO a VALUES (1)", ClientToken="t")["Id"] == first["Id"]
    assert control.sql("SELECT count(*) FROM a") == [[1]]
    with pytest.raises(ClientError) as error:
        batch(data, "INSERT INTO a VALUES (2)", ClientToken="t")
    assert code(error) == "ValidationException"
    # A statement that failed stays failed under its token.
    failed = batch(data, "SELECT nonsense", ClientToken="u")
    assert batch(data, "SELECT nonsense", ClientToken="u")["Id"] == failed["Id"]
    control.check_skew(False)
    control.clock(advance=8 * 3600 + 1)
    assert batch(data, "INSERT INTO a VALUES (1)", ClientToken="t")["Id"] != first["Id"]


def test_a_lost_answer_leaves_the_effect(data, control):
    run(data, "CREATE TABLE a (n int)")
    control.fault("lose_answer", {"service": "redshift-data", "operation": "BatchExecuteStatement"}, count=1)
    with pytest.raises(ConnectionClosedError):
        batch(data, "INSERT INTO a VALUES (1)", ClientToken="t")
    assert batch(data, "INSERT INTO a VALUES (1)", ClientToken="t")["Status"] == "FINISHED"
    assert control.sql("SELECT count(*) FROM a") == [[1]]


@pytest.mark.parametrize("kind, committed", [("fail", 0), ("conflict", 0), ("crash", 0), ("after", 1)])
def test_faults_in_the_database(data, control, kind, committed):
    run(data, "CREATE TABLE a (n int)")
    control.redshift_fault(kind, "VALUES", count=1)
    found = batch(data, "INSERT INTO a VALUES (1)")
    assert found["Status"] == "FAILED" and (kind == "conflict") == ("1023" in found["Error"])
    assert control.sql("SELECT count(*) FROM a") == [[committed]]
    assert control.redshift_faults()[0]["fired"] == 1
    assert batch(data, "INSERT INTO a VALUES (2)")["Status"] == "FINISHED"


def test_a_lock_makes_transactions_wait_and_see_each_other(data, control):
    run(data, "CREATE TABLE a (n int)")
    control.redshift_fault("wait", "VALUES \\(1\\)", seconds=0.5)
    check = "SELECT 1 / CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM a"
    first = data.batch_execute_statement(Sqls=["LOCK a", check, "INSERT INTO a VALUES (1)"], **TARGET)
    time.sleep(0.2)
    second = data.batch_execute_statement(Sqls=["LOCK a", check, "INSERT INTO a VALUES (2)"], **TARGET)
    assert wait(data, first)["Status"] == "FINISHED"
    assert wait(data, second)["Error"] == "ERROR: Divide by zero"
    assert control.sql("SELECT n FROM a") == [[1]]


def test_statements_are_cancelled(data, control):
    control.redshift_fault("wait", "SELECT 7", seconds=0.5)
    answer = data.execute_statement(Sql="SELECT 7", **TARGET)
    assert data.cancel_statement(Id=answer["Id"])["Status"] is True
    assert wait(data, answer)["Status"] == "ABORTED"
    with pytest.raises(ClientError):
        data.cancel_statement(Id=answer["Id"])


@pytest.mark.parametrize("fields, expected", [
    ({"ClusterIdentifier": "other"}, "ValidationException"), ({"WorkgroupName": "local-workgroup"}, "ValidationException"),
    ({"SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}, "ValidationException"),
    ({"Sqls": ["x" * 100_001]}, "ValidationException"),
])
def test_wrong_requests_are_refused(data, fields, expected):
    with pytest.raises(ClientError) as error:
        data.batch_execute_statement(**dict(dict(TARGET, Sqls=["SELECT 1"]), **fields))
    assert code(error) == expected


def test_too_many_statements_at_once_are_throttled(data, control):
    control.redshift_settings(active_max=1)
    control.redshift_fault("wait", "SELECT 7", seconds=0.4)
    running = data.execute_statement(Sql="SELECT 7", **TARGET)
    with pytest.raises(ClientError) as error:
        data.execute_statement(Sql="SELECT 1", **TARGET)
    assert code(error) == "ActiveStatementsExceededException"
    assert wait(data, running)["Status"] == "FINISHED"


def test_who_may_do_what(endpoint, control):
    keys = control.issue_key(denied=["redshift:GetClusterCredentials *:dbuser:local-cluster/loader"])
    data = endpoint.client("redshift-data", aws_access_key_id=keys["access_key_id"],
                           aws_secret_access_key=keys["secret_access_key"], aws_session_token=keys["session_token"])
    with pytest.raises(ClientError) as error:
        data.execute_statement(Sql="SELECT 1", **TARGET)
    assert code(error) == "AccessDeniedException" and "GetClusterCredentials" in str(error.value)
    answer = data.execute_statement(Sql="SELECT 1", **dict(TARGET, DbUser="other"))
    assert wait(data, answer)["Status"] == "FINISHED"


def test_copy_loads_the_objects_of_its_manifest(data, control, bucket):
    bucket([GOOD, {"at": "2026-11-22T00:00:00Z", "site": "t\tn\n\\"}], [dict(GOOD, n=-32768)])
    run(data, TABLE)
    found = batch(data, COPY, "SELECT 1 / CASE WHEN pg_last_copy_count() = 3 THEN 1 ELSE 0 END")
    assert found["Status"] == "FINISHED" and found["SubStatements"][0]["ResultRows"] == 3, found
    assert control.sql("SELECT site, n, at::text FROM t ORDER BY n") == [
        ["x|y", -32768, "2026-11-22 01:02:03.456"], ["x|y", 3, "2026-11-22 01:02:03.456"],
        ["t\tn\n\\", None, "2026-11-22 00:00:00"]]


@pytest.mark.parametrize("row, column, message", [
    (dict(GOOD, site="ääa"), None, None), (dict(GOOD, site="äää"), "site", "String length exceeds DDL length"),
    (dict(GOOD, site="\x00"), "site", "Invalid null byte"), (dict(GOOD, site="\ufdd0"), "site", "UTF8 codepoints"),
    (dict(GOOD, n=40000), "n", "Overflow"), (dict(GOOD, n="x"), "n", "Invalid digit"),
    (dict(GOOD, at="yesterday"), "at", "timestamp format"), ({"n": 1}, "at", "Missing data"),
    (b"[]", None, "not an object"), (b"{", None, "not JSON"), (b'{"at": "\xff"}', None, "UTF8 codepoints"),
])
def test_the_first_bad_row_ends_a_copy_and_is_written_down(data, control, bucket, row, column, message):
    bucket([GOOD], [GOOD, row, GOOD])
    run(data, TABLE)
    found = batch(data, COPY)
    if message is None:
        assert found["Status"] == "FINISHED"
        return
    assert found["Status"] == "FAILED" and "sys_load_error_detail" in found["Error"]
    assert control.sql("SELECT count(*) FROM t") == [[0]]
    (details,) = control.sql("SELECT file_name, line_number, column_name, error_message, session_id, query_id "
                             "FROM sys_load_error_detail")
    assert details[:3] == ["s3://logs/o1", 2, column] and message in details[3]
    assert details[4:] == [found["RedshiftPid"], found["SubStatements"][0]["RedshiftQueryId"]]


@pytest.mark.parametrize("change", [
    ("MAXERROR 0", "MAXERROR 5"), ("GZIP", ""), ("o0", "o9"), ("paths.json", "none.json"), ('"n")', '"m")'),
    ('"site", ', ""), ("COMPUPDATE OFF", "COMPUPDATE OFF ESCAPE"),
])
def test_a_copy_that_is_not_understood_fails(data, control, s3, bucket, change):
    bucket([GOOD])
    run(data, TABLE)
    if change[0] == "o0":
        s3.delete_object(Bucket="logs", Key="o0")
    assert batch(data, COPY.replace(*change))["Status"] == "FAILED"
    assert control.sql("SELECT count(*) FROM t") == [[0]]


def test_only_the_first_gzip_member_is_read(data, control, s3, bucket):
    bucket([GOOD])
    body = gzip.compress(json.dumps(GOOD).encode() + b"\n") * 2
    s3.put_object(Bucket="logs", Key="o0", Body=body)
    s3.put_object(Bucket="logs", Key="m.manifest", Body=json.dumps(
        {"entries": [{"url": "s3://logs/o0", "mandatory": True}]}))
    run(data, TABLE)
    assert batch(data, COPY)["SubStatements"][0]["ResultRows"] == 1


def test_an_unknown_database_is_named_each_time(data, control):
    """The server hangs up on whoever it refuses, sooner or later than the caller does."""
    for _ in range(40):
        answer = data.execute_statement(Sql="SELECT 1", **dict(TARGET, Database="nowhere"))
        found = wait(data, answer)
        assert found["Status"] == "FAILED" and found["Error"] == 'FATAL: database "nowhere" does not exist', found


def test_reset_empties_the_database(data, control):
    run(data, "CREATE TABLE a (n int)")
    control.reset()
    assert "does not exist" in run(data, "SELECT * FROM a")["Error"]
