"""`sluice redshift copy`: what it writes, and that the rows load by it into the table that `sluice redshift ddl` makes."""

import datetime
import gzip
import itertools
import json
import os
import re
import signal
import time

import pytest

from support.copyrules import JSONPaths, Table, faults, inflate
from support.postgres import as_postgres_has_it
from support.program import REPOSITORY
from support.scenario import time_text

DATA = os.path.join(REPOSITORY, "Tests", "Data", "drupal", "main")
REDSHIFT = {"workgroup": "logs", "database": "logs", "role_arn": "arn:aws:iam::111122223333:role/copy"}
HOUR = 3_600_000


def copy(scenario, *arguments, **options):
    return scenario.program.run("redshift", "copy", scenario.job, *arguments, **options)


def report(scenario, *arguments, **options):
    return copy(scenario, *arguments, "--json", **options).report


def url(scenario, key):
    return "s3://%s/%s" % (scenario.bucket, key)


def key(scenario, text):
    start = "s3://%s/" % scenario.bucket
    assert text.startswith(start)
    return text[len(start):]


def body(scenario, name):
    return scenario.s3.get_object(Bucket=scenario.bucket, Key=name)["Body"].read()


def manifests(scenario):
    return [scenario.json_object(k) for k in scenario.keys(scenario.control_prefix + "commits/")]


def entries(scenario, found):
    return scenario.json_object(key(scenario, found["manifest"]))["entries"]


@pytest.fixture
def archive(scenario):
    """Three hours on two shards, with several batches and partitions on each."""
    scenario.set_up(shards=2, seal={"records": 20}, redshift=REDSHIFT, destination={"prefix": "data/host={host}/"})
    start = int(time.time() * 1000) // HOUR * HOUR - 4 * HOUR
    scenario.start = start
    lines = scenario.lines(120)
    scenario.load(lines, arrivals=[start + n * 3 * HOUR // 120 for n in range(120)])
    scenario.archive()
    return scenario


def test_the_manifest_names_exactly_the_objects_of_the_range_with_their_lengths(archive):
    found = report(archive, "--from", "2000-01-01", "--to", "2100-01-01")
    objects = {o["key"]: o for m in manifests(archive) for o in m["objects"]}
    assert len(objects) > 6 and set(objects) == set(archive.keys("data/"))
    listed = entries(archive, found)
    assert [e["url"] for e in listed] == sorted(url(archive, k) for k in objects)
    for entry in listed:
        head = archive.s3.head_object(Bucket=archive.bucket, Key=key(archive, entry["url"]))
        assert entry["mandatory"] is True and entry["meta"] == {"content_length": head["ContentLength"]}
    assert found["objects"] == len(objects) and found["batches"] == len(manifests(archive))
    assert found["rows"] == 120 == sum(o["rows"] for o in objects.values())
    assert found["bytes"] == sum(o["bytes"] for o in objects.values()) and found["dry_run"] is False


def test_ranges_that_meet_share_nothing_and_leave_nothing_out(archive):
    texts = [time_text(archive.start + n * HOUR) for n in range(5)]
    parts = [report(archive, "--from", a, "--to", b) for a, b in zip(texts, texts[1:])]
    loaded = [p for p in parts if "manifest" in p]
    assert len(loaded) >= 2
    named = [e["url"] for p in loaded for e in entries(archive, p)]
    assert len(named) == len(set(named)) and set(named) == {url(archive, k) for k in archive.keys("data/")}
    assert sum(p["rows"] for p in parts) == 120


def test_a_second_time_gives_the_same_manifest_and_puts_nothing(archive):
    first = copy(archive, "--from", "2000-01-01", "--to", "2100-01-01")
    keys = archive.keys(archive.control_prefix + "redshift/")
    written = {k: archive.s3.head_object(Bucket=archive.bucket, Key=k)["LastModified"] for k in keys}
    bodies = {k: body(archive, k) for k in keys}
    assert len(keys) == 2
    again = copy(archive, "--from", "2000-01-01", "--to", "2100-01-01")
    assert again.stdout == first.stdout and archive.keys(archive.control_prefix + "redshift/") == keys
    for k in keys:
        assert body(archive, k) == bodies[k]
        assert archive.s3.head_object(Bucket=archive.bucket, Key=k)["LastModified"] == written[k]


def test_the_statement_points_to_what_was_put(archive):
    text = copy(archive, "--from", "2000-01-01", "--to", "2100-01-01").stdout
    found = report(archive, "--from", "2000-01-01", "--to", "2100-01-01")
    assert text == found["statement"] + ";\n"
    with open(os.path.join(REPOSITORY, "schemas", "redshift", "copy.sql")) as file:
        pattern = re.escape(file.read())
    for example, real in [("s3://acme-logs/_sluice/drupal/redshift/copy/NAME.manifest", found["manifest"]),
                          ("arn:aws:iam::111122223333:role/redshift-copy", REDSHIFT["role_arn"]),
                          ("s3://acme-logs/_sluice/drupal/redshift/", url(archive, "_sluice/test/redshift/"))]:
        pattern = pattern.replace(re.escape(example), re.escape(real))
    assert re.fullmatch(pattern, text), text
    assert body(archive, key(archive, found["jsonpaths"])).decode() == archive.program.run(
        "redshift", "jsonpaths").stdout


def test_since_last_takes_each_batch_once(archive):
    first = report(archive, "--since-last")
    assert first["rows"] == 120
    nothing = copy(archive, "--since-last")
    assert nothing.stdout == "" and "nothing to load" in nothing.stderr
    assert report(archive, "--since-last")["batches"] == 0
    archive.load(archive.lines(30, start=120))
    archive.archive()
    second = report(archive, "--since-last")
    assert second["rows"] == 30
    assert not {e["url"] for e in entries(archive, first)} & {e["url"] for e in entries(archive, second)}


def test_what_copy_puts_is_no_stray_to_verify_and_nothing_to_rebuild(archive):
    copy(archive, "--since-last")
    found = archive.program.run("verify", archive.job, "--read-data", "--json").report
    assert found["findings"] == [] and found["complete"] and found["manifests"] == len(manifests(archive))
    archive.program.run("state", "rebuild", archive.job, "--force")
    archive.load(archive.lines(30, start=120))
    archive.archive()
    archive.audit()


def test_a_run_that_is_told_to_stop_ends_in_order_and_puts_nothing(archive):
    archive.fault({"kind": "delay", "seconds": 1}, {"service": "s3", "operation": "GetObject"})
    process = archive.program.start("redshift", "copy", archive.job, "--since-last")
    archive.wait_for(lambda: archive.requests(service="s3", operation="ListObjectsV2"), what="the first call")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    result = archive.program.finish(process, expect=143)
    assert result.stdout == "" and archive.keys(archive.control_prefix + "redshift/") == []


def test_a_dry_run_puts_nothing(archive):
    before = archive.keys()
    found = report(archive, "--since-last", "--dry-run")
    assert found["rows"] == 120 and found["dry_run"] and archive.keys() == before
    assert report(archive, "--since-last")["manifest"] == found["manifest"]


def test_small_objects_are_warned_of(archive):
    result = copy(archive, "--since-last")
    assert re.search(r"\d+ of \d+ objects have less than 100 kB", result.stderr), result


def test_a_damaged_manifest_ends_it_with_74_and_nothing_is_put(archive):
    name = archive.keys(archive.control_prefix + "commits/")[1]
    archive.s3.put_object(Bucket=archive.bucket, Key=name, Body=body(archive, name)[:-20])
    result = copy(archive, "--from", "2000-01-01", "--to", "2100-01-01", expect=74)
    assert name in result.stderr and result.stdout == "" and "sluice verify" in result.stderr
    assert archive.keys(archive.control_prefix + "redshift/") == []


def test_a_foreign_file_at_the_key_of_the_paths_is_not_replaced(archive):
    archive.write_job(seal={"records": 20}, redshift=dict(REDSHIFT, jsonpaths="mine/paths.json"),
                      destination={"prefix": "data/host={host}/"})
    archive.s3.put_object(Bucket=archive.bucket, Key="mine/paths.json", Body=b"{}")
    result = copy(archive, "--since-last", expect=73)
    assert "redshift.jsonpaths" in result.stderr and body(archive, "mine/paths.json") == b"{}"
    assert archive.keys(archive.control_prefix + "redshift/") == []


def test_a_lost_answer_of_a_put_changes_nothing(archive):
    archive.fault("lose_answer", {"service": "s3", "method": "PUT"}, nth=2)
    found = report(archive, "--since-last")
    assert found["rows"] == 120 and len(entries(archive, found)) == found["objects"]


@pytest.fixture(scope="module")
def captured():
    """Lines of a captured Drupal log, and the true fields of the calls that made them."""
    with gzip.open(os.path.join(DATA, "drupal-pri-iso.log.gz")) as file:
        lines = file.read().split(b"\n")[:-1]
    with gzip.open(os.path.join(DATA, "truth.jsonl.gz")) as file:
        return lines, [json.loads(line) for line in file.read().split(b"\n")[:-1]]


def test_captured_rows_load_and_are_counted_as_the_truth_says(scenario, postgres, captured):
    lines, truth = captured
    scenario.set_up(shards=3, redshift=REDSHIFT)
    scenario.control.load(scenario.stream, [
        {"data": line, "partition_key": "web01/drupal.log/0123/%d" % n} for n, line in enumerate(lines)])
    scenario.archive(timeout=300)
    found = report(scenario, "--since-last")
    ddl = scenario.program.run("redshift", "ddl", "--super").stdout
    database = postgres.database()
    database.sql(as_postgres_has_it(ddl))
    table, paths = Table(ddl), JSONPaths(body(scenario, key(scenario, found["jsonpaths"])))
    named = re.search(r'drupal_log" \((.*?)\)', found["statement"], flags=re.S).group(1)
    columns = re.findall(r'"(\w+)"', named)
    assert columns == paths.keys
    loaded = 0
    for entry in entries(scenario, found):
        data = body(scenario, key(scenario, entry["url"]))
        assert len(data) == entry["meta"]["content_length"]
        rows = inflate(data).split(b"\n")
        assert rows.pop() == b"", "the object does not end with a line feed"
        for row in rows:
            assert not faults(row + b"\n", table, paths), row
        database.copy('"public"."drupal_log"', columns, [paths.values(json.loads(row)) for row in rows])
        loaded += len(rows)
    assert loaded == found["rows"] == len(lines)
    assert database.sql("SELECT count(*), count(DISTINCT (shard_id, sequence_number)) FROM drupal_log") == [
        [str(len(lines))] * 2]
    database.sql("CREATE TABLE truth (line bigint, base_url text, severity int)")
    known = [c for c in truth if "base_url" in c]
    database.copy("truth", ["line", "base_url", "severity"], [
        [c["line"] - 1, c["base_url"], c["severity"]] for c in known])
    wrong = database.sql("""
        WITH found AS (SELECT source_offset AS line, drupal_base_url AS base_url, severity FROM drupal_log
                       WHERE source_offset IN (SELECT line FROM truth)),
        a AS (SELECT base_url, severity, count(*) AS n FROM truth GROUP BY 1, 2),
        b AS (SELECT base_url, severity, count(*) AS n FROM found GROUP BY 1, 2)
        SELECT * FROM a FULL JOIN b USING (base_url, severity) WHERE a.n IS DISTINCT FROM b.n""")
    print("%d calls, %d pairs of site and severity, wrong: %s" % (
        len(known), len({(c["base_url"], c["severity"]) for c in known}), wrong))
    assert wrong == []
    sites = database.sql("SELECT count(DISTINCT site) FROM drupal_log WHERE parse_status = 'ok'")
    assert int(sites[0][0]) >= 98


class External:
    """An external table as its statement tells it: columns, and the partitions that its projection says there are."""

    def __init__(self, text):
        self.columns = re.findall(r"^    `(\w+)` +(\w+),?$", text, flags=re.M)
        self.partitions = re.findall(r"`(\w+)` (\w+)", re.search(r"PARTITIONED BY \((.*)\)", text).group(1))
        self.properties = dict(re.findall(r"^    '([^']+)' = '([^']+)',?$", text, flags=re.M))

    def values(self, name, now):
        """What the projection of one column gives, as it stands in a location."""
        def setting(word):
            return self.properties["projection.%s.%s" % (name, word)]
        if setting("type") == "date":
            assert (setting("format"), setting("range")) == ("yyyy-MM-dd", "NOW-3YEARS,NOW+1DAYS")
            assert (setting("interval"), setting("interval.unit")) == ("1", "DAYS")
            return [(now + datetime.timedelta(days=n)).strftime("%Y-%m-%d") for n in range(-3 * 365, 2)]
        assert setting("type") == "integer"
        low, high = map(int, setting("range").split(","))
        return ["%0*d" % (int(setting("digits")), n) for n in range(low, high + 1)]

    def locations(self, now):
        """Each partition's values and location."""
        for values in itertools.product(*[self.values(name, now) for name, _ in self.partitions]):
            location = self.properties["storage.location.template"]
            for (name, _), value in zip(self.partitions, values):
                location = location.replace("${%s}" % name, value)
            yield values, location


def test_duckdb_reads_the_same_rows_by_the_rules_of_the_external_table(scenario):
    import duckdb

    scenario.set_up(shards=2, redshift=REDSHIFT)
    now = datetime.datetime.now(datetime.timezone.utc)
    start = int(now.timestamp() * 1000) - 20 * HOUR
    scenario.load(scenario.lines(300), arrivals=[start + n * 19 * HOUR // 300 for n in range(300)])
    scenario.archive()
    external = External(scenario.program.run("redshift", "external", scenario.job).stdout)
    with open(os.path.join(REPOSITORY, "schemas", "row.schema.json")) as file:
        assert [name for name, _ in external.columns] == list(json.load(file)["properties"])
    types = {"string": "VARCHAR", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT"}
    columns = "{%s}" % ", ".join("%s: '%s'" % (name, types[kind]) for name, kind in external.columns)
    counted, seen, keys = {}, [], scenario.keys("data/")
    for values, location in external.locations(now):
        folder = key(scenario, location)
        found = [k for k in keys if k.startswith(folder)]
        seen += found
        for name in found:
            path = os.path.join(scenario.directory, "object.ndjson.gz")
            scenario.s3.download_file(scenario.bucket, name, path)
            rows = duckdb.sql(
                "SELECT strftime(arrival_time::TIMESTAMP, '%%Y-%%m-%%d'), strftime(arrival_time::TIMESTAMP, '%%H'), "
                "sum(severity IS NULL), count(*) FROM read_json('%s', format = 'newline_delimited', columns = %s) "
                "GROUP BY ALL" % (path, columns)).fetchall()
            assert [row[:2] for row in rows] == [values], "rows lie in another partition than theirs"
            counted[name] = rows[0][3]
    assert sorted(seen) == keys and len({s.rsplit("/", 1)[0] for s in seen}) > 15
    assert counted == {o["key"]: o["rows"] for m in manifests(scenario) for o in m["objects"]}
    assert sum(counted.values()) == 300
