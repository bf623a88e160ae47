"""`sluice verify --redshift`: each difference between archive, ledger and table is named as what it is and as nothing
else, and a table that holds what it should is left alone."""

import json
import signal

import pytest

from support.damage import Bucket
from support.scenario import Scenario, time_text
from support.warehouse import HOUR, LINES, Warehouse, make_archive

PREFIX = "data/host={host}/dt={date}/hour={hour}/"


@pytest.fixture(scope="module")
def loaded(aws, tmp_path_factory):
    """An archive and a table that holds it, made once."""
    scenario = make_archive(Scenario(aws, tmp_path_factory.mktemp("archive"), "redshift-verify"),
                            destination={"prefix": PREFIX})
    warehouse = Warehouse(scenario, destination={"prefix": PREFIX})
    warehouse.load()
    return warehouse


@pytest.fixture
def warehouse(loaded):
    """A copy of that table and its ledger, to do harm to."""
    copy = Warehouse(loaded.scenario, destination={"prefix": PREFIX})
    copy.sql('INSERT INTO {t} SELECT * FROM "%s"' % loaded.table)
    copy.sql('CREATE TABLE {l} AS SELECT * FROM "%s"' % loaded.ledger)
    yield copy
    copy.control.clear_redshift_faults()
    copy.control.clear_faults()


def key_of(name):
    """The key of a manifest that the ledger names."""
    return name.split("/", 3)[3]


def batches(warehouse):
    """(key, manifest) of each, in the order of keys."""
    return sorted((key_of(name), manifest) for name, manifest in warehouse.manifests().items())


def rows_of(manifest, host=None):
    """A condition that the batch's rows meet."""
    condition = "shard_id = '%s' AND sequence_number::numeric BETWEEN %s AND %s" % (
        manifest["shard"], manifest["first"], manifest["last"])
    return condition + (" AND host = '%s'" % host if host else "")


def host_of(entry):
    return entry["partition"].split("host=")[1].split("/")[0]


def a_row(warehouse, manifest, entry):
    """The place in the table of one row of an object."""
    hour = entry["partition"].split("hour=")[1].strip("/")
    return warehouse.sql("SELECT min(ctid)::text FROM {t} WHERE %s AND extract(hour FROM arrival_time) = %s" % (
        rows_of(manifest, host_of(entry)), hour))[0][0]


def assert_whole(report):
    assert report["findings"] == [] and report["complete"] and report["problems"] == [], json.dumps(report, indent=1)


def assert_only(warehouse, *expected, arguments=()):
    """Exactly these findings: (kind, key, expected, found)."""
    report = warehouse.verify(*arguments, expect=65).report
    found = [(f["kind"], f["key"], f["expected"], f["found"]) for f in report["findings"]]
    assert sorted(found) == sorted(expected), json.dumps(report, indent=1)
    assert report["exit_code"] == 65 and report["complete"] and not report["problems"]
    return report


# No false alarm.

def test_a_table_that_holds_the_archive_is_whole(warehouse):
    report = warehouse.verify().report
    assert_whole(report)
    manifests = batches(warehouse)
    assert report["redshift"] == {
        "target": "cluster local-cluster/dev", "table": '"public"."%s"' % warehouse.table,
        "ledger_table": '"public"."%s"' % warehouse.ledger, "ledger_batches": len(manifests),
        "batches_compared": len(manifests), "rows_compared": LINES, "batches_not_loaded": 0, "rows_not_loaded": 0,
        "batches_not_compared": 0}
    assert report["notes"] == [] and any(len(m["objects"]) > 2 for _, m in manifests)
    text = warehouse.scenario.program.run("verify", warehouse.scenario.job, "--redshift").stdout
    assert "%d rows of %d batches" % (LINES, len(manifests)) in text and text.endswith("whole\n")
    assert "redshift" not in warehouse.scenario.program.run("verify", warehouse.scenario.job, "--json").report


@pytest.mark.slow
def test_rows_are_led_back_to_objects_by_whatever_their_prefix_is_made_of(scenario):
    """Partitions by every value of a row, by the time of the event, with values that are encoded, cut, absent, or differ
    in blanks alone, and with a last partition that the surplus shares."""
    import aws_kinesis_agg.aggregator

    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for n in range(20):
        aggregator.add_user_record("host/file/0/%d" % n, "<%d>2026-11-2%dT22:16:10+00:00 agg app: record" % (n, n % 5))
    _, _, aggregate = aggregator.clear_and_get().get_contents()
    prefix = "data/{stream}/s={site}/h={host}/p={program}/v={severity}/dt={date}/{hour}/"
    job = {"destination": {"prefix": prefix, "partition_time": "event"},
           "seal": {"records": 40, "partitions": 20}}
    scenario.set_up(shards=2, **job)
    hosts = ["a", "a ", "a  ", ".", "__none__", "__x", "ä/..%", "x" * 300, "y" * 130, "'; DROP TABLE x --", "\\'", ""]
    lines = [json.dumps({"host": host, "ident": "app %s" % host, "message": "m %d" % n, "time": "Nov 22 2%d:16:10" % (n % 4)})
             for n, host in enumerate(hosts * 3)]
    lines += ["<131>2026-11-22T2%d:16:10+00:00 web drupal: http://site%d.example.org|1795385770|php|203.0.113.9|http://x/|"
              "|0||m" % (n % 4, n % 3) for n in range(40)]
    lines += ["no header at all", "<13>Feb 29 23:59:59 h p: m", "one\ntwo\nthree"]
    crowd = "\n".join("2026-11-22T22:16:10+00:00 h%d p: m" % n for n in range(560))
    scenario.control.load(scenario.stream, [{"text": line, "partition_key": "k%d" % n} for n, line in enumerate(lines)]
                          + [{"data": aggregate, "partition_key": "a"}, {"text": crowd, "partition_key": "b"}])
    scenario.archive()
    warehouse = Warehouse(scenario, **job)
    warehouse.load()
    manifests = [m for _, m in batches(warehouse)]
    assert any("__other__" in o["partition"] for m in manifests for o in m["objects"]), "no surplus"
    report = warehouse.verify("--read-data").report
    assert_whole(report)
    assert report["redshift"]["rows_compared"] == sum(m["rows"] for m in manifests) > len(lines) + 560
    # And with a prefix that tells nothing at all: now and for what is archived already.
    job["destination"] = {"prefix": "data/"}
    warehouse.job = job
    warehouse.write_job()
    scenario.load(scenario.lines(30))
    scenario.archive()
    warehouse.load()
    assert_whole(warehouse.verify().report)


def test_what_is_not_loaded_yet_is_a_note(loaded):
    fresh = Warehouse(loaded.scenario, destination={"prefix": PREFIX})
    middle = time_text(fresh.start + HOUR)
    fresh.load("--from", "2000-01-01", "--to", middle)
    report = fresh.verify().report
    assert_whole(report)
    counts = report["redshift"]
    assert counts["batches_not_loaded"] == len(batches(fresh)) - counts["ledger_batches"] > 0
    assert counts["rows_not_loaded"] == LINES - counts["rows_compared"] > 0
    (note,) = report["notes"]
    assert note["kind"] == "not-loaded" and "%d batches" % counts["batches_not_loaded"] in note["detail"]
    fresh.load()
    assert_whole(fresh.verify().report)


@pytest.mark.slow
def test_a_load_that_ends_meanwhile_is_no_damage(loaded):
    fresh = Warehouse(loaded.scenario, destination={"prefix": PREFIX})
    fresh.load("--from", "2000-01-01", "--to", "2000-01-02")
    fresh.fault("wait", "COUNT\\(DISTINCT", seconds=4, count=1)
    process = fresh.scenario.program.start("verify", fresh.scenario.job, "--redshift", "--json")
    fresh.wait_for_fault()
    fresh.load()
    result = fresh.scenario.program.finish(process)
    assert_whole(result.report)
    assert result.report["redshift"]["batches_not_loaded"] == 0 and result.report["redshift"]["rows_compared"] == LINES
    assert "sluice count rows: waiting for 2 s" in result.stderr


# Each kind of damage.

def test_a_row_that_is_gone_is_named_with_its_object(warehouse):
    _, manifest = batches(warehouse)[1]
    entry = manifest["objects"][0]
    warehouse.sql("DELETE FROM {t} WHERE ctid = '%s'" % a_row(warehouse, manifest, entry))
    report = assert_only(warehouse, ("table-rows-missing", entry["key"], entry["rows"], entry["rows"] - 1))
    (finding,) = report["findings"]
    assert finding["shard"] == manifest["shard"] and "%d of its %d rows" % (entry["rows"] - 1, entry["rows"]) in finding["detail"]


def test_a_row_that_stands_twice_is_named_with_its_object(warehouse):
    _, manifest = batches(warehouse)[0]
    entry = manifest["objects"][-1]
    warehouse.sql("INSERT INTO {t} SELECT * FROM {t} WHERE ctid = '%s'" % a_row(warehouse, manifest, entry))
    assert_only(warehouse, ("table-rows-doubled", entry["key"], entry["rows"], entry["rows"] + 1))


def test_a_doubled_row_does_not_hide_a_missing_one(warehouse):
    _, manifest = batches(warehouse)[2]
    entry = max(manifest["objects"], key=lambda o: o["rows"])
    assert entry["rows"] > 1
    place = a_row(warehouse, manifest, entry)
    warehouse.sql("INSERT INTO {t} SELECT * FROM {t} WHERE ctid = '%s'" % place)
    warehouse.sql("DELETE FROM {t} WHERE ctid = (SELECT max(ctid) FROM {t} WHERE %s AND ctid <> '%s' AND sequence_number "
                  "<> (SELECT sequence_number FROM {t} WHERE ctid = '%s'))" % (
                      rows_of(manifest, host_of(entry)), place, place))
    report = warehouse.verify(expect=65).report
    assert sorted(report["counts"]) == ["table-rows-doubled", "table-rows-missing"], report["findings"]


def test_rows_that_no_object_has_are_named(warehouse):
    key, manifest = batches(warehouse)[1]
    entry = manifest["objects"][0]
    place = a_row(warehouse, manifest, entry)
    middle = str((int(manifest["first"]) + int(manifest["last"])) // 2)
    for change in ("sequence_number = '%s'" % middle, "host = 'stranger'"):
        warehouse.sql("INSERT INTO {t} SELECT * FROM {t} WHERE ctid = '%s'" % place)
        warehouse.sql("UPDATE {t} SET %s WHERE ctid = (SELECT max(ctid) FROM {t})" % change)
    assert_only(warehouse, ("table-rows-unknown", entry["key"], entry["rows"], entry["rows"] + 1),
                ("table-rows-unknown", key, 0, 1))


def test_a_row_that_was_changed_is_missing_from_its_object(warehouse):
    key, manifest = batches(warehouse)[1]
    entry = manifest["objects"][0]
    warehouse.sql("UPDATE {t} SET host = 'renamed' WHERE ctid = '%s'" % a_row(warehouse, manifest, entry))
    report = assert_only(warehouse, ("table-rows-missing", entry["key"], entry["rows"], entry["rows"] - 1),
                         ("table-rows-unknown", key, 0, 1))
    assert any("host=renamed/" in f["detail"] for f in report["findings"])


def test_batches_whose_rows_are_all_gone_are_told_apart_and_left_out_by_the_range(warehouse):
    cut = time_text(warehouse.start + HOUR)
    warehouse.sql("DELETE FROM {t} WHERE arrival_time < '%s'" % cut)
    gone = [(k, m) for k, m in batches(warehouse) if m["last_arrival"] < cut]
    partly = [m for _, m in batches(warehouse) if m["first_arrival"] < cut <= m["last_arrival"]]
    assert gone
    report = warehouse.verify(expect=65).report
    found = [(f["key"], f["expected"], f["found"]) for f in report["findings"] if f["kind"] == "table-batch-missing"]
    assert sorted(found) == sorted((k, m["rows"], 0) for k, m in gone)
    others = {f["key"] for f in report["findings"] if f["kind"] != "table-batch-missing"}
    assert others <= {o["key"] for m in partly for o in m["objects"]}
    assert all("--from" in f["hint"] for f in report["findings"] if f["kind"] == "table-batch-missing")
    start = max([m["last_arrival"] for m in partly] + [cut])
    later = time_text(warehouse.start + 2 * HOUR)
    assert start < later
    confined = warehouse.verify("--from", later).report
    assert_whole(confined)
    assert 0 < confined["redshift"]["rows_compared"] < LINES
    assert warehouse.verify("--to", later, expect=65).report["counts"]["table-batch-missing"] == len(gone)


def test_the_remedies_help(warehouse):
    """The statements of the hints, as they stand there, and a load."""
    (_, first), (key, second) = batches(warehouse)[:2]
    warehouse.sql("DELETE FROM {t} WHERE ctid = '%s'" % a_row(warehouse, first, first["objects"][0]))
    warehouse.sql("DELETE FROM {l} WHERE manifest LIKE '%%%s'" % key)
    report = warehouse.verify(expect=65).report
    assert sorted(report["counts"]) == ["ledger-missing", "table-rows-missing"]
    statements = {f["kind"]: [part.split("DELETE", 1)[1] for part in f["hint"].split(";") if "DELETE" in part]
                  for f in report["findings"]}
    assert (len(statements["ledger-missing"]), len(statements["table-rows-missing"])) == (1, 2)
    for statement in sum(statements.values(), []):
        warehouse.execute("DELETE" + statement)
    assert warehouse.load().report["rows_loaded"] == first["rows"] + second["rows"]
    assert_whole(warehouse.verify().report)
    warehouse.audit()


def test_a_batch_that_the_ledger_has_lost_is_named(warehouse):
    key, manifest = batches(warehouse)[3]
    warehouse.sql("DELETE FROM {l} WHERE manifest LIKE '%%%s'" % key)
    report = assert_only(warehouse, ("ledger-missing", key, 0, manifest["rows"]))
    assert "a second time" in report["findings"][0]["hint"]
    assert report["redshift"]["batches_not_loaded"] == 1


def test_a_batch_that_the_ledger_has_twice_is_named(warehouse):
    key, _ = batches(warehouse)[0]
    warehouse.sql("INSERT INTO {l} SELECT * FROM {l} WHERE manifest LIKE '%%%s'" % key)
    assert_only(warehouse, ("ledger-doubled", key, 1, 2))


@pytest.mark.parametrize("column", ["row_count", "object_count"])
def test_a_ledger_with_other_counts_is_named(warehouse, column):
    key, manifest = batches(warehouse)[0]
    warehouse.sql("UPDATE {l} SET %s = %s + 1 WHERE manifest LIKE '%%%s'" % (column, column, key))
    found = manifest["rows"] + (column == "row_count")
    report = assert_only(warehouse, ("ledger-counts", key, manifest["rows"], found))
    assert "%d in %d" % (manifest["rows"], len(manifest["objects"])) in report["findings"][0]["detail"]


def test_a_batch_that_only_the_ledger_knows_is_named(warehouse):
    key, manifest = batches(warehouse)[0]
    other = key.replace(manifest["first"].zfill(64), "7".zfill(64))
    warehouse.sql("INSERT INTO {l} SELECT load_id, replace(manifest, '%s', '%s'), object_count, row_count, loaded_at FROM {l} "
                  "WHERE manifest LIKE '%%%s'" % (key, other, key))
    assert_only(warehouse, ("ledger-unknown", other, 0, manifest["rows"]))
    # It has no time that a range could leave out.
    assert_only(warehouse, ("ledger-unknown", other, 0, manifest["rows"]), arguments=["--from", "2100-01-01"])


def test_batches_that_share_records_are_not_compared(warehouse):
    bucket = Bucket(warehouse.scenario)
    (key, manifest), (_, following) = [(k, m) for k, m in batches(warehouse) if m["shard"] == "shardId-000000000000"][:2]
    middle = str((int(manifest["first"]) + int(manifest["last"])) // 2)
    try:
        copy = bucket.double(key, dict(manifest, previous=key), middle, following["last"])
        report = warehouse.verify(expect=65).report
        assert {(f["kind"], f["key"]) for f in report["findings"]} == {("range-doubled", copy)}, report["findings"]
        assert report["redshift"]["batches_not_compared"] == 3
        assert [n["kind"] for n in report["notes"] if n["kind"] == "rows-not-compared"]
        assert [n["kind"] for n in report["notes"] if n["kind"] == "not-loaded"]
    finally:
        bucket.mend()


def test_rows_of_several_jobs_in_one_table_are_not_compared(warehouse):
    _, manifest = batches(warehouse)[0]
    warehouse.sql("DELETE FROM {t} WHERE " + rows_of(manifest))
    warehouse.sql("INSERT INTO {l} VALUES ('x', 's3://elsewhere/_sluice/other/commits/1/shardId-000000000000/1.json', 1, 1)")
    report = warehouse.verify().report
    assert_whole(report)
    (note,) = report["notes"]
    assert note["kind"] == "rows-not-compared" and "1 batches of theirs" in note["detail"]
    assert report["redshift"]["batches_compared"] == 0 and report["redshift"]["batches_not_compared"] == len(batches(warehouse))
    key, _ = batches(warehouse)[0]
    warehouse.sql("UPDATE {l} SET row_count = 1 WHERE manifest LIKE '%%%s'" % key)
    assert warehouse.verify(expect=65).report["counts"] == {"ledger-counts": 1}


# What keeps it from telling.

@pytest.mark.parametrize("change, text", [
    ({"table": "t_nowhere"}, "t_nowhere"), ({"ledger_table": "l_nowhere"}, "l_nowhere"),
    ({"database": "nowhere"}, "nowhere"), ({"schema": "nowhere"}, "nowhere"), ({"cluster": "other"}, "other"),
])
def test_what_is_not_there_is_named(warehouse, change, text):
    warehouse.write_job(change)
    report = warehouse.verify(expect=78).report
    assert report["findings"] == [] and report["manifests"] == len(batches(warehouse))
    (problem,) = report["problems"]
    assert text in problem["subject"] + problem["cause"] and "redshift:" in problem["hint"], problem


def test_a_job_without_redshift_cannot_be_compared(warehouse):
    warehouse.write_job(redshift=None)
    assert "redshift" in warehouse.verify(expect=78).stderr


@pytest.mark.parametrize("denied", ["redshift:GetClusterCredentials", "redshift-data:ExecuteStatement",
                                    "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"])
def test_a_missing_permission_is_named(warehouse, denied):
    key = warehouse.control.issue_key(denied=[denied])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    (problem,) = warehouse.verify(expect=77, environment=environment).report["problems"]
    assert denied in json.dumps(problem)


def test_no_other_call_is_made_than_these(warehouse):
    key = warehouse.control.issue_key(denied=["redshift-data:BatchExecuteStatement", "redshift-data:CancelStatement",
                                              "s3:PutObject", "s3:DeleteObject"])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    assert_whole(warehouse.verify(environment=environment).report)


@pytest.mark.parametrize("error, status", [
    ("ERROR: permission denied for relation x", 77), ("ERROR: Disk Full", 75)])
def test_a_question_that_fails_is_no_damage(warehouse, error, status):
    warehouse.fault("fail", "COUNT\\(DISTINCT", message=error)
    report = warehouse.verify(expect=status).report
    (problem,) = report["problems"]
    assert problem["cause"] == error and report["findings"] == []
    assert report["manifests"] == len(batches(warehouse)) and report["objects"] > 0


def test_asked_to_end_while_the_database_counts(warehouse):
    warehouse.fault("wait", "COUNT\\(DISTINCT", seconds=3, count=1)
    process = warehouse.scenario.program.start("verify", warehouse.scenario.job, "--redshift", "--json")
    warehouse.wait_for_fault()
    process.send_signal(signal.SIGTERM)
    result = warehouse.scenario.program.finish(process, expect=143)
    assert result.seconds < 3 and result.report["problems"] == [] and not result.report["complete"]
