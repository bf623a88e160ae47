"""Backfill: what no manifest covers of a time range, once and nothing else, beside the job and beside other backfills."""

import json
import os
import random
import shlex
import shutil
import signal
import sys
import time

import pytest

from support.day import HOUR_MS, Day
from support.scenario import time_text

SEED = int(os.environ.get("SLUICE_SEED") or 20261128)
WORLDS = int(os.environ.get("SLUICE_BACKFILL_WORLDS") or 1)
FAILPOINTS = ["claim.before", "claim.after", "spool-sync.after", "intent.before", "intent.after", "object.before",
              "object.after", "manifest.before", "manifest.after", "commit.before", "commit.after", "spool-remove.before",
              "spool-remove.after"]


def holed(scenario, **job):
    """A day of one shard, archived by four live runs in batches of 15, of which the middle ones were lost."""
    day = Day(scenario, shards=1, hours_ago=10, **job)
    for _ in range(4):
        day.fill(minutes=120, records=40)
        scenario.archive()
    day.move_to(day.end)
    keys = sorted(day.manifests("shardId-000000000000"))
    for key in keys[2:7]:
        day.lose(key)
    return day


def test_a_covered_range_needs_nothing_and_writes_nothing(scenario):
    day = Day(scenario, hours_ago=6)
    day.fill(minutes=120, records=60)
    scenario.archive()
    day.move_to(day.end)
    before = scenario.keys()
    report = scenario.backfill(*day.ask(day.start, day.end)).report
    assert report["ranges"] == [] and report["totals"]["records"] == 0 and report["manifests"] >= 4
    assert scenario.keys() == before
    scenario.audit()


def test_lost_batches_come_back_and_the_chain_is_proven(scenario):
    day = holed(scenario)
    live = day.live()
    lost = len([r for r in scenario.oracle() if r["sequence"] not in live])
    assert lost > 50
    report = scenario.backfill(*day.ask(day.start, day.end)).report
    assert report["totals"]["records"] == report["totals"]["rows"] == lost
    audit = day.audit()
    assert audit.unproven == []
    assert scenario.backfill(day.start, day.end).report["totals"]["records"] == 0


def test_only_the_asked_range_is_filled_and_ranges_meet_exactly(scenario):
    day = holed(scenario)
    live = day.live()
    middle = day.start + 4 * HOUR_MS
    first = scenario.backfill(*day.ask(middle - HOUR_MS // 2, middle)).report["totals"]["records"]
    day.audit(live, "first range")
    second = scenario.backfill(*day.ask(middle, middle + HOUR_MS)).report["totals"]["records"]
    day.audit(live, "second range")
    assert first > 0 and second > 0
    rest = scenario.backfill(*day.ask(day.start, day.end)).report["totals"]["records"]
    audit = day.audit(live, "the rest")
    assert rest > 0 and audit.unproven == []


def test_dry_run_says_what_is_missing_and_changes_nothing(scenario):
    day = holed(scenario)
    before = scenario.keys()
    since = len(scenario.requests())
    live = day.live()
    missing = len([r for r in scenario.oracle() if r["sequence"] not in live])
    other = day.other_host("elsewhere")
    report = scenario.backfill(day.start, day.end, "--dry-run", job=other).report
    assert report["dry_run"] and len(report["ranges"]) == 1
    estimated = report["ranges"][0]["estimated_records"]
    assert missing * 0.5 < estimated < missing * 2, (missing, estimated)
    assert report["ranges"][0]["estimated_bytes"] > 0 and report["reading_seconds"] > 0
    assert scenario.keys() == before
    assert not os.path.exists(os.path.join(scenario.directory, "elsewhere", "state"))
    assert not [e for e in scenario.requests()[since:] if e["method"] == "PUT"]
    text = scenario.program.run("backfill", scenario.job, "--from", time_text(day.start), "--to", time_text(day.end),
                                "--dry-run").stdout
    assert "at 2 MB/s a shard" in text and "shardId-000000000000" in text and "nothing was changed" in text


def test_the_commands_that_verify_prints_fill_what_it_has_found(scenario):
    day = Day(scenario, shards=2, hours_ago=10)
    for part in range(4):
        day.fill(minutes=100, records=60)
        if part == 1:
            day.split()
        scenario.archive()
    day.move_to(day.end)
    assert day.lose_some(share=0.5) > 3
    found = json.loads(scenario.program.run("verify", scenario.job, "--json", expect=65).stdout)["findings"]
    commands = [shlex.split(finding["backfill"]) for finding in found]
    for command in commands:
        assert command[0] == "sluice"
        scenario.program.run(*command[1:])
    proof = scenario.program.run("verify", scenario.job, "--read-data", "--json").stdout
    assert commands and json.loads(proof)["findings"] == []
    audit = day.audit({record["sequence"] for record in scenario.oracle()})
    assert audit.unproven == []


def test_objects_that_a_lost_manifest_left_are_taken_over(scenario):
    day = Day(scenario, shards=1, hours_ago=10, seal=30)
    for _ in range(5):
        day.fill(minutes=60, records=40)
        scenario.archive()
    day.move_to(day.end)
    for key in sorted(day.manifests("shardId-000000000000"))[1:-1]:
        day.lose(key, objects=False)
    # The runs' ends have cut batches that a backfill would cut otherwise.
    objects = set(scenario.keys("data/"))
    scenario.backfill(*day.ask(day.start, day.end))
    assert set(scenario.keys("data/")) == objects
    assert day.audit().unproven == []


def test_an_object_of_somebody_else_is_a_conflict_and_nothing_is_claimed(scenario):
    day = holed(scenario)
    live = day.live()
    first = next(r for r in sorted(scenario.oracle(), key=lambda r: int(r["sequence"])) if r["sequence"] not in live)
    key = "data/dt=%s/hour=%s/%s-shardId-000000000000-%s.ndjson.gz" % (
        time.strftime("%Y-%m-%d", time.gmtime(first["arrival_ms"] / 1000)),
        time.strftime("%H", time.gmtime(first["arrival_ms"] / 1000)), scenario.stream, first["sequence"].zfill(64))
    scenario.s3.put_object(Bucket=scenario.bucket, Key=key, Body=b"not ours")
    result = scenario.backfill(day.start, day.end, expect=73)
    assert key in result.stdout
    assert not scenario.keys(scenario.control_prefix + "backfill/")
    scenario.s3.delete_object(Bucket=scenario.bucket, Key=key)
    scenario.backfill(*day.ask(day.start, day.end))
    day.audit()


def test_what_start_latest_left_out_can_be_filled(scenario):
    day = Day(scenario, shards=2, hours_ago=8, source={"start": "latest"})
    day.fill(minutes=120, records=50)
    day.split()
    day.fill(minutes=60, records=40)
    assert scenario.archive().report["totals"]["records"] == 0
    day.move_to(day.now + 60_000)
    early = day.ask(day.start, day.start + HOUR_MS)
    assert scenario.backfill(*early).report["totals"]["records"] > 10
    day.audit(set(), "before the job has archived anything")
    day.fill(minutes=60, records=40)
    assert scenario.archive().report["totals"]["records"] == 40
    day.move_to(day.end)
    live = day.live()
    report = scenario.backfill(*day.ask(day.start, day.end)).report
    assert report["lost"] == [] and report["totals"]["records"] > 50
    audit = day.audit(live)
    assert sum(1 for _ in scenario.oracle()) == len(audit.rows) == 130
    assert scenario.archive().report["totals"]["records"] == 0


def test_what_follows_the_last_manifest_is_left_to_the_job(scenario):
    day = Day(scenario, shards=1, hours_ago=6)
    day.fill(minutes=60, records=30)
    scenario.archive()
    day.fill(minutes=60, records=30)
    day.move_to(day.end)
    report = scenario.backfill(day.start, day.end, expect=75).report
    assert report["more_waiting"] and report["totals"]["records"] == 0
    assert report["shards"][0]["waiting_since"] > time_text(day.start + HOUR_MS)
    text = scenario.program.run("backfill", scenario.job, "--from", time_text(day.start), "--to", time_text(day.end),
                                expect=75).stdout
    assert "left to the job: shardId-000000000000" in text and "sluice archive" in text
    scenario.archive()
    scenario.backfill(day.start, day.end)
    scenario.audit()


def test_before_the_first_run_everything_is_left_to_it(scenario):
    day = Day(scenario, shards=1, hours_ago=6)
    day.fill(minutes=60, records=30)
    result = scenario.backfill(day.start, day.end, expect=75)
    assert result.report["more_waiting"] and "sluice archive" in result.stderr
    assert scenario.keys() == []


def test_a_closed_shard_whose_end_was_lost_is_filled_to_its_end(scenario):
    day = Day(scenario, shards=1, hours_ago=6)
    day.fill(minutes=60, records=40)
    day.split()
    day.fill(minutes=60, records=40)
    scenario.archive()
    day.move_to(day.end)
    for key in sorted(day.manifests("shardId-000000000000"))[1:]:
        day.lose(key)
    live = day.live()
    scenario.backfill(*day.ask(day.start, day.end))
    day.audit(live)
    # Also when nothing of the shard is left; its children tell that the job has read it.
    for key in day.manifests("shardId-000000000000"):
        day.lose(key)
    live = day.live()
    scenario.backfill(day.start, day.end)
    day.audit(live)


@pytest.mark.parametrize("mode", ["silent", "empty", "refuse"])
def test_what_has_left_the_stream_is_named_and_the_rest_is_archived(scenario, mode):
    day = Day(scenario, shards=1, hours_ago=10)
    scenario.control.stream_settings(scenario.stream, trim_mode=mode)
    for _ in range(4):
        day.fill(minutes=120, records=40)
        scenario.archive()
    keys = sorted(day.manifests("shardId-000000000000"))
    for key in keys[2:7]:
        day.lose(key)
    live = day.live()
    day.move_to(day.start + 27 * HOUR_MS)
    horizon = day.now - 24 * HOUR_MS
    ask = (day.start, day.start + 9 * HOUR_MS)
    preview = scenario.backfill(*ask, "--dry-run", expect=69).report
    result = scenario.backfill(*ask, expect=69)
    report = result.report
    # The last archived record before the hole arrived some minutes before what was lost.
    window, = report["lost"]
    assert window["shard"] == "shardId-000000000000" and window["to"][:18] == preview["lost"][0]["to"][:18]
    assert time_text(horizon) <= window["to"] <= time_text(horizon + 4_000)
    gone = [r for r in scenario.oracle() if r["trimmed"] and r["sequence"] not in live]
    rest = [r for r in scenario.oracle() if not r["trimmed"] and r["sequence"] not in live]
    assert gone and rest and report["totals"]["records"] == len(rest)
    assert window["from"] <= time_text(gone[0]["arrival_ms"]) and time_text(gone[-1]["arrival_ms"]) < window["to"]
    audit = scenario.audit(holes=True, gaps_allowed=True,
                           expected=lambda r: r["sequence"] in live or not r["trimmed"])
    assert len(audit.unproven) == 1
    again = scenario.backfill(*ask, expect=69).report
    assert again["lost"] and again["totals"]["records"] == 0
    after_the_gap = (horizon + 5_000, day.start + 9 * HOUR_MS)
    assert scenario.backfill(*after_the_gap).report["lost"] == []
    text = scenario.program.run("backfill", scenario.job, "--from", time_text(ask[0]), "--to", time_text(ask[1]),
                                expect=69).stdout
    assert "missing: shardId-000000000000" in text


def test_a_range_in_the_future_ends_now_and_one_that_begins_there_is_refused(scenario):
    day = holed(scenario)
    result = scenario.backfill(day.start, day.end + 48 * HOUR_MS)
    assert result.report["stopped_at"] <= time_text(day.end + 5_000)
    day.ask(day.start, day.end)
    day.audit()
    refused = scenario.backfill(day.end + HOUR_MS, day.end + 2 * HOUR_MS, expect=64)
    assert "still to come" in refused.stderr
    wrong = scenario.program.run("backfill", scenario.job, "--from", "2026-11-22", "--to", "2026-11-22", expect=64)
    assert "--from must lie before --to" in wrong.stderr


def test_the_marker_must_be_the_jobs_own(scenario):
    day = holed(scenario)
    key = scenario.control_prefix + "owner.json"
    marker = scenario.s3.get_object(Bucket=scenario.bucket, Key=key)["Body"].read()
    before = scenario.keys()
    scenario.s3.put_object(Bucket=scenario.bucket, Key=key, Body=marker.replace(b'"job":"test"', b'"job":"else"'))
    assert "belongs to the job else" in scenario.backfill(day.start, day.end, expect=74).stderr
    scenario.s3.delete_object(Bucket=scenario.bucket, Key=key)
    assert "marker is gone" in scenario.backfill(day.start, day.end, expect=74).stderr
    scenario.s3.put_object(Bucket=scenario.bucket, Key=key, Body=marker)
    assert scenario.keys() == before
    scenario.backfill(*day.ask(day.start, day.end))
    day.audit()
    assert scenario.s3.get_object(Bucket=scenario.bucket, Key=key)["Body"].read() == marker


def test_a_second_backfill_on_the_same_host_waits_and_the_job_does_not(scenario):
    day = holed(scenario)
    slow = scenario.start_backfill(*day.ask(day.start, day.end), failpoint="object.before=sleep:1000")
    scenario.wait_for(lambda: scenario.keys(scenario.control_prefix + "backfill/"), what="the first claim")
    os.kill(slow.pid, signal.SIGSTOP)
    assert "is running this job" in scenario.backfill(day.start, day.end, expect=79).stderr
    day.fill(minutes=10, records=20)
    assert scenario.archive().report["totals"]["records"] == 20
    os.kill(slow.pid, signal.SIGCONT)
    scenario.program.finish(slow)
    day.audit()


def test_state_rebuilt_beside_backfills_goes_on_where_the_job_was(scenario):
    day = Day(scenario, shards=2, hours_ago=8, source={"start": "latest"})
    day.fill(minutes=60, records=40)
    scenario.archive()
    day.move_to(day.now + 60_000)
    early = day.ask(day.start, day.start + HOUR_MS // 2)
    scenario.backfill(*early)
    shutil.rmtree(scenario.state_directory)
    scenario.program.run("state", "rebuild", scenario.job)
    # Nothing but backfills so far: the job still begins where its first run did.
    day.fill(minutes=60, records=40)
    assert scenario.archive().report["totals"]["records"] == 40
    live = day.live()
    for key in sorted(day.manifests("shardId-000000000000"))[-2:-1]:
        if "backfill" not in scenario.json_object(key):
            day.lose(key)
    scenario.backfill(*day.ask(day.start, day.now))
    shutil.rmtree(scenario.state_directory)
    scenario.program.run("state", "rebuild", scenario.job)
    assert scenario.archive().report["totals"]["records"] == 0
    day.fill(minutes=60, records=40)
    assert scenario.archive().report["totals"]["records"] == 40
    day.move_to(day.end)
    day.audit(live | day.live())


def test_a_backfill_needs_no_state_and_lets_a_rebuild_follow(scenario):
    day = Day(scenario, shards=1, hours_ago=6)
    day.fill(minutes=120, records=60)
    scenario.archive()
    day.move_to(day.end)
    day.lose(sorted(day.manifests("shardId-000000000000"))[-2])
    live = day.live()
    shutil.rmtree(scenario.state_directory)
    assert "one before it in the bucket" in scenario.program.run("state", "rebuild", scenario.job, expect=74).stderr
    scenario.backfill(*day.ask(day.start, day.end))
    scenario.program.run("state", "rebuild", scenario.job)
    assert scenario.archive().report["totals"]["records"] == 0
    assert day.audit(live).unproven == []


def test_an_orderly_stop_leaves_the_rest_for_the_next_backfill(scenario):
    day = holed(scenario)
    live = day.live()
    scenario.fault({"kind": "delay", "seconds": 0.5}, {"service": "s3", "operation": "PutObject"})
    process = scenario.start_backfill(*day.ask(day.start, day.end))
    scenario.wait_for(lambda: any("backfill" in scenario.json_object(k) for k in day.manifests("shardId-000000000000")),
                      what="the first batch")
    process.terminate()
    result = scenario.program.finish(process, expect=143)
    assert result.report["signal"] == 15 and result.report["more_waiting"]
    scenario.control.clear_faults()
    assert scenario.backfill(day.start, day.end).report["totals"]["records"] > 0
    assert day.audit(live).unproven == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_manifests_that_are_read():
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Bench"))
    import manifests
    from support.program import binary

    port = manifests.serve()
    _, few, _ = manifests.measure(binary(), port, 500)
    _, many, read = manifests.measure(binary(), port, 5_000)
    assert read >= 5_000 and many < few + 16, (few, many)


@pytest.mark.slow
def test_dying_at_each_failpoint_in_turn_loses_and_doubles_nothing(scenario):
    """Each run dies at the next point of its first or second batch, on one host and then on the other."""
    day = Day(scenario, shards=1, hours_ago=10, seal=3)
    day.fill(minutes=480, records=150)
    scenario.archive()
    day.move_to(day.end)
    for key in sorted(day.manifests("shardId-000000000000"))[1:-1]:
        day.lose(key)
    live, ask = day.live(), day.ask(day.start, day.end)
    jobs = [scenario.job, day.other_host("other")]
    for number, name in enumerate(FAILPOINTS):
        hit = 1 + number % 2
        result = scenario.backfill(*ask, job=jobs[number // 2 % 2], failpoint="%s:%d=kill" % (name, hit), expect=None)
        assert result.was_killed, str(result)
        covered_by_live_or_asked(day, live)
    # The other host finishes what this one has begun, and this one finds nothing left.
    assert scenario.backfill(*ask, job=jobs[1]).report["totals"]["records"] > 20
    day.audit(live, "finished by another host")
    assert scenario.backfill(*ask).report["totals"]["records"] == 0
    assert day.audit(live).unproven == []
    assert not os.listdir(spool(scenario))


def spool(scenario):
    root = os.path.join(scenario.state_directory, "backfill")
    epoch, = (name for name in os.listdir(root) if name.isdigit())
    return os.path.join(root, epoch, "spool")


def test_a_second_run_after_lost_answers_finds_nothing_to_do(scenario):
    """To ledgers, objects and manifests; the simulation loses the answer to each call."""
    day = holed(scenario)
    live, ask = day.live(), day.ask(day.start, day.end)
    for nth in (1, 3, 4, 6, 8):
        scenario.fault("lose_answer", {"service": "s3", "method": "PUT"}, nth=nth)
    assert scenario.backfill(*ask).report["totals"]["records"] > 50
    assert sum(rule["fired"] for rule in scenario.control.faults()) >= 3
    scenario.control.clear_faults()
    assert day.audit(live).unproven == []
    before = scenario.keys()
    assert scenario.backfill(*ask).report["totals"]["records"] == 0 and scenario.keys() == before


@pytest.mark.slow
@pytest.mark.parametrize("world", range(WORLDS))
def test_a_day_with_damage_and_many_backfills_at_once(scenario, world):
    """Random ranges from two hosts and a third one's leftovers, beside the running job, killed at any time.

    SLUICE_BACKFILL_WORLDS=N for more, SLUICE_SEED=S to repeat.
    """
    seed = SEED + world
    print("seed %d" % seed)
    rng = random.Random(seed)
    latest = rng.random() < 0.5
    day = Day(scenario, shards=rng.randrange(1, 4), hours_ago=20, seed=seed, seal=rng.choice([4, 15, 60]),
              source={"start": "latest" if latest else "trim_horizon"})
    for part in range(6):
        day.fill(minutes=rng.randrange(60, 150), records=rng.randrange(20, 80))
        if rng.random() < 0.6:
            rng.choice([day.split, day.merge if len(day.open_shards()) > 1 else day.split])()
        if rng.random() < 0.7:
            scenario.archive(failpoint=rng.choice([None, None, "object.after:2=kill"]), expect=None)
    scenario.archive()
    if rng.random() < 0.5:
        shutil.rmtree(scenario.state_directory)
        scenario.program.run("state", "rebuild", scenario.job)
    day.lose_some(share=0.6)
    live = day.live()
    jobs = [scenario.job, day.other_host("second"), day.other_host("third")]
    kills = 0
    for round_ in range(3):
        running = []
        for job in jobs:
            failpoint = rng.choice([None, None, "%s:%d=%s" % (
                rng.choice(FAILPOINTS), rng.randrange(1, 5), rng.choice(["kill", "error", "sleep:300"]))])
            running.append(scenario.start_backfill(*day.any_range(), job=job, failpoint=failpoint))
        day.fill(minutes=5, records=rng.randrange(0, 30))
        archiving = scenario.start_archive()
        for process in running:
            if rng.random() < 0.4:
                time.sleep(rng.uniform(0.1, 0.7))
                process.kill()
        for process in running:
            result = scenario.program.finish(process, expect=None)
            kills += result.was_killed
            assert result.was_killed or result.exit in (0, 75), str(result)
        scenario.program.finish(archiving)
        live |= day.live()
        covered_by_live_or_asked(day, live)
    scenario.archive()
    live |= day.live()
    for number, ask in enumerate(list(day.asked)):
        scenario.backfill(*ask, job=jobs[number % 3])
    day.audit(live, "seed %d" % seed)
    print("%d backfills, %d kills, %d records: 0 lost, 0 doubled, 0 outside" % (
        2 * len(day.asked), kills, len(scenario.oracle())))


def covered_by_live_or_asked(day, live):
    """In the middle of things: no record twice, none that nobody asked for. Claims and objects may be half done."""
    from support.auditor import Audit

    scenario = day.scenario
    audit = Audit(scenario.s3, scenario.bucket, scenario.oracle(), scenario.stream, holes=True, claims_allowed=True,
                  control_prefix=scenario.control_prefix, created_ms=scenario.created_ms)
    allowed = [p for p in audit.problems if "are in 0 batches" in p or "is in the bucket and in no manifest" in p]
    assert audit.problems == allowed, audit.problems
    records = {r["sequence"]: r for r in scenario.oracle()}
    for row in audit.rows:
        assert row["sequence_number"] in live or day.is_asked(records[row["sequence_number"]]), row
