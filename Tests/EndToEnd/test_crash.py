"""Exactly once, whatever dies when. After each fault the program is started again and the auditor looks at the bucket."""

import os
import random
import re
import time

import pytest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "Jobs", "Archive",
                      "Failpoints.swift")
RANDOM_KILLS = int(os.environ.get("SLUICE_CRASHES") or 100)
SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(1 << 32))


def failpoints():
    with open(SOURCE) as file:
        names = re.findall(r'case \w+ = "([a-z-]+\.(?:before|after))"', file.read())
    assert len(names) >= 18
    return [name for name in names if not name.startswith(("ship-", "load-"))]


def resharded(scenario):
    """A stream with a closed parent, two children, and several batches on each."""
    scenario.set_up(shards=1, seal={"records": 20})
    scenario.load(scenario.lines(50))
    scenario.kinesis.split_shard(StreamName=scenario.stream, ShardToSplit="shardId-000000000000",
                                 NewStartingHashKey=str(1 << 127))
    scenario.load(scenario.lines(60, start=50))
    return scenario


@pytest.mark.slow
@pytest.mark.parametrize("name", failpoints())
@pytest.mark.parametrize("action", ["kill", "error"])
def test_dying_at_a_failpoint_loses_and_doubles_nothing(scenario, name, action):
    resharded(scenario)
    for hit in (1, 2):
        result = scenario.archive(failpoint="%s:%d=%s" % (name, hit, action), expect=None)
        assert result.was_killed == (action == "kill") or result.exit == 0, str(result)
        if hit == 1:
            assert result.exit != 0, "failpoint %s was never reached\n%s" % (name, result)
    scenario.archive()
    scenario.audit("after %s at %s" % (action, name))
    assert scenario.archive().report["totals"]["records"] == 0


@pytest.mark.slow
def test_a_lost_answer_to_any_s3_call_changes_nothing(scenario):
    resharded(scenario)
    last = 0
    for nth in range(1, 200):
        if nth > 1:
            scenario.name = scenario.bucket = "%s-n%d" % (scenario.stream, nth)
            scenario.s3.create_bucket(Bucket=scenario.bucket)
            scenario.write_job(seal={"records": 20}, state={
                "directory": os.path.join(scenario.directory, "state%d" % nth)})
        rule = scenario.control.fault("lose_answer", {"service": "s3", "bucket": "^%s$" % re.escape(scenario.bucket),
                                                      "method": ["PUT", "HEAD"]}, nth=nth)
        scenario.archive()
        fired = next(r["fired"] for r in scenario.control.faults() if r["id"] == rule)
        scenario.control.clear_faults()
        scenario.audit("answer to call %d lost" % nth)
        last = nth
        if not fired:
            break
    assert last > 6, "only %d calls were seen" % last


@pytest.mark.slow
def test_a_lost_or_broken_answer_to_any_kinesis_call_changes_nothing(scenario):
    resharded(scenario)
    actions = ("lose_answer", {"kind": "truncate", "bytes": 200}, {"kind": "error", "status": 500,
               "code": "InternalFailure", "message": "x"})
    for number, action in enumerate(actions):
        for nth in range(1, 14, 2):
            scenario.bucket = "%s-k%d-%d" % (scenario.stream, number, nth)
            scenario.s3.create_bucket(Bucket=scenario.bucket)
            scenario.write_job(seal={"records": 20}, state={
                "directory": os.path.join(scenario.directory, "state%d-%d" % (number, nth))})
            scenario.control.fault(action, {"service": "kinesis", "stream": "^%s$" % re.escape(scenario.stream)},
                                   nth=nth)
            scenario.archive()
            scenario.control.clear_faults()
            scenario.audit("%s at call %d" % (action, nth))


@pytest.mark.slow
def test_random_kills_lose_and_double_nothing(aws, tmp_path_factory):
    """A hundred by default: SLUICE_CRASHES=N for more, SLUICE_SEED=S to repeat."""
    from support.scenario import Scenario

    print("seed %d, %d kills" % (SEED, RANDOM_KILLS))
    rng = random.Random(SEED)
    kills = world = 0
    while kills < RANDOM_KILLS:
        world += 1
        scenario = Scenario(aws, tmp_path_factory.mktemp("crash"), "random-kill")
        scenario.set_up(shards=2, seal={"records": rng.choice([15, 40, 400])})
        loaded = rng.randrange(150, 400)
        scenario.load(scenario.lines(loaded))
        for attempt in range(12):
            process = scenario.start_archive()
            time.sleep(rng.uniform(0.02, 0.5))
            ended = process.poll() is not None
            if not ended:
                process.kill()
                kills += 1
            scenario.program.finish(process, expect=None)
            if ended and attempt > 2:
                break
            if rng.random() < 0.2:
                more = rng.randrange(1, 60)
                scenario.load(scenario.lines(more, start=loaded))
                loaded += more
        scenario.archive()
        scenario.audit("seed %d, world %d" % (SEED, world))
    print("%d kills in %d worlds: 0 lost, 0 doubled" % (kills, world))


@pytest.mark.slow
def test_a_lost_spool_is_made_anew_from_the_stream(scenario):
    scenario.set_up(seal={"records": 20}, destination={"prefix": "d/host={host}/"})
    scenario.load(scenario.lines(50))
    assert scenario.archive(failpoint="object.after:2=kill", expect=None).was_killed
    spool = os.path.join(scenario.state_directory, "spool")
    files = os.listdir(spool)
    assert files
    for name in files:
        os.unlink(os.path.join(spool, name))
    # Settings that would give other keys and other bytes today: the plan counts, not the job file.
    scenario.write_job(seal={"records": 7}, destination={"prefix": "e/dt={date}/"}, gzip_level=1)
    scenario.archive()
    scenario.audit()
    assert len(scenario.keys("d/")) == 3


def test_a_damaged_spool_file_is_not_uploaded(scenario):
    scenario.set_up()
    scenario.load(scenario.lines(50))
    assert scenario.archive(failpoint="intent.after=kill", expect=None).was_killed
    spool = os.path.join(scenario.state_directory, "spool")
    for name in os.listdir(spool):
        with open(os.path.join(spool, name), "r+b") as file:
            file.seek(40)
            file.write(b"\0\0\0\0")
    scenario.archive()
    scenario.audit()


def test_an_orderly_stop_leaves_the_rest_for_the_next_run(scenario):
    scenario.set_up(shards=2, seal={"records": 20}, settings={"page_records": 10})
    scenario.load(scenario.lines(400))
    scenario.fault({"kind": "delay", "seconds": 0.1}, {"service": "kinesis", "operation": "GetRecords"})
    process = scenario.start_archive()
    scenario.wait_for(lambda: len(scenario.keys("_sluice/")) >= 3, what="the first manifests")
    started = time.monotonic()
    process.terminate()
    result = scenario.program.finish(process, expect=143)
    assert time.monotonic() - started < 5
    assert result.report["signal"] == 15 and result.report["more_waiting"]
    scenario.control.clear_faults()
    scenario.archive()
    scenario.audit()
