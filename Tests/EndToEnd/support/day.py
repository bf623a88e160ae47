"""A simulated day: a stream filled by a clock that the test turns, with splits and merges, archived now and then."""

import os
import random

from .scenario import Scenario

HOUR_MS = 3_600_000


class Day:
    """Begins `hours_ago` before the present and ends with it; `now` is the emulator's time. All times are milliseconds."""

    def __init__(self, scenario: Scenario, shards=2, hours_ago=20, seed=0, seal=15, **job):
        self.scenario = scenario
        self.random = random.Random(seed)
        self.control = scenario.control
        self.control.check_skew(False)
        self.control.clock(offset=0, freeze=True)
        self.end = int(self.control.clock()["now"] * 1000)
        self.start = self.end - hours_ago * HOUR_MS
        self.move_to(self.start)
        self.job = dict({"seal": {"records": seal}}, **job)
        scenario.set_up(shards=shards, created_ms=self.start, settings={"page_records": 40}, retention_hours=24,
                        **self.job)
        self.count = 0
        self.asked = []

    @property
    def now(self):
        return int(self.control.clock()["now"] * 1000)

    def move_to(self, ms):
        """The clock stands still unless it is moved."""
        self.control.clock(advance=(ms - self.now) / 1000)

    def fill(self, minutes, records):
        """So many records, spread over the next minutes."""
        start, step = self.now, minutes * 60_000 // (records + 1)
        self.move_to(start + (records + 1) * step)
        lines = self.scenario.lines(records, start=self.count)
        self.scenario.load(lines, arrivals=[start + (n + 1) * step for n in range(records)])
        self.count += records

    def open_shards(self):
        shards = self.scenario.kinesis.list_shards(StreamName=self.scenario.stream)["Shards"]
        return sorted((s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]),
                      key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))

    def split(self):
        shard = max(self.open_shards(), key=lambda s: int(s["HashKeyRange"]["EndingHashKey"])
                    - int(s["HashKeyRange"]["StartingHashKey"]))
        low, high = (int(shard["HashKeyRange"][name]) for name in ("StartingHashKey", "EndingHashKey"))
        self.move_to(self.now + 30_000)
        self.scenario.kinesis.split_shard(StreamName=self.scenario.stream, ShardToSplit=shard["ShardId"],
                                          NewStartingHashKey=str((low + high) // 2))
        self.move_to(self.now + 30_000)

    def merge(self):
        first, second = self.open_shards()[:2]
        self.move_to(self.now + 30_000)
        self.scenario.kinesis.merge_shards(StreamName=self.scenario.stream, ShardToMerge=first["ShardId"],
                                           AdjacentShardToMerge=second["ShardId"])
        self.move_to(self.now + 30_000)

    # Damage.

    def manifests(self, shard=None):
        """Keys of manifests, by shard."""
        found = {}
        for key in self.scenario.keys(self.scenario.control_prefix + "commits/"):
            found.setdefault(key.split("/")[-2], []).append(key)
        return found if shard is None else found[shard]

    def lose(self, key, objects=True):
        if objects:
            for entry in self.scenario.json_object(key)["objects"]:
                self.scenario.s3.delete_object(Bucket=self.scenario.bucket, Key=entry["key"])
        self.scenario.s3.delete_object(Bucket=self.scenario.bucket, Key=key)

    def lose_some(self, share=0.4, objects=True):
        """Manifests go, but never the last of a shard, which tells how far the job has come. How many went."""
        lost = 0
        for keys in self.manifests().values():
            for key in sorted(keys)[:-1]:
                if self.random.random() < share:
                    self.lose(key, objects)
                    lost += 1
        return lost

    # Backfills.

    def other_host(self, name, **changes):
        """The job file as it lies on another host: the same job, with a state directory of its own."""
        from . import jobs

        sections = dict(self.job, state={"directory": os.path.join(self.scenario.directory, name, "state")}, **changes)
        os.makedirs(os.path.join(self.scenario.directory, name), exist_ok=True)
        return jobs.archive(self.scenario.directory, self.scenario.stream, self.scenario.bucket,
                            file_name=os.path.join(name, "job.yaml"), **sections)

    def any_range(self):
        """A random range of the day, to the minute; it is noted as asked for."""
        minutes = (self.now - self.start) // 60_000
        start = self.random.randrange(minutes)
        end = self.random.randrange(start + 1, minutes + 1)
        chosen = (self.start + start * 60_000, self.start + end * 60_000)
        self.asked.append(chosen)
        return chosen

    def ask(self, start, end):
        self.asked.append((start, end))
        return start, end

    def is_asked(self, record):
        return any(start <= record["arrival_ms"] < end for start, end in self.asked)

    def audit(self, live=None, context="", **options):
        """Every record that the job archived, and every one that was asked for, once; nothing else.

        live: sequence numbers of what live runs have archived and nothing has destroyed.
        """
        live = self.live() if live is None else live
        return self.scenario.audit(context, holes=True, expected=lambda r: r["sequence"] in live or self.is_asked(r),
                                   **options)

    def live(self):
        """Sequence numbers of the records that manifests of the job itself cover now."""
        records, found = {}, set()
        for record in self.scenario.oracle():
            records.setdefault(record["shard"], []).append(record["sequence"])
        for shard, keys in self.manifests().items():
            for key in keys:
                manifest = self.scenario.json_object(key)
                if "backfill" not in manifest:
                    found |= {s for s in records[shard]
                              if int(manifest["first"]) <= int(s) <= int(manifest["last"])}
        return found
