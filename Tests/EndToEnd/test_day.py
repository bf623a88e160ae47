"""A day in the life of a job: timers every five simulated minutes, producers with their own rhythm, shards that split and
merge, endpoints that fail, a host that stands still, runs that are killed. After every step `status` and the metrics must
agree with what the emulator and the manifests say; at the end nothing is missing and `verify` is clean.

`make day` goes through 24 hours; the suite through six in which everything happens too. SLUICE_SEED=S repeats a day.
"""

import json
import os
import random
import signal
import time

import pytest

from support.auditor import instant_ms
from support.metrics import Metrics
from support.truth import Truth

STEP = 300
WHOLE = os.environ.get("SLUICE_DAY") == "24"
STEPS = (24 if WHOLE else 6) * 3600 // STEP
RETENTION_HOURS = 6 if WHOLE else 2
WARNING, CRITICAL = 0.5, 0.8
SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(1 << 32))
FAILPOINTS = ["claim.after", "spool-sync.after", "intent.after", "object.before", "object.after", "manifest.before",
              "manifest.after", "commit.before", "commit.after", "spool-remove.after", "horizon.before", "shard-end.after"]
# Runs that certainly die: these points are passed by every run that has something to store.
CERTAIN_KILLS = {STEPS // 24: "claim.after:1=kill", STEPS // 2 + 2: "manifest.after:1=kill"}
# What the job does when nothing is wrong is not slow: one try each, so that an outage costs no real time.
ENVIRONMENT = {"AWS_MAX_ATTEMPTS": "1"}


class Day:
    def __init__(self, scenario, rng):
        self.scenario, self.rng, self.truth = scenario, rng, Truth(scenario)
        self.prom = os.path.join(scenario.directory, "sluice.prom")
        self.produced = 0
        self.since = self.now()
        self.calm_from = 0
        self.seen = {"levels": set(), "exits": {}, "offline": 0, "kills": 0, "recorded kills": 0, "reshards": 0}

    def now(self):
        return self.scenario.control.clock()["now"]

    # The world.

    def plan(self):
        """Steps of the day at which things go wrong: (what, from, to)."""
        rng = self.rng
        if not WHOLE:
            # Behind once and critical once, with three steps to go before a record expires unread.
            return [("kinesis", 6, 6 + rng.randrange(1, 3)), ("s3", 10, 10 + rng.randrange(1, 3)), ("host", 14, 28),
                    ("kinesis", 33, 35), ("s3", 42, 63), ("both", 67, 68)]
        return [(what, int(12 * start), int(12 * (start + rng.uniform(least, most)))) for what, start, least, most in [
            ("kinesis", 2, 0.3, 1), ("s3", 5, 0.3, 1), ("host", 8, 3.3, 4), ("kinesis", 13, 0.3, 1),
            ("s3", 15, 5.2, 5.5), ("both", 22, 0.3, 0.4)]]

    def produce(self, least):
        """Records that arrived since the last step, each at its own instant; at least so many."""
        rng, since, now = self.rng, self.since, self.now()
        hour = (now / 3600) % 24
        busy = 12 if 7 <= hour <= 19 else 4
        count = max(least, rng.choice([0, rng.randrange(busy), rng.randrange(3 * busy)]))
        arrivals = sorted(rng.uniform(since, now) for _ in range(count))
        records = []
        for arrival in arrivals:
            text = "%s host%d app[7]: line %06d" % (
                time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(arrival)), self.produced % 3, self.produced)
            if rng.random() < 0.05:
                text = "no header here %d" % self.produced
            records.append({"text": text, "partition_key": "host/file/0/%d" % self.produced,
                            "arrival_ms": int(arrival * 1000)})
            self.produced += 1
        if records:
            self.scenario.control.load(self.scenario.stream, records)

    def reshard(self):
        kinesis, stream = self.scenario.kinesis, self.scenario.stream
        shards = [s for s in kinesis.list_shards(StreamName=stream)["Shards"]
                  if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
        shards.sort(key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))
        self.seen["reshards"] += 1
        if len(shards) < 4 and self.rng.random() < 0.7:
            shard = self.rng.choice(shards)
            low, high = (int(shard["HashKeyRange"][k]) for k in ("StartingHashKey", "EndingHashKey"))
            kinesis.split_shard(StreamName=stream, ShardToSplit=shard["ShardId"],
                                NewStartingHashKey=str((low + high) // 2))
        elif len(shards) > 1:
            index = self.rng.randrange(len(shards) - 1)
            kinesis.merge_shards(StreamName=stream, ShardToMerge=shards[index]["ShardId"],
                                 AdjacentShardToMerge=shards[index + 1]["ShardId"])

    def fail(self, what):
        self.scenario.control.clear_faults()
        for service in {"both": ("kinesis", "s3")}.get(what, (what,)):
            if service in ("kinesis", "s3"):
                self.scenario.fault({"kind": "error", "status": 503, "code": "ServiceUnavailable", "message": "down"},
                                    {"service": service})

    # The job.

    def run(self, number):
        """One firing of the timer. Gives the exit status; None for a run that was killed."""
        # After an outage records are close to expiring: then runs are let alone.
        chance = self.rng.random() if number >= self.calm_from else 1
        options = {"environment": ENVIRONMENT}
        if number in CERTAIN_KILLS:
            options["failpoint"], chance = CERTAIN_KILLS[number], 1
        elif chance < 0.06:
            options["failpoint"] = "%s:%d=kill" % (self.rng.choice(FAILPOINTS), self.rng.choice([1, 1, 2]))
        process = self.scenario.start_archive(**options)
        if 0.06 <= chance < 0.10:
            time.sleep(self.rng.uniform(0.01, 0.25))
            process.send_signal(self.rng.choice([signal.SIGKILL, signal.SIGTERM]))
        result = self.scenario.program.finish(process, expect=None)
        # A signal that comes before the handlers are there ends the program as a kill does.
        code = None if process.returncode < 0 else result.exit
        self.seen["kills"] += code is None
        self.seen["exits"][code] = self.seen["exits"].get(code, 0) + 1
        assert code in (None, 0, 75, 143), str(result)
        return code, result

    # The comparison.

    def check(self, down, code, ran):
        result = self.scenario.program.run("status", self.scenario.job, "--json", expect=None, environment=ENVIRONMENT)
        report, truth = result.report, self.truth.look()
        now = self.now()
        if down in ("kinesis", "both"):
            self.seen["offline"] += 1
            assert not report["online"] and result.exit == 75, str(result)
        else:
            assert report["online"], str(result)
        open_batches = {(b["shard"], b["first"]) for b in report["open_intents"]}
        # The state counts what it has committed; a batch whose plan is still open may have its manifest already.
        assert report["totals"]["records"] == truth.committed(without=open_batches), str(result)
        assert report["totals"]["rows_by_status"] == truth.rows_by_status(open_batches)
        self.check_run(report, code, ran)
        worst = 0.0
        for shard in report["shards"]:
            worst = max(worst, self.check_shard(shard, report, open_batches, now) or 0.0)
        if report["online"]:
            level = "critical" if worst >= CRITICAL else "warning" if worst >= WARNING else "ok"
            near = min(abs(worst - WARNING), abs(worst - CRITICAL)) < 0.001
            assert report["level"] == level or near, (worst, str(result))
            assert result.exit == (0 if report["level"] == "ok" else 75), str(result)
            self.seen["levels"].add(report["level"])
            listed = {s["ShardId"] for s in self.scenario.kinesis.list_shards(StreamName=self.scenario.stream)["Shards"]}
            assert listed <= {s["shard"] for s in report["shards"]}
        return open_batches

    def check_run(self, report, code, ran):
        last = report["last_run"]
        if ran is None:
            return
        started, ended = ran
        if code is None and instant_ms(last["started"]) < started - 1:
            return  # it was killed before it could say that it began
        if code is None and "ended" in last:
            return  # it had written its end when the signal came
        self.seen["recorded kills"] += code is None
        assert started - 1 <= instant_ms(last["started"]) and instant_ms(last["started"]) <= ended + 1
        assert last.get("exit_code") == code and ("ended" in last) == (code is not None), last
        if code == 0:
            assert report["last_success"] == last["ended"]

    def check_shard(self, shard, report, open_batches, now):
        """The share of the retention that the shard has used up, by the truth; None when nothing waits."""
        truth, name = self.truth, shard["shard"]
        waiting = truth.waiting_since(name, open_batches)
        arrival = truth.last_arrival(name, open_batches)
        assert shard.get("last_arrival") is None and arrival is None or instant_ms(shard["last_arrival"]) == arrival
        if shard["condition"] == "ended":
            assert waiting is None and shard["level"] == "ok"
            return None
        assert shard["checkpoint"] == (
            "after:%d" % truth.last(name, open_batches) if arrival is not None else "trim_horizon")
        # Whatever is told as archived is archived: no record older than the horizon is missing.
        oldest = truth.waiting_since(name)
        if "horizon" in shard and oldest is not None:
            assert instant_ms(shard["horizon"]) <= oldest, (shard, oldest)
        if not report["online"]:
            return None
        if waiting is None:
            assert "waiting_since" not in shard and shard["lag_seconds"] == 0, json.dumps(shard)
            return None
        assert instant_ms(shard["waiting_since"]) == waiting, (json.dumps(shard), waiting)
        assert abs(shard["lag_seconds"] - (now - waiting / 1000)) < 1.1, (shard, now)  # the Date header has whole seconds
        return shard["lag_seconds"] / (RETENTION_HOURS * 3600)

    def check_metrics(self, code, started, seconds, open_batches):
        """After a run that ended: the file says what the state counted then."""
        metrics = Metrics(self.prom)
        assert metrics.sum("sluice_archive_records_total") == self.truth.committed(without=open_batches)
        for status in ("ok", "unparsed"):
            assert metrics.sum("sluice_archive_rows_total", status=status) \
                == self.truth.rows_by_status(open_batches).get(status, 0)
        assert metrics.sum("sluice_archive_open_intents") == len(open_batches)
        assert metrics.one("sluice_run_exit_code") == code
        lags = metrics.by_shard("sluice_archive_lag_seconds")
        for shard, horizon in metrics.by_shard("sluice_archive_horizon_timestamp_seconds").items():
            oldest = self.truth.waiting_since(shard)
            assert oldest is None or horizon * 1000 <= oldest + 1, (shard, horizon, oldest)
            if code == 0:
                # Caught up with the start of the run, by the stream's clock; its own time passed meanwhile.
                assert horizon >= started - 2 and lags[shard] <= seconds + 4, (shard, horizon, started, lags)
        for shard, used in metrics.by_shard("sluice_archive_retention_used_ratio").items():
            assert abs(used - lags[shard] / (RETENTION_HOURS * 3600)) < 1e-6

    def step(self, number, down):
        self.scenario.control.clock(advance=STEP)
        self.produce(least=0 if down is None and number not in CERTAIN_KILLS else 1)
        if down:
            self.calm_from = number + 3
        if number in self.reshards:
            self.reshard()
        if down == "host":
            self.check(down, None, None)
        else:
            started, before = self.now(), int(time.time() * 1000)
            code, result = self.run(number)
            assert code in (None, 75, 143) or down is None, str(result)
            after = int(time.time() * 1000)
            open_batches = self.check(down, code, (before, after))
            if code is not None:
                self.check_metrics(code, started, (after - before) / 1000, open_batches)
        # What arrives next arrives after what was read.
        self.since = self.now()


@pytest.mark.slow
def test_a_day_in_the_life(scenario):
    print("seed %d" % SEED)
    rng = random.Random(SEED)
    # The stream's time goes on only between steps, however long this machine takes for one.
    scenario.control.check_skew(False)
    scenario.control.clock(freeze=True)
    scenario.set_up(shards=2, retention_hours=RETENTION_HOURS)
    scenario.write_job(limits={"run_time": "60s"},
                       metrics={"textfile": os.path.join(scenario.directory, "sluice.prom")})
    day = Day(scenario, rng)
    day.reshards = set(rng.sample(range(3, STEPS - 12), 8))
    plan = day.plan()
    down = None
    for number in range(STEPS):
        wanted = next((what for what, start, end in plan if start <= number < end), None)
        if wanted != down:
            day.fail(wanted)
            down = wanted
        try:
            day.step(number, down)
        except AssertionError:
            print("seed %d, step %d, down: %s" % (SEED, number, down))
            raise
    day.fail(None)
    scenario.control.clock(advance=STEP)
    scenario.archive()
    scenario.archive()
    print("%d records, %d manifests, %s" % (day.produced, len(day.truth.look()._manifests), day.seen))
    assert {"ok", "warning", "critical"} <= day.seen["levels"] and day.seen["offline"] >= 3
    assert day.seen["kills"] >= len(CERTAIN_KILLS) and day.seen["reshards"] == 8
    scenario.audit("seed %d" % SEED)
    report = scenario.program.run("verify", scenario.job, "--read-data", "--json").report
    assert report["findings"] == [] and report["records"] == day.produced and report["complete"]
    status = scenario.program.run("status", scenario.job, "--json").report
    assert status["totals"]["records"] == day.produced and status["level"] == "ok"
    metrics = Metrics(day.prom).check()
    assert metrics.sum("sluice_archive_records_total") == day.produced
    assert metrics.one("sluice_runs_total", exit_code="killed") == day.seen["recorded kills"]
