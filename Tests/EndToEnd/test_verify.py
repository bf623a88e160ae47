"""`sluice verify`: each kind of damage is named as what it is and as nothing else, and a healthy archive is left alone."""

import datetime
import json
import os
import re
import shlex
import shutil
import signal
import time

import pytest

from support.damage import Bucket, packed, unpacked
from support.scenario import Scenario

HOUR = 3600


def verify(scenario, *arguments, expect=0, **options):
    """The report of `sluice verify --json`."""
    return scenario.program.run("verify", scenario.job, "--json", *arguments, expect=expect, **options).report


def found(report):
    return sorted((f["kind"], f["key"]) for f in report["findings"])


def assert_only(scenario, kind, keys, *arguments):
    """Exactly these findings; everything is read unless other arguments are given."""
    report = verify(scenario, *(arguments or ["--read-data"]), expect=65)
    assert found(report) == sorted((kind, key) for key in keys), json.dumps(report, indent=1)
    assert report["counts"] == {kind: len(keys)} and report["exit_code"] == 65 and report["complete"]
    assert not report["problems"]
    return report


def assert_whole(scenario, *arguments):
    report = verify(scenario, *(arguments or ["--read-data"]))
    assert report["findings"] == [] and report["complete"] and report["problems"] == [], json.dumps(report, indent=1)
    return report


def split(scenario, shard, at):
    scenario.kinesis.split_shard(StreamName=scenario.stream, ShardToSplit=shard, NewStartingHashKey=str(at))


def open_shards(scenario):
    shards = scenario.kinesis.list_shards(StreamName=scenario.stream)["Shards"]
    return sorted((s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]),
                  key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))


def merge(scenario, a, b):
    scenario.kinesis.merge_shards(StreamName=scenario.stream, ShardToMerge=a["ShardId"],
                                  AdjacentShardToMerge=b["ShardId"])


JOB = {"seal": {"records": 15}, "destination": {"prefix": "data/host={host}/dt={date}/"}}


def make_archive(scenario):
    """Two shards of which one was split, several batches and partitions on each, one shard without records."""
    scenario.set_up(shards=2, **JOB)
    scenario.load(scenario.lines(90))
    scenario.archive()
    split(scenario, "shardId-000000000000", 1 << 125)
    scenario.load(scenario.lines(60, start=90), shard="shardId-000000000002")
    scenario.load(scenario.lines(30, start=150), shard="shardId-000000000001")
    scenario.archive()
    return scenario


@pytest.fixture(scope="module")
def original(aws, tmp_path_factory):
    """Made once; `archive` is a look at it that mends what the test does to it."""
    scenario = make_archive(Scenario(aws, tmp_path_factory.mktemp("archive"), "verify"))
    shutil.copytree(scenario.state_directory, scenario.state_directory + ".kept")
    return scenario, Bucket(scenario)


@pytest.fixture
def archive(original, aws):
    scenario, kept = original
    yield scenario
    aws.control.clear_faults()
    kept.mend()
    scenario.write_job(**JOB)
    shutil.rmtree(scenario.state_directory)
    shutil.copytree(scenario.state_directory + ".kept", scenario.state_directory)


@pytest.fixture
def bucket(original, archive):
    return original[1]


# No false alarm.

def test_a_healthy_archive_is_whole(archive, bucket):
    report = assert_whole(archive)
    assert report["manifests"] == len(bucket.manifest_keys()) and report["objects"] == len(bucket.object_keys())
    assert report["objects_read"] == report["objects"] and report["rows_read"] == report["records"] == 180
    assert report["shards"] == 3 and report["notes"] == [] and report["objects_open"] == 0
    before = archive.keys()
    without = assert_whole(archive, "--log-level", "debug")
    assert without["objects_read"] == 0 and without["objects"] == report["objects"]
    assert archive.keys() == before


def test_a_stream_resharded_again_and_again_is_whole(scenario):
    scenario.set_up(shards=2, seal={"records": 20})
    for turn in range(4):
        scenario.load(scenario.lines(40, start=40 * turn))
        scenario.archive()
        shards = open_shards(scenario)
        if turn % 2:
            merge(scenario, shards[0], shards[1])
        else:
            middle = sum(int(shards[0]["HashKeyRange"][k]) for k in ("StartingHashKey", "EndingHashKey")) // 2
            split(scenario, shards[0]["ShardId"], middle)
    scenario.load(scenario.lines(40, start=160))
    scenario.archive()
    assert assert_whole(scenario)["records"] == 200
    scenario.audit()


def test_an_archive_without_a_batch_is_whole(scenario):
    scenario.set_up(shards=3)
    assert assert_whole(scenario)["manifests"] == 0
    scenario.archive()
    assert assert_whole(scenario)["manifests"] == 0


def test_payloads_of_every_kind_are_whole(scenario):
    import aws_kinesis_agg.aggregator

    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for n in range(20):
        aggregator.add_user_record("host/file/0/%d" % n, "2026-11-22T22:16:10+00:00 agg app: user record %d" % n)
    _, _, aggregate = aggregator.clear_and_get().get_contents()
    scenario.set_up(settings={"record_bytes": 10 << 20}, destination={"prefix": "data/site={site}/host={host}/"})
    scenario.control.load(scenario.stream, [
        {"data": aggregate, "partition_key": "a"},
        {"data": packed(b"2026-11-22T22:16:10+00:00 web app: one\n2026-11-22T22:16:10+00:00 web app: two\n"),
         "partition_key": "b"},
        {"data": b"\xff\xfe\x00 not text", "partition_key": "c"}, {"data": b"", "partition_key": "d"},
        {"text": '2026-11-22T22:16:10+00:00 wéb "app\\": tab\t \u0001 \u2028 \U0001f600 ' + "ü" * 70_000,
         "partition_key": "host/file/0/7"},
        {"data": b"<13>1 2026-11-22T22:16:10Z h a 1 ID [x@1 k=\"v\\\"w\"] text", "partition_key": "e"},
        {"data": b"y" * ((10 << 20) - 50), "partition_key": "f"}])
    scenario.archive()
    assert_whole(scenario)


def test_records_without_rows_are_noted_and_no_damage(scenario):
    scenario.set_up()
    # A KPL aggregate of no user records: magic, an empty message, its MD5.
    import hashlib
    empty = b"\xf3\x89\x9a\xc2" + hashlib.md5(b"").digest()
    scenario.control.load(scenario.stream, [
        {"data": empty, "partition_key": "a"}, {"text": scenario.lines(1)[0], "partition_key": "b"}])
    report = scenario.archive().report
    checked = assert_whole(scenario)
    without_rows = report["totals"]["records"] - report["totals"]["rows"]
    assert [n["kind"] for n in checked["notes"]] == ["records-without-rows"] * bool(without_rows)


def test_a_gap_that_the_job_went_on_over_is_noted_and_no_damage(scenario):
    scenario.set_up(source={"on_gap": "continue"})
    scenario.load(scenario.lines(20))
    scenario.archive()
    scenario.load(scenario.lines(20, start=20))
    scenario.control.check_skew(False)
    scenario.control.clock(advance=30 * HOUR)
    scenario.load(scenario.lines(20, start=40))
    scenario.archive(expect=69)
    report = assert_whole(scenario)
    assert [n["kind"] for n in report["notes"]] == ["noted-gap"] and report["notes"][0]["gap"]["to"]
    text = scenario.program.run("verify", scenario.job).stdout
    assert "note: noted-gap: shardId-000000000000" in text and text.rstrip().endswith("whole")


def test_a_stream_made_anew_under_its_name_leaves_two_whole_archives(scenario):
    created = int(scenario.control.clock()["now"] * 1000) - 100 * HOUR * 1000
    scenario.set_up(shards=2, created_ms=created)
    scenario.load(scenario.lines(30))
    scenario.archive()
    scenario.kinesis.delete_stream(StreamName=scenario.stream)
    gone = verify(scenario)
    assert gone["findings"] == [] and [n["kind"] for n in gone["notes"]] == ["stream-gone"]
    scenario.control.create_stream(scenario.stream, 2, {"read_limits": False})
    scenario.load(scenario.lines(30, start=30))
    scenario.program.run("state", "rebuild", scenario.job, "--force")
    scenario.archive()
    assert assert_whole(scenario)["records"] == 60


def test_an_open_batch_of_a_killed_run_is_no_damage_where_its_plan_is_known(scenario):
    archive = make_archive(scenario)
    archive.load(archive.lines(20, start=180))
    assert archive.archive(failpoint="object.after:2=kill", expect=None).was_killed
    report = assert_whole(archive)
    assert report["objects_open"] >= 1
    # Another host does not know the plan.
    archive.write_job(**JOB, state={"directory": os.path.join(archive.directory, "elsewhere")})
    report = verify(archive, expect=65)
    assert set(report["counts"]) == {"stray-object"} and len(report["findings"]) == report["counts"]["stray-object"]
    assert not os.path.exists(os.path.join(archive.directory, "elsewhere"))
    archive.write_job(**JOB)
    archive.archive()
    assert assert_whole(archive)["objects_open"] == 0


@pytest.mark.slow
def test_beside_a_job_at_work_nothing_is_alarming(scenario):
    scenario.set_up(shards=2, seal={"records": 5}, destination={"prefix": "data/host={host}/"})
    scenario.load(scenario.lines(150))
    scenario.fault({"kind": "delay", "seconds": 0.5}, {"service": "s3", "method": ["PUT"]})
    process = scenario.start_archive()
    for turn in range(4):
        assert_whole(scenario, "--read-data=1/3")
        if turn == 1:
            assert process.poll() is None
            # From now on as fast as it can.
            scenario.control.clear_faults()
    scenario.program.finish(process)
    assert assert_whole(scenario)["records"] == 150


def test_objects_in_an_archive_storage_class_are_noted_when_they_cannot_be_read(archive, bucket):
    archive.fault({"kind": "error", "status": 403, "code": "InvalidObjectState", "message": "x"},
                  {"service": "s3", "method": ["GET"], "key": re.escape(bucket.object_keys()[1])})
    report = assert_whole(archive)
    assert [n["kind"] for n in report["notes"]] == ["objects-archived"]
    assert report["objects_read"] == report["objects"] - 1


def test_objects_of_other_streams_below_the_prefix_are_counted_and_not_judged(archive, bucket):
    bucket.put("data/host=x/other-shardId-000000000000-%064d.ndjson.gz" % 7, b"x")
    report = assert_whole(archive)
    assert report["objects_foreign"] == 1


# Objects.

def test_a_missing_object_is_named(archive, bucket):
    key = bucket.object_keys()[3]
    bucket.delete(key)
    assert_only(archive, "object-missing", [key], "--log-level", "info")
    report = assert_only(archive, "object-missing", [key])
    assert report["findings"][0]["hint"] and report["findings"][0]["shard"] in key


def test_a_truncated_object_is_named(archive, bucket):
    key = bucket.object_keys()[2]
    body, metadata = bucket.get(key)
    bucket.put(key, body[:-9], metadata)
    assert_only(archive, "object-size", [key], "--log-level", "info")


def test_one_changed_byte_is_found_by_reading(archive, bucket):
    keys = bucket.object_keys()[1:5]
    for key, place in zip(keys, ("mtime", "start", "middle", "length"), strict=True):
        body, metadata = bucket.get(key)
        offset = {"mtime": 5, "start": 12, "middle": len(body) // 2, "length": len(body) - 2}[place]
        bucket.put(key, body[:offset] + bytes([body[offset] ^ 1]) + body[offset + 1:], metadata)
    assert_whole(archive, "--log-level", "info")
    assert_only(archive, "object-hash", keys)


def test_an_object_put_back_without_its_metadata_is_named(archive, bucket):
    without, other = bucket.object_keys()[:2]
    bucket.put(without, bucket.get(without)[0])
    body, metadata = bucket.get(other)
    bucket.put(other, body, dict(metadata, **{"sluice-rows": "7"}))
    report = verify(archive, expect=65)
    assert found(report) == [("object-hash", without), ("object-metadata", other)]


ROWS = {
    "a column more": ("row-schema", lambda rows: rows.replace(b'"event_time_source"', b'"event_time_sourcE"', 1)),
    "a column twice": ("row-schema", lambda rows: rows.replace(b',"program":"app"', b',"program":"app","program":"a"', 1)),
    "columns in another order": ("row-schema", lambda rows: re.sub(rb'(,"host":"[^"]*")(,"program":"app")', rb"\2\1", rows, count=1)),
    "a required column less": ("row-schema", lambda rows: rows.replace(b',"parse_status":"ok"', b"", 1)),
    "a number as text": ("row-schema", lambda rows: rows.replace(b'"parse_status":"ok"', b'"parse_status":7', 1)),
    "a word that is none": ("row-schema", lambda rows: rows.replace(b'"parse_status":"ok"', b'"parse_status":"OK"', 1)),
    "a time that is none": ("row-schema", lambda rows: rows.replace(b'"arrival_time":"2', b'"arrival_time":"3x', 1)),
    "a column too wide": ("row-schema", lambda rows: rows.replace(b'"program":"app"', b'"program":"%s"' % (b"p" * 256), 1)),
    "text that is not UTF-8": ("row-schema", lambda rows: rows.replace(b'"program":"app"', b'"program":"a\xffp"', 1)),
    "an escape that is none": ("row-schema", lambda rows: rows.replace(b'"program":"app"', b'"program":"a\\xp"', 1)),
    "no JSON": ("row-schema", lambda rows: rows.replace(b"}\n", b"\n", 1)),
    "no line feed at the end": ("row-schema", lambda rows: rows[:-1] + b" "),
    "another shard": ("row-origin", lambda rows: rows.replace(b'"shard_id":"shardId-00000000000', b'"shard_id":"shardId-10000000000', 1)),
    "another record": ("row-origin", lambda rows: re.sub(rb'"sequence_number":"4', b'"sequence_number":"3', rows, count=1)),
    "rows turned round": ("row-origin", lambda rows: b"".join(reversed(rows.splitlines(True)))),
    "a row less": ("row-count", lambda rows: b"".join(rows.splitlines(True)[:-1])),
    "a row twice": ("row-count", lambda rows: rows + rows.splitlines(True)[-1]),
}


def test_wrong_rows_under_hashes_that_fit_are_found_by_reading(archive, bucket):
    """Each kind of wrong row in an object of its own, and every other object left alone."""
    places = [(key, index, entry) for key, manifest in bucket.manifests()
              for index, entry in enumerate(manifest["objects"]) if entry["rows"] > 2]
    expected = []
    for (name, (kind, change)), (manifest_key, index, entry) in zip(ROWS.items(), places, strict=False):
        rows = unpacked(bucket.get(entry["key"])[0])
        changed = change(rows)
        assert changed != rows, name
        count = entry["rows"] - 1 if name == "no line feed at the end" else None
        bucket.replace(manifest_key, index, packed(changed), count=count)
        expected.append((kind, entry["key"]))
        print(name, entry["key"])
    assert len(expected) == len(ROWS)
    assert_whole(archive, "--log-level", "info")
    report = verify(archive, "--read-data", expect=65)
    assert found(report) == sorted(expected), json.dumps(report, indent=1)


def test_rows_that_are_not_those_of_the_manifest_are_found_by_reading(archive, bucket):
    manifest_key, manifest = bucket.manifests()[1]
    body, _ = bucket.get(manifest["objects"][0]["key"])
    rows = unpacked(body)
    key = bucket.replace(manifest_key, 0, body, rows=rows[:-2] + b"!\n")
    assert_only(archive, "rows-hash", [key], "--read-data")
    bucket.replace(manifest_key, 0, packed(rows + rows), rows=rows)
    assert_only(archive, "rows-hash", [key], "--read-data")


def test_what_is_not_one_gzip_member_is_found_by_reading(archive, bucket):
    def two_members(rows, good):
        lines = rows.splitlines(True)
        return packed(b"".join(lines[:1])) + packed(b"".join(lines[1:]))

    changes = [two_members, lambda rows, good: good[:-8], lambda rows, good: good[:-8] + b"\0" * 8,
               lambda rows, good: rows, lambda rows, good: good + b"\0"]
    keys = []
    for change, (manifest_key, manifest) in zip(changes, bucket.manifests(), strict=False):
        rows = unpacked(bucket.get(manifest["objects"][0]["key"])[0])
        keys.append(bucket.replace(manifest_key, 0, change(rows, packed(rows)), rows=rows))
    assert len(keys) == len(changes)
    assert_only(archive, "object-gzip", keys)


def test_rows_of_the_right_form_that_the_batch_cannot_have_are_found_by_reading(archive, bucket):
    """Each object is good by itself; all of the batch together are not."""
    manifest_key, manifest = next((k, m) for k, m in bucket.manifests() if m["objects"][0]["rows"] > 2)
    rows = unpacked(bucket.get(manifest["objects"][0]["key"])[0])
    changed = rows.replace(b'"parse_status":"ok"', b'"parse_status":"unparsed"', 1)
    bucket.replace(manifest_key, 0, packed(changed))
    assert_only(archive, "row-count", [manifest_key], "--read-data")
    early = re.sub(rb'"arrival_time":"20..', b'"arrival_time":"1999', rows, count=1)
    bucket.replace(manifest_key, 0, packed(early))
    assert_only(archive, "row-origin", [manifest_key], "--read-data")


def test_objects_that_no_manifest_names_are_named(archive, bucket):
    manifest = bucket.manifests()[0][1]
    name = os.path.basename(manifest["objects"][0]["key"])
    strays = ["data/host=junk.txt", "data/host=zz/" + name,
              "data/host=a/%s-shardId-000000000001-%064d.ndjson.gz" % (archive.stream, 5),
              archive.control_prefix + "commits/%d/notes.txt" % archive.created_ms]
    for key in strays:
        bucket.put(key, b"x")
    report = assert_only(archive, "stray-object", strays)
    assert all(f["hint"] for f in report["findings"])
    bucket.put("elsewhere/junk.txt", b"x")
    assert_only(archive, "stray-object", strays)


# Manifests.

def of_shard(bucket, shard):
    return [(k, m) for k, m in bucket.manifests() if m["shard"] == shard]


def backfill_window(finding, job):
    words = shlex.split(finding["backfill"])
    assert words[:3] == ["sluice", "backfill", job] and words[3] == "--from" and words[5] == "--to"
    return [datetime.datetime.fromisoformat(words[i].replace("Z", "+00:00")).timestamp() * 1000 for i in (4, 6)]


@pytest.mark.parametrize("which", ["first", "middle", "last", "two in a row", "all"])
@pytest.mark.parametrize("shard", ["shardId-000000000000", "shardId-000000000002"])
def test_missing_manifests_are_named_and_their_records_lie_in_the_window(archive, bucket, shard, which):
    manifests = of_shard(bucket, shard)
    assert len(manifests) >= 3
    lost = {"first": manifests[:1], "middle": manifests[1:2], "last": manifests[-1:], "two in a row": manifests[:2],
            "all": manifests}[which]
    for key, _ in lost:
        bucket.delete(key)
    report = assert_only(archive, "manifest-missing", [lost[-1][0]])
    low, high = backfill_window(report["findings"][0], archive.job)
    ranges = [(int(m["first"]), int(m["last"])) for _, m in lost]
    arrivals = [r["arrival_ms"] for r in archive.oracle() if r["shard"] == shard
                and any(first <= int(r["sequence"]) <= last for first, last in ranges)]
    assert arrivals and low <= min(arrivals) and max(arrivals) < high
    assert high - low < 3 * HOUR * 1000


def test_a_lost_last_manifest_shows_only_by_the_state_or_by_its_objects(archive, bucket):
    key, manifest = of_shard(bucket, "shardId-000000000002")[-1]
    bucket.delete(key)
    archive.write_job(**JOB, state={"directory": os.path.join(archive.directory, "elsewhere")})
    assert_only(archive, "stray-object", [o["key"] for o in manifest["objects"]])


FORGERIES = {
    "another shard": lambda m: m.update(shard="shardId-000000000009"),
    "another first": lambda m: m.update(first=str(int(m["first"]) + 1)),
    "another stream": lambda m: m.update(stream="other"),
    "another job": lambda m: m.update(job="other"),
    "another creation": lambda m: m.update(stream_creation="2020-01-01T00:00:00Z"),
    "an end before its beginning": lambda m: m.update(last=str(int(m["first"]) - 1)),
    "no records": lambda m: m.update(records=0),
    "more rows than its objects": lambda m: m.update(rows=m["rows"] + 1),
    "other counts by status": lambda m: m["rows_by_status"].update(ok=m["rows_by_status"]["ok"] + 1),
    "an arrival before the first": lambda m: m.update(last_arrival="2000-01-01T00:00:00Z"),
    "an object outside the prefix": lambda m: m["objects"][0].update(key=m["objects"][0]["key"].replace("data/", "else/"),
                                                                    partition="else/"),
    "an object among the manifests": lambda m: m["objects"][0].update(key="_sluice/test/x", partition="_sluice/test/"),
    "an object of another name": lambda m: m["objects"][0].update(key=m["objects"][0]["key"].replace("shardId", "shardID")),
    "an object twice": lambda m: m["objects"].append(m["objects"][-1]),
    "no objects": lambda m: m.update(objects=[]),
    "a hash that is none": lambda m: m["objects"][0].update(sha256="x" * 64),
    "another prefix": lambda m: m["settings"].update(prefix="../x/"),
    "a previous of another shard": lambda m: m.update(
        previous=m["previous"].replace("/shardId-", "/shardId-9")),
    "itself as the previous": lambda m: m.update(previous="self"),
    "a parent that is itself": lambda m: m.update(parents=[m["shard"]]),
    "a member more": lambda m: m.update(extra=1),
}


def test_a_manifest_that_contradicts_its_key_or_itself_is_named(archive, bucket):
    """Each forgery on a manifest of its own, as many at a time as there are; none is blamed on its neighbours."""
    places = [(key, manifest) for key, manifest in bucket.manifests() if manifest.get("previous")]
    forgeries = list(FORGERIES.items())
    for start in range(0, len(forgeries), len(places)):
        chosen = list(zip(forgeries[start:start + len(places)], places, strict=False))
        for (name, change), (key, manifest) in chosen:
            forged = json.loads(json.dumps(manifest))
            change(forged)
            if forged.get("previous") == "self":
                forged["previous"] = key
            assert forged != manifest, name
            bucket.put_manifest(key, forged)
            print(name, key)
        assert_only(archive, "manifest-forged", [key for _, (key, _) in chosen], "--read-data")
        bucket.mend()
    assert_whole(archive)


def test_a_manifest_that_is_not_in_its_form_is_named(archive, bucket):
    key, manifest = of_shard(bucket, "shardId-000000000000")[1]
    bucket.put(key, json.dumps(manifest, indent=1).encode())
    assert_only(archive, "manifest-forged", [key])
    bodies = (b"", b"not JSON", bucket.get(key)[0][:-20], b"[]", b'{"format_version": 1}\n')
    places = bucket.manifest_keys()[-len(bodies):]
    bucket.mend()
    for key, body in zip(places, bodies, strict=True):
        bucket.put(key, body)
    assert_only(archive, "manifest-damaged", places)


def test_a_newest_manifest_that_ends_elsewhere_than_the_state_says_is_named(archive, bucket):
    """Only the state can tell: the manifest agrees with itself."""
    key, manifest = of_shard(bucket, "shardId-000000000002")[-1]
    manifest["last"] = str(int(manifest["last"]) + 1)
    for entry in manifest["objects"]:
        body, metadata = bucket.get(entry["key"])
        bucket.put(entry["key"], body, dict(metadata, **{"sluice-last": manifest["last"]}))
    bucket.put_manifest(key, manifest)
    assert_only(archive, "manifest-forged", [key], "--log-level", "info")


@pytest.mark.parametrize("reach", ["inside", "over the next"])
def test_a_range_in_two_batches_is_named(archive, bucket, reach):
    manifests = of_shard(bucket, "shardId-000000000000")
    (key, manifest), (_, following) = manifests[1], manifests[2]
    middle = str((int(manifest["first"]) + int(manifest["last"])) // 2)
    last = manifest["last"] if reach == "inside" else following["last"]
    copy = bucket.double(key, dict(manifest, previous=key), middle, last)
    assert_only(archive, "range-doubled", [copy], "--log-level", "info")


def test_a_batch_that_continues_another_one_than_stands_before_it_is_named(archive, bucket):
    manifests = of_shard(bucket, "shardId-000000000000")
    key, manifest = manifests[3]
    bucket.put_manifest(key, dict(manifest, previous=manifests[1][0]))
    assert_only(archive, "chain-broken", [key])
    del manifest["previous"]
    bucket.put_manifest(key, manifest)
    assert_only(archive, "chain-broken", [key])


def test_shards_that_contradict_the_stream_are_named(archive, bucket):
    key, manifest = of_shard(bucket, "shardId-000000000002")[0]
    for other, parents in of_shard(bucket, "shardId-000000000002"):
        bucket.put_manifest(other, dict(parents, parents=["shardId-000000000001"]))
    report = verify(archive, expect=65)
    assert {(f["kind"], f["shard"]) for f in report["findings"]} == {("lineage-broken", "shardId-000000000002")}
    assert "the stream denies" in report["findings"][0]["detail"]


def test_damage_of_several_kinds_is_named_each(archive, bucket):
    gone = of_shard(bucket, "shardId-000000000000")[1][1]["objects"][0]["key"]
    bucket.delete(gone)
    bucket.put("data/host=junk", b"x")
    lost, following = of_shard(bucket, "shardId-000000000001")[1], of_shard(bucket, "shardId-000000000002")[0]
    bucket.delete(lost[0])
    bucket.put(following[0], b"{")
    report = verify(archive, expect=65)
    assert set(found(report)) == {("stray-object", "data/host=junk"), ("manifest-missing", lost[0]),
                                  ("manifest-damaged", following[0]), ("object-missing", gone)}
    text = archive.program.run("verify", archive.job, expect=65).stdout
    assert "DAMAGED: " in text and "sluice backfill" in text and "hint: " in text


# Asking for less, and trouble that is no damage.

def test_a_sample_reads_so_many_of_every_so_many(archive, bucket):
    total = len(bucket.object_keys())
    for n, t in ((1, 1), (2, 3)):
        report = assert_whole(archive, "--read-data=%d/%d" % (n, t))
        assert report["objects_read"] == sum(i % t < n for i in range(total))
    archive.program.run("verify", archive.job, "--read-data=0/3", expect=64)
    for wrong in ("4/3", "10%", "1", "1/x", "-1/3", "1/"):
        archive.program.run("verify", archive.job, "--read-data=" + wrong, expect=64)
    assert verify(archive, "--read-data", "1/1000")["objects_read"] == 1
    result = archive.program.run("verify", "--json", "--read-data", archive.job)
    assert result.report["objects_read"] == total


def test_a_window_confines_what_is_looked_at(scenario):
    scenario.set_up(retention_hours=100)
    base = int(scenario.control.clock()["now"] * 1000) - 50 * HOUR * 1000
    for number in range(5):
        scenario.load(scenario.lines(10, start=10 * number), arrival_ms=base + number * 10 * HOUR * 1000)
        scenario.archive()
    bucket = Bucket(scenario)
    keys = [m["objects"][0]["key"] for _, m in bucket.manifests()]
    bucket.delete(keys[2])

    def instant(hours):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(base / 1000 + hours * HOUR))

    assert_only(scenario, "object-missing", [keys[2]], "--from", instant(15), "--to", instant(25))
    assert assert_whole(scenario, "--from", instant(25))["objects"] == 2
    assert assert_whole(scenario, "--to", instant(20))["objects"] == 2
    bucket.delete(bucket.manifest_keys()[2])
    assert_whole(scenario, "--from", instant(35))
    assert found(verify(scenario, "--from", instant(15), "--to", instant(25), expect=65))[0][0] == "manifest-missing"
    scenario.program.run("verify", scenario.job, "--from", instant(2), "--to", instant(1), expect=64)


def test_a_store_that_falters_is_no_damage(archive, bucket):
    slow = {"kind": "error", "status": 503, "code": "SlowDown", "message": "x"}
    archive.fault(slow, {"service": "s3", "method": ["GET", "HEAD"]}, every=4)
    assert_whole(archive)
    archive.control.clear_faults()
    # What cannot be told of one object hides no damage of another.
    gone = bucket.object_keys()[0]
    archive.fault(slow, {"service": "s3", "method": ["HEAD"], "key": re.escape(bucket.object_keys()[1])})
    bucket.delete(gone)
    report = verify(archive, expect=65, environment={"AWS_MAX_ATTEMPTS": "1"})
    assert found(report) == [("object-missing", gone)] and len(report["problems"]) == 1 and report["complete"]


def test_a_store_that_is_not_to_be_reached_ends_the_walk(archive):
    archive.fault("cut", {"service": "s3"})
    report = verify(archive, expect=75, environment={"AWS_MAX_ATTEMPTS": "1"})
    assert report["findings"] == [] and not report["complete"] and report["problems"]


def test_a_permission_that_is_missing_is_no_damage(archive):
    key = archive.control.issue_key(denied=["s3:GetObject"])
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                   "AWS_SESSION_TOKEN": key["session_token"]}
    report = verify(archive, expect=77, environment=environment)
    assert report["findings"] == [] and "s3:GetObject" in json.dumps(report["problems"])


def test_without_the_stream_everything_else_is_verified(archive, bucket):
    archive.fault({"kind": "error", "status": 500, "code": "InternalFailure", "message": "x"}, {"service": "kinesis"})
    report = verify(archive, expect=75, environment={"AWS_MAX_ATTEMPTS": "1"})
    assert report["findings"] == [] and report["complete"] and report["manifests"] == len(bucket.manifest_keys())
    assert len(report["problems"]) == 1


def test_a_manifest_of_a_newer_program_is_no_damage(archive, bucket):
    key, manifest = bucket.manifests()[1]
    bucket.put_manifest(key, dict(manifest, format_version=2))
    report = verify(archive, expect=74)
    assert report["findings"] == [] and "newer" in json.dumps(report["problems"])


def test_a_damaged_state_is_noted_and_the_archive_is_whole(archive):
    with open(os.path.join(archive.state_directory, "state.sqlite"), "r+b") as file:
        file.truncate(50)
    report = assert_whole(archive)
    assert [n["kind"] for n in report["notes"]] == ["state-unreadable"]


def test_a_verification_that_is_asked_to_end_says_what_it_found_so_far(archive):
    archive.control.clear_log()
    archive.fault({"kind": "delay", "seconds": 1}, {"service": "s3", "method": ["HEAD"]})
    process = archive.program.start("verify", archive.job, "--json")
    archive.wait_for(lambda: archive.requests(operation="HeadObject"), what="the first object")
    process.send_signal(signal.SIGTERM)
    report = archive.program.finish(process, expect=143).report
    assert report["signal"] == 15 and not report["complete"] and report["findings"] == []


def test_no_lock_is_taken_and_nothing_is_made(archive):
    before = {name: os.stat(os.path.join(archive.state_directory, name)).st_mtime_ns
              for name in os.listdir(archive.state_directory)}
    archive.control.clear_log()
    assert_whole(archive)
    assert before == {name: os.stat(os.path.join(archive.state_directory, name)).st_mtime_ns
                      for name in os.listdir(archive.state_directory)}
    assert {e["method"] for e in archive.requests(service="s3")} == {"GET", "HEAD"}
    assert {e["operation"] for e in archive.requests(service="kinesis")} == {"DescribeStreamSummary", "ListShards"}
