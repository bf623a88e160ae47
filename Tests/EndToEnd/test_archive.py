"""The straight line: what is on the stream is in S3, once, in the right partitions, and a second run adds nothing."""

import gzip
import json
import os

import pytest

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Data")


def test_everything_is_archived_and_a_second_run_adds_nothing(scenario):
    scenario.set_up(shards=4)
    scenario.load(scenario.lines(400))
    report = scenario.archive().report
    assert report["totals"]["records"] == report["totals"]["rows"] == 400
    assert report["more_waiting"] is False
    scenario.audit()
    before = scenario.keys()
    again = scenario.archive().report
    assert again["totals"]["records"] == 0 and again["totals"]["objects"] == 0
    assert scenario.keys() == before
    scenario.load(scenario.lines(100, start=400))
    assert scenario.archive().report["totals"]["records"] == 100
    scenario.audit()


def test_rows_lie_under_the_hour_they_arrived_in(scenario):
    scenario.set_up()
    base = int(scenario.control.clock()["now"] * 1000) - 7_200_000
    scenario.load(scenario.lines(10), arrival_ms=base)
    scenario.load(scenario.lines(10, start=10), arrival_ms=base + 3_600_000)
    scenario.archive()
    audit = scenario.audit()
    assert len({key.rsplit("/", 1)[0] for key in scenario.keys("data/")}) == 2
    for row in audit.rows:
        assert row["arrival_time"][:13] in {k.split("dt=")[1][:10] + "T" + k.split("hour=")[1][:2]
                                            for k in scenario.keys("data/")}


def test_partitions_by_event_time_and_fields_of_the_record(scenario):
    scenario.set_up(destination={"prefix": "x/host={host}/dt={date}/", "partition_time": "event"})
    scenario.load(scenario.lines(30))
    scenario.archive()
    audit = scenario.audit()
    folders = {key.rsplit("/", 1)[0] for key in scenario.keys("x/")}
    assert folders == {"x/host=host%d/dt=2026-11-22" % n for n in range(3)}
    assert len(audit.rows) == 30


def test_a_batch_is_cut_at_its_limit_of_records(scenario):
    scenario.set_up(seal={"records": 30})
    scenario.load(scenario.lines(100))
    report = scenario.archive().report
    assert report["totals"]["batches"] == 4
    scenario.audit()


def test_a_batch_is_cut_at_its_limit_of_partitions_and_memory_stays_bounded(scenario):
    scenario.set_up(seal={"partitions": 20}, destination={"prefix": "p/host={host}/"})
    scenario.load(["2026-11-22T22:16:10.241766+00:00 host%d app: line %d" % (n % 50, n) for n in range(200)])
    report = scenario.archive().report
    assert report["totals"]["batches"] == 10
    scenario.audit()


def test_one_record_with_many_partitions_overflows_into_a_shared_one(scenario):
    scenario.set_up(seal={"partitions": 5}, destination={"prefix": "p/host={host}/"})
    many = "\n".join("2026-11-22T22:16:10.241766+00:00 host%d app: line %d" % (n, n) for n in range(700))
    scenario.load([many])
    report = scenario.archive().report
    assert report["totals"]["rows"] == 700
    audit = scenario.audit()
    assert len(audit.objects) <= 5 + 500
    assert any("__other__" in key for key in scenario.keys("p/"))


def test_the_same_input_gives_the_same_bytes_also_over_a_crash(scenario):
    scenario.set_up(shards=2, seal={"records": 40})
    scenario.load(scenario.lines(300))
    scenario.archive()
    scenario.audit()
    first = {key: scenario.s3.get_object(Bucket=scenario.bucket, Key=key)["Body"].read()
             for key in scenario.keys("data/")}
    for number, failpoint in enumerate(("object.after:3=kill", "intent.before:2=kill", "manifest.before:1=kill")):
        other = "%s-again%d" % (scenario.bucket, number)
        scenario.s3.create_bucket(Bucket=other)
        scenario.write_job(destination={"bucket": other}, seal={"records": 40},
                           state={"directory": os.path.join(scenario.directory, "other%d" % number)})
        assert scenario.archive(failpoint=failpoint, expect=None).was_killed
        scenario.archive()
        for key, body in first.items():
            assert scenario.s3.get_object(Bucket=other, Key=key)["Body"].read() == body, key


def test_every_kind_of_payload_becomes_rows(scenario):
    import aws_kinesis_agg.aggregator

    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for n in range(20):
        aggregator.add_user_record("host/file/0/%d" % n, "2026-11-22T22:16:10+00:00 agg app: user record %d" % n)
    _, _, packed = aggregator.clear_and_get().get_contents()
    line = "2026-11-22T22:16:10+00:00 web app: %s"
    scenario.set_up()
    scenario.control.load(scenario.stream, [
        {"data": packed, "partition_key": "a"},
        {"data": gzip.compress(("\n".join(line % n for n in range(5)) + "\n").encode()), "partition_key": "b"},
        {"data": json.dumps({"host": "web", "ident": "app", "message": "fluentd"}).encode(), "partition_key": "c"},
        {"data": b"\xff\xfe\x00 not text", "partition_key": "d"},
        {"data": b"", "partition_key": "e"},
        {"data": b"\xf3\x89\x9a\xc2 not an aggregate at all, really", "partition_key": "f"},
    ])
    report = scenario.archive().report
    audit = scenario.audit()
    assert report["totals"]["rows"] == 20 + 5 + 1 + 1 + 1 + 1
    assert sum(row.get("host") == "agg" for row in audit.rows) == 20
    assert sum("raw_base64" in row for row in audit.rows) >= 1


def test_a_record_of_ten_mebibytes_is_archived(scenario):
    scenario.set_up(settings={"record_bytes": 10 << 20})
    big = "2026-11-22T22:16:10+00:00 web app: " + "y" * ((10 << 20) - 100)
    scenario.load(["2026-11-22T22:16:10+00:00 web app: small", big, "2026-11-22T22:16:10+00:00 web app: after"])
    scenario.archive()
    audit = scenario.audit()
    assert any(row.get("truncated_fields") for row in audit.rows)


def test_an_independent_reader_counts_what_the_truth_says(scenario):
    """DuckDB over the partitioned files, against the true fields recorded beside the captured Drupal lines."""
    import duckdb

    folder = os.path.join(DATA, "drupal", "main")
    with gzip.open(os.path.join(folder, "drupal-pri-iso.log.gz")) as file:
        lines = file.read()
    with gzip.open(os.path.join(folder, "truth.jsonl.gz")) as file:
        truth = [json.loads(line) for line in file]
    scenario.set_up(shards=4)
    scenario.control.load_lines(scenario.stream, lines, spread="round_robin")
    scenario.archive(timeout=300)
    scenario.audit()
    local = os.path.join(scenario.directory, "mirror")
    for key in scenario.keys("data/"):
        path = os.path.join(local, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        scenario.s3.download_file(scenario.bucket, key, path)
    counted = duckdb.sql(
        "SELECT drupal_base_url, severity, count(*) FROM read_json('%s/data/**/*.ndjson.gz', hive_partitioning = true, "
        "format = 'newline_delimited', union_by_name = true, maximum_object_size = 4194304) "
        "WHERE drupal_type IS NOT NULL AND parse_status = 'ok' GROUP BY ALL" % local).fetchall()
    found = {(url, severity): count for url, severity, count in counted}
    whole = duckdb.sql("SELECT count(*) FROM read_json('%s/data/**/*.ndjson.gz', format = 'newline_delimited', "
                       "maximum_object_size = 4194304)" % local).fetchone()[0]
    assert whole == lines.count(b"\n")
    wanted = {}
    for record in truth:
        if record.get("status", "ok") == "ok" and "base_url" in record:
            pair = (record["base_url"], record["severity"])
            wanted[pair] = wanted.get(pair, 0) + 1
    surplus = sum(max(0, count - wanted.get(pair, 0)) for pair, count in found.items())
    total = sum(wanted.values())
    assert sum(found.values()) >= 0.90 * total
    # Forged entries (a newline in a message followed by a complete line) cannot be told from real ones.
    assert surplus <= 0.005 * total, "%d of %d rows have a site and severity that no true record has" % (surplus, total)


@pytest.mark.slow
def test_memory_stays_under_its_limit_with_many_partitions_and_shards(scenario):
    import resource

    scenario.set_up(shards=4, seal={"partitions": 500}, limits={"memory": "256MiB"},
                    destination={"prefix": "p/host={host}/"})
    text = "\n".join("2026-11-22T22:16:10.241766+00:00 host%d app: line %d %s" % (n * 7919 % 480, n, "z" * 300)
                     for n in range(60_000))
    scenario.control.load_lines(scenario.stream, text.encode() + b"\n", spread="round_robin")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    process = scenario.start_archive()
    peak = 0
    while process.poll() is None:
        try:
            with open("/proc/%d/status" % process.pid) as status:
                for entry in status:
                    if entry.startswith("VmHWM"):
                        peak = max(peak, int(entry.split()[1]))
        except FileNotFoundError:
            break
    scenario.program.finish(process)
    scenario.audit()
    assert 0 < peak <= 256 * 1024, "peak %d KiB (children before: %d)" % (peak, before)
