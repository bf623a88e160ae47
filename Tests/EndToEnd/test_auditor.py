"""The auditor is the proof of the others: it must accept a good archive and find each kind of damage."""

import gzip
import hashlib
import json

import pytest

from support.auditor import Audit, instant_ms
from support.gzipcheck import GzipProblem, rows_of


def gzip_member(data):
    packed = bytearray(gzip.compress(data, mtime=0))
    packed[8], packed[9] = 0, 255
    return bytes(packed)


class FakeBucket:
    """As much of boto3's S3 client as the auditor uses."""

    def __init__(self):
        self.objects = {}

    def put(self, key, body, metadata=None):
        self.objects[key] = (body, metadata or {})

    def get_paginator(self, _):
        return self

    def paginate(self, Bucket):
        return [{"Contents": [{"Key": k, "Size": len(v[0])} for k, v in self.objects.items()]}]

    def get_object(self, Bucket, Key):
        body, metadata = self.objects[Key]

        class Body:
            def read(self):
                return body

        return {"Body": Body(), "Metadata": metadata}


def record(number, shard="s0"):
    return {"shard": shard, "sequence": str(100 + 10 * number), "arrival_ms": 1_795_385_468_000 + number,
            "data": "eA==", "partition_key": "k", "trimmed": False}


def instant(ms):
    return "2026-11-22T21:31:08%sZ" % ("" if ms % 1000 == 0 else ".%03d" % (ms % 1000))


BASE_MS = instant_ms("2026-11-22T21:31:08Z")


def archive(batches=((0, 3), (3, 5))):
    """(bucket, oracle) of a good archive of one shard."""
    bucket, oracle, previous = FakeBucket(), [], None
    for start, end in batches:
        records = []
        for number in range(start, end):
            one = dict(record(number), arrival_ms=BASE_MS + number)
            records.append(one)
        oracle += records
        rows = [{"event_time": instant(r["arrival_ms"]), "parse_status": "ok", "shard_id": "s0",
                 "sequence_number": r["sequence"], "arrival_time": instant(r["arrival_ms"])} for r in records]
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        body = gzip_member(text)
        first, last = records[0], records[-1]
        key = "p/stream-s0-%s.ndjson.gz" % first["sequence"].zfill(64)
        sha, rows_sha = hashlib.sha256(body).hexdigest(), hashlib.sha256(text).hexdigest()
        bucket.put(key, body, {
            "sluice-shard": "s0", "sluice-first": first["sequence"], "sluice-last": last["sequence"],
            "sluice-rows": str(len(rows)), "sluice-sha256": sha, "sluice-rows-sha256": rows_sha})
        manifest = {
            "format_version": 1, "job": "j", "stream": "stream", "stream_creation": "1970-01-01T00:00:00.007Z",
            "shard": "s0", "parents": [], "settings": {"prefix": "p/", "partition_time": "arrival"},
            "first": first["sequence"], "last": last["sequence"], "records": len(rows), "rows": len(rows),
            "rows_by_status": {"ok": len(rows)}, "first_arrival": instant(first["arrival_ms"]),
            "last_arrival": instant(last["arrival_ms"]), "first_event": "x", "last_event": "x",
            "created_by": "x", "objects": [{
                "key": key, "partition": "p/", "rows": len(rows), "bytes": len(body), "rows_bytes": len(text),
                "sha256": sha, "rows_sha256": rows_sha, "first_event": instant(first["arrival_ms"]),
                "last_event": instant(last["arrival_ms"])}]}
        if previous:
            manifest["previous"] = previous
        previous = "_c/commits/7/s0/%s.json" % first["sequence"].zfill(64)
        put_manifest(bucket, previous, manifest)
    bucket.put("_c/owner.json", b"{}")
    return bucket, oracle


def put_manifest(bucket, key, manifest):
    bucket.put(key, (json.dumps(manifest, sort_keys=True) + "\n").encode())


def manifests(bucket):
    return sorted(k for k in bucket.objects if "commits/" in k)


def data_keys(bucket):
    return sorted(k for k in bucket.objects if k.startswith("p/"))


def change_manifest(bucket, index, **changes):
    key = manifests(bucket)[index]
    put_manifest(bucket, key, dict(json.loads(bucket.objects[key][0]), **changes))


def audit(bucket, oracle, **options):
    return Audit(bucket, "b", oracle, "stream", "_c/", **options)


def test_good_archive_passes():
    bucket, oracle = archive()
    found = audit(bucket, oracle).assert_clean()
    assert [row["sequence_number"] for row in found.rows] == [r["sequence"] for r in oracle]


DAMAGE = {
    "a record that no batch has": lambda b, o: o.append(dict(record(9), arrival_ms=BASE_MS)),
    "a record between two batches": lambda b, o: o.append(dict(o[2], sequence="125")),
    "a missing object": lambda b, o: b.objects.pop(data_keys(b)[0]),
    "a missing manifest": lambda b, o: b.objects.pop(manifests(b)[0]),
    "a stray object": lambda b, o: b.put("p/stray", b""),
    "a stray file beside the manifests": lambda b, o: b.put("_c/commits/7/s0/x.json", b"{}"),
    "a flipped byte": lambda b, o: b.put(data_keys(b)[0], b.objects[data_keys(b)[0]][0][:-1] + b"\xff",
                                         b.objects[data_keys(b)[0]][1]),
    "a broken link": lambda b, o: change_manifest(b, 1, previous="_c/other"),
    "a wrong record count": lambda b, o: change_manifest(b, 1, records=7),
    "a wrong row count": lambda b, o: change_manifest(b, 0, rows=7),
    "a wrong status count": lambda b, o: change_manifest(b, 0, rows_by_status={"ok": 2, "partial": 1}),
    "overlapping ranges": lambda b, o: change_manifest(b, 0, last="130"),
    "a gap that nobody allowed": lambda b, o: change_manifest(b, 1, gap={"from": "x"}),
    "an unknown member": lambda b, o: change_manifest(b, 1, extra=1),
    "wrong metadata": lambda b, o: b.put(data_keys(b)[0], b.objects[data_keys(b)[0]][0], {}),
    "another stream of the same name": lambda b, o: change_manifest(
        b, 0, stream_creation="1970-01-01T00:00:00.008Z"),
    "a wrong arrival": lambda b, o: o[0].update(arrival_ms=BASE_MS - 5),
}


@pytest.mark.parametrize("what", sorted(DAMAGE))
def test_damage_is_found(what):
    bucket, oracle = archive()
    DAMAGE[what](bucket, oracle)
    with pytest.raises(AssertionError):
        audit(bucket, oracle).assert_clean()


def test_rows_doubled_inside_an_object_are_found():
    bucket, oracle = archive(((0, 3),))
    key, manifest_key = data_keys(bucket)[0], manifests(bucket)[0]
    manifest = json.loads(bucket.objects[manifest_key][0])
    text = rows_of(bucket.objects[key][0])
    doubled = text + text.splitlines(True)[0]
    body = gzip_member(doubled)
    entry = manifest["objects"][0]
    entry.update(rows=4, bytes=len(body), rows_bytes=len(doubled), sha256=hashlib.sha256(body).hexdigest(),
                 rows_sha256=hashlib.sha256(doubled).hexdigest())
    manifest.update(rows=4, rows_by_status={"ok": 4})
    put_manifest(bucket, manifest_key, manifest)
    metadata = dict(bucket.objects[key][1], **{"sluice-rows": "4", "sluice-sha256": entry["sha256"],
                                              "sluice-rows-sha256": entry["rows_sha256"]})
    bucket.put(key, body, metadata)
    assert audit(bucket, oracle).problems == [
        "%s record 100: has 2 rows with subsequences []" % manifest_key]


def test_a_row_in_the_wrong_partition_is_found():
    bucket, oracle = archive(((0, 2),))
    for prefix, problems in [("p/", 0), ("{host}/", 0), ("p/dt={date}/", 2), ("p/{stream}/{year}/{hour}/", 2)]:
        change_manifest(bucket, 0, settings={"prefix": prefix, "partition_time": "arrival"})
        assert len(audit(bucket, oracle).problems) == problems, prefix
    assert "record 110: belongs under p/stream/2026/21/" in audit(bucket, oracle).problems[1]


def test_missing_records_are_told_as_runs():
    bucket, oracle = archive()
    oracle += [dict(record(n), arrival_ms=BASE_MS) for n in (7, 8, 9)]
    assert audit(bucket, oracle).problems == ["s0: 3 records, 170 to 190, are in 0 batches"]


def test_gzip_must_be_one_whole_member():
    good = gzip_member(b"row\n" * 100)
    assert rows_of(good) == b"row\n" * 100
    for bad in (good[:-1], good + b"\0", good + good, good[:-5] + b"\0" + good[-4:], b"\0" + good[1:],
                gzip.compress(b"row\n", mtime=5)):
        with pytest.raises(GzipProblem):
            rows_of(bad)


def test_instants():
    assert instant_ms("1970-01-01T00:00:00Z") == 0
    assert instant_ms("2026-11-22T21:31:08.741Z") == 1795383068741
    assert instant_ms("2000-02-29T00:00:00.5Z") == 951782400500
    assert instant_ms("1969-12-31T23:59:59.999999Z") == -1
