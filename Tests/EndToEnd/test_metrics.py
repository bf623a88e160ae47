"""The file for Prometheus: accepted by promtool, true to the oracle, never half, and never a reason for a run to fail."""

import fcntl
import os
import re
import threading
import time

import pytest

from support.metrics import Metrics, promtool
from support.program import REPOSITORY

RULES = os.path.join(REPOSITORY, "jobs", "prometheus")


@pytest.fixture
def prom(scenario):
    scenario.prom = os.path.join(scenario.directory, "sluice.prom")
    return scenario


def set_up(scenario, **options):
    scenario.set_up(metrics={"textfile": scenario.prom}, **options)


def read(scenario):
    return Metrics(scenario.prom).check()


def test_promtool_accepts_the_rules_and_they_alert_when_they_should():
    for arguments in (["check", "rules", "sluice.rules.yml"], ["test", "rules", "sluice.test.yml"]):
        result = promtool(*arguments, cwd=RULES, text=True)
        assert result.returncode == 0 and "SUCCESS" in result.stdout, result.stdout + result.stderr


def test_rules_and_metrics_use_the_same_names(prom):
    set_up(prom)
    prom.load(prom.lines(5))
    prom.archive()
    names = {name for name, _ in read(prom).series}
    with open(os.path.join(RULES, "sluice.rules.yml")) as file:
        used = set(re.findall(r"sluice_[a-z_]+", "\n".join(
            line for line in file.read().splitlines() if not line.strip().startswith("#"))))
    assert used and used <= names, used - names


def test_counters_tell_what_was_archived_and_survive_runs(prom):
    set_up(prom, shards=2, seal={"records": 20})
    bad = ["no header at all %d" % n for n in range(7)]
    prom.load(prom.lines(60) + bad)
    prom.archive()
    metrics = read(prom)
    assert metrics.sum("sluice_archive_records_total") == 67
    assert metrics.sum("sluice_archive_rows_total") == 67
    assert metrics.sum("sluice_archive_rows_total", status="unparsed") == 7
    assert metrics.sum("sluice_archive_batches_total") == len(prom.keys("_sluice/test/commits/"))
    assert metrics.sum("sluice_archive_objects_total") == len(prom.keys("data/"))
    sizes = prom.s3.list_objects_v2(Bucket=prom.bucket, Prefix="data/")["Contents"]
    assert metrics.sum("sluice_archive_object_bytes_total") == sum(item["Size"] for item in sizes)
    assert metrics.sum("sluice_archive_record_bytes_total") == sum(len(line) for line in prom.lines(60) + bad)
    prom.load(prom.lines(30, start=60))
    prom.archive()
    assert read(prom).sum("sluice_archive_records_total") == 97
    # A run that fails resets nothing.
    prom.archive(expect=75, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"})
    metrics = read(prom)
    assert metrics.sum("sluice_archive_records_total") == 97 and metrics.one("sluice_run_exit_code") == 75
    assert metrics.one("sluice_runs_total", exit_code="0") == 2 and metrics.one("sluice_runs_total", exit_code="75") == 1
    assert all(("job", "test") in labels and ("stream", prom.stream) in labels for _, labels in metrics.series)


def test_killed_runs_neither_lose_nor_double_a_count(prom):
    set_up(prom, shards=2, seal={"records": 10})
    prom.load(prom.lines(100))
    for number, point in enumerate(("commit.before:2", "commit.after:3", "manifest.after:1", "object.after:2", "intent.after:1")):
        assert prom.archive(failpoint=point + "=kill", expect=None).was_killed
        committed = sum(prom.json_object(key)["records"] for key in prom.keys("_sluice/test/commits/"))
        # What is committed in S3 and not yet in the state is counted when the next run finishes it.
        assert 0 <= committed - read(prom).sum("sluice_archive_records_total") <= 40
    prom.archive()
    metrics = read(prom)
    assert metrics.sum("sluice_archive_records_total") == 100
    assert metrics.one("sluice_runs_total", exit_code="killed") == 5
    prom.audit()


def test_times_and_lag_are_those_of_the_stream(prom):
    set_up(prom)
    prom.control.check_skew(False)
    prom.control.clock(advance=7200, freeze=True)
    prom.load(prom.lines(10))
    before = time.time()
    prom.archive()
    metrics = read(prom)
    stream_now = prom.control.clock()["now"]
    assert abs(metrics.one("sluice_archive_last_record_timestamp_seconds") - prom.oracle()[-1]["arrival_ms"] / 1000) < 0.01
    assert abs(metrics.one("sluice_archive_horizon_timestamp_seconds") - stream_now) < 2
    assert 0 <= metrics.one("sluice_archive_lag_seconds") < 60
    assert metrics.one("sluice_archive_retention_used_ratio") < 0.001
    assert metrics.one("sluice_archive_retention_seconds") == 86400
    # The runs' own times are this machine's: alerts compare them with Prometheus' clock.
    assert before <= metrics.one("sluice_run_start_timestamp_seconds") \
        <= metrics.one("sluice_run_end_timestamp_seconds") <= time.time()
    assert metrics.one("sluice_archive_last_success_timestamp_seconds") == metrics.one("sluice_run_end_timestamp_seconds")


def test_a_shard_that_cannot_be_read_grows_old(prom):
    set_up(prom, shards=2)
    prom.write_job(limits={"run_time": "2s"}, metrics={"textfile": prom.prom})
    prom.load(prom.lines(20))
    prom.archive()
    prom.load(prom.lines(20, start=20))
    prom.control.check_skew(False)
    prom.control.clock(advance=15 * 3600)
    prom.fault({"kind": "error", "status": 500, "code": "InternalFailure", "message": "x"},
               {"service": "kinesis", "operation": "GetRecords", "shard": "shardId-000000000001"})
    prom.archive(expect=75, environment={"AWS_MAX_ATTEMPTS": "1"}, timeout=100)
    used = read(prom).by_shard("sluice_archive_retention_used_ratio")
    assert used["shardId-000000000000"] < 0.01 and abs(used["shardId-000000000001"] - 15 / 24) < 0.01


def test_the_file_is_written_at_the_start_so_that_a_run_shows(prom):
    set_up(prom, settings={"page_records": 10})
    prom.load(prom.lines(10))
    prom.archive()
    prom.load(prom.lines(100, start=10))
    prom.fault({"kind": "delay", "seconds": 0.5}, {"service": "kinesis", "operation": "GetRecords"})
    process = prom.start_archive()

    def shows():
        metrics = Metrics(prom.prom)
        return metrics.one("sluice_run_start_timestamp_seconds") > metrics.one("sluice_run_end_timestamp_seconds")

    prom.wait_for(shows, what="a run that shows")
    assert read(prom).one("sluice_run_exit_code") == 0
    prom.control.clear_faults()
    prom.program.finish(process)
    assert read(prom).sum("sluice_archive_records_total") == 110


def test_a_second_run_beside_the_first_does_not_write(prom):
    set_up(prom)
    prom.load(prom.lines(10))
    prom.archive()
    stamp = os.stat(prom.prom).st_mtime_ns
    with open(os.path.join(prom.state_directory, "lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prom.archive(expect=79)
    assert os.stat(prom.prom).st_mtime_ns == stamp
    prom.archive()
    assert read(prom).one("sluice_runs_total") == 2


def test_readers_see_whole_files_only_and_may_read_them(prom):
    set_up(prom, shards=2)
    prom.load(prom.lines(10))
    prom.archive()
    whole = Metrics(prom.prom)
    seen, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            with open(prom.prom) as file:
                seen.append(file.read())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(5):
        prom.archive()
    stop.set()
    watcher.join()
    # Each family has its help line, and the last family is there: nothing is cut off.
    last = whole.text.splitlines()[-1].split("{")[0]
    assert seen and all(text.endswith("\n") and last in text for text in seen)
    assert os.stat(prom.prom).st_mode & 0o777 == 0o644
    assert [n for n in os.listdir(prom.directory) if "prom" in n] == ["sluice.prom"]


@pytest.mark.parametrize("place", ["/nowhere/at/all/sluice.prom", "/proc/sluice.prom", None])
def test_a_file_that_cannot_be_written_is_a_warning(prom, place):
    prom.prom = place or os.path.join(prom.directory, "taken.prom")
    if place is None:
        os.mkdir(prom.prom)
    set_up(prom)
    prom.load(prom.lines(10))
    result = prom.archive()
    assert result.report["totals"]["records"] == 10
    assert "warning metrics: " in result.stderr and prom.prom in result.stderr and "hint=" in result.stderr or place is None
    prom.audit()


def test_a_ledger_that_is_damaged_is_begun_anew(prom):
    set_up(prom)
    prom.load(prom.lines(10))
    prom.archive()
    with open(os.path.join(prom.state_directory, "ledger.json"), "w") as file:
        file.write("{")
    prom.archive()
    metrics = read(prom)
    assert metrics.sum("sluice_archive_records_total") == 10 and metrics.one("sluice_runs_total") == 1


def test_counts_go_on_after_a_rebuild_of_lost_state_from_what_is_archived_then(prom):
    """A counter that begins anew is what `rate()` expects of a lost one; the times come back from the manifests."""
    set_up(prom)
    prom.load(prom.lines(10))
    prom.archive()
    arrival = read(prom).one("sluice_archive_last_record_timestamp_seconds")
    for name in os.listdir(prom.state_directory):
        if name.startswith("state.sqlite"):
            os.unlink(os.path.join(prom.state_directory, name))
    prom.archive(expect=74)
    assert read(prom).one("sluice_run_exit_code") == 74
    prom.program.run("state", "rebuild", prom.job)
    prom.archive()
    metrics = read(prom)
    assert metrics.one("sluice_archive_last_record_timestamp_seconds") == arrival
    assert metrics.sum("sluice_archive_records_total") == 0
    prom.load(prom.lines(5, start=10))
    prom.archive()
    assert read(prom).sum("sluice_archive_records_total") == 5
