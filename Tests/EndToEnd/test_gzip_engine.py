"""Hosts with and without libdeflate: objects that every reader takes, and batches that one host begins and the other ends."""

import hashlib
import os
import shutil
import subprocess

import duckdb
import pytest

from support.gzipcheck import rows_of


@pytest.fixture
def without_libdeflate(tmp_path):
    """An environment whose program finds a file of the library's name that is none, which the loader refuses."""
    folder = tmp_path / "no-libdeflate"
    folder.mkdir()
    (folder / "libdeflate.so.0").write_bytes(b"")
    return {"LD_LIBRARY_PATH": str(folder)}


def manifests(scenario):
    return [scenario.json_object(key) for key in sorted(scenario.keys("_sluice/")) if "/commits/" in key]


def engines(scenario):
    return {manifest["settings"]["gzip_engine"] for manifest in manifests(scenario)}


def objects(scenario):
    """Key -> bytes as stored."""
    return {key: scenario.s3.get_object(Bucket=scenario.bucket, Key=key)["Body"].read()
            for key in scenario.keys() if key.endswith(".ndjson.gz")}


def test_an_object_of_many_chunks_is_one_member_for_every_reader(scenario, tmp_path):
    # Chunks are no larger than an object may be: 16 KiB here, so that several are joined in each.
    scenario.set_up(seal={"bytes": "8KiB"})
    scenario.load(scenario.lines(3_000))
    scenario.archive()
    scenario.audit()
    assert engines(scenario) == {"libdeflate.so.0"}
    stored = objects(scenario)
    assert max(len(rows_of(data)) for data in stored.values()) > 3 * 16_384
    for number, data in enumerate(stored.values()):
        path = tmp_path / ("%d.ndjson.gz" % number)
        path.write_bytes(data)
        subprocess.run(["gzip", "-t", str(path)], check=True)
    count = duckdb.sql("select count(*) from read_json('%s/*.ndjson.gz', format='newline_delimited')" % tmp_path)
    assert count.fetchone()[0] == sum(manifest["rows"] for manifest in manifests(scenario))


def test_the_same_records_give_the_same_bytes_again_and_the_same_rows_by_the_other_engine(
        scenario, without_libdeflate):
    scenario.set_up(seal={"records": 500}, destination={"prefix": "d/host={host}/"})
    scenario.load(scenario.lines(1_000))
    found = []
    for number, environment in enumerate([None, None, without_libdeflate]):
        if number > 0:
            scenario.bucket = "%s-n%d" % (scenario.stream, number)
            scenario.s3.create_bucket(Bucket=scenario.bucket)
            scenario.write_job(
                seal={"records": 500}, destination={"prefix": "d/host={host}/"},
                state={"directory": os.path.join(scenario.directory, "state%d" % number)})
        scenario.archive(environment=environment)
        scenario.audit()
        found.append((engines(scenario), objects(scenario)))
    assert found[0][0] == found[1][0] == {"libdeflate.so.0"}
    assert [name.startswith("zlib ") for name in found[2][0]] == [True]
    assert found[0][1] == found[1][1]
    assert found[0][1] != found[2][1]
    assert {key: rows_of(data) for key, data in found[0][1].items()} == {
        key: rows_of(data) for key, data in found[2][1].items()}


@pytest.mark.parametrize("begins_without", [False, True])
@pytest.mark.parametrize("failpoint", ["object.after:2=kill", "intent.after=kill", "manifest.before=kill"])
def test_a_batch_that_died_is_finished_by_a_host_with_the_other_engine(
        scenario, without_libdeflate, begins_without, failpoint):
    scenario.set_up(destination={"prefix": "d/host={host}/"})
    scenario.load(scenario.lines(400))
    first, second = (without_libdeflate, None) if begins_without else (None, without_libdeflate)
    assert scenario.archive(failpoint=failpoint, environment=first, expect=None).was_killed
    # What the first host had packed is lost with it: the second must make the same rows from the stream.
    spool = os.path.join(scenario.state_directory, "spool")
    shutil.rmtree(spool)
    os.mkdir(spool, 0o700)
    scenario.archive(environment=second)
    scenario.audit()
    listed = {entry["key"]: entry for manifest in manifests(scenario) for entry in manifest["objects"]}
    assert set(listed) == set(objects(scenario))
    for key, data in objects(scenario).items():
        assert hashlib.sha256(data).hexdigest() == listed[key]["sha256"]
        assert hashlib.sha256(rows_of(data)).hexdigest() == listed[key]["rows_sha256"]
    assert scenario.archive().report["totals"]["records"] == 0


def test_an_engine_that_must_be_there_and_is_not_ends_the_run_before_anything_is_stored(
        scenario, without_libdeflate):
    scenario.set_up(gzip_engine="libdeflate")
    scenario.load(scenario.lines(10))
    result = scenario.archive(environment=without_libdeflate, expect=78)
    said = result.stdout + result.stderr
    assert "libdeflate0" in said and "gzip_engine" in said
    assert not objects(scenario)
    scenario.archive()
    scenario.audit()
