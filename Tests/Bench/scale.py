"""How a fleet grows: requests, PUTs, state writes, CPU, hosts and prices for 4 to 10,000 shards, by formula and by a small
discrete simulation of the timer's runs; prints both as a Markdown table, and ends with 1 where they differ by more than
10 %. Nothing is measured here but the arithmetic: what a CPU second archives comes from bench.py (--mb-per-cpu-second).

Limits: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html. Prices are list prices of us-east-1,
from https://aws.amazon.com/kinesis/data-streams/pricing/ and https://aws.amazon.com/s3/pricing/; look there for yours.
"""
import argparse
import heapq
import math
import random
import sys

MB = 1_000_000
PAGE_BYTES = 10 << 20
PAGE_RECORDS = 10_000
SHARD_READ = 2 * MB                # bytes a second that a shard gives all its readers together
SHARD_WRITE = 1 * MB               # and takes
SHARD_HOUR, PUT_UNITS_MILLION = 0.015, 0.014
PUT_UNIT_BYTES = 25 * 1024
S3_PUT_THOUSAND, S3_GET_THOUSAND, S3_GB_MONTH = 0.005, 0.0004, 0.023
# Of a batch: intent and commit. How far a shard is archived is written for many shards together.
STATE_WRITES_BATCH = 2
HORIZONS_TOGETHER = 200
# Of an object, compressed: `seal.bytes` by default.
OBJECT_BYTES = 64 << 20
WARM_UP = 3
SHARDS = (4, 100, 1_000, 10_000)


class Fleet:
    def __init__(self, options, shards):
        self.o, self.shards = options, shards
        self.rate = options.shard_mb * MB                      # bytes of log a second on a shard
        self.interval = options.interval
        self.cores = options.cores * options.hosts_for(shards)
        self.workers = min(shards, options.parallel * options.hosts_for(shards))

    # What one shard costs in one run that finds `size` bytes.

    def pages(self, size):
        """GetRecords calls: full pages, and one that finds the end."""
        return max(math.ceil(size / PAGE_BYTES), math.ceil(size / self.o.record_bytes / PAGE_RECORDS)) + 1

    def batches(self, size):
        """Of one object each, in one partition; the last one is cut where the run ends."""
        return math.ceil(size * self.o.ratio / OBJECT_BYTES)

    def seconds(self, size):
        """Of a worker, which waits for a shard that gives no more than it may."""
        # More shards under way than cores share them.
        cpu = size / (self.o.mb_per_cpu_second * MB) * max(1, self.workers / self.cores)
        return max(cpu, size / SHARD_READ) + self.pages(size) * self.o.latency

    def formula(self):
        """A second's worth of everything, if each shard brings the same at each run."""
        size = self.rate * self.interval
        runs = self.shards / self.interval
        # Where sizes vary, the last batch of a run is half full.
        batches = max(1, size * self.o.ratio / OBJECT_BYTES + 0.5)
        return {"GetRecords/s": runs * self.pages(size), "PUT/s": runs * batches * 2,
                "state writes/s": runs * batches * STATE_WRITES_BATCH,
                "CPU cores": self.shards * self.rate / (self.o.mb_per_cpu_second * MB)}

    def simulated(self, rounds, seed):
        """The same from runs one after the other, each shard with a rate of its own that changes from run to run."""
        rng = random.Random(seed)
        last = [0.0] * self.shards
        calls = puts = writes = 0
        cpu = now = begun = 0.0
        lags, busiest = [], 0
        for round in range(-WARM_UP, rounds):
            if round == 0:
                calls = puts = writes = 0
                cpu, begun, lags, busiest = 0.0, now, [], 0
            free = [now] * self.workers                         # when each worker is free
            heapq.heapify(free)
            second = {}
            for shard in range(self.shards):
                begin = heapq.heappop(free)
                size = min(SHARD_WRITE, self.rate * rng.lognormvariate(-0.02, 0.2)) * (begin - last[shard])
                last[shard] = begin
                end = begin + self.seconds(size)
                heapq.heappush(free, end)
                lags.append(end - begin + self.interval)
                stored = self.batches(size) * 2                 # object and manifest
                calls, puts, cpu = calls + self.pages(size), puts + stored, cpu + size / (self.o.mb_per_cpu_second * MB)
                writes += self.batches(size) * STATE_WRITES_BATCH + 1 / HORIZONS_TOGETHER
                second[int(end)] = second.get(int(end), 0) + stored
            busiest = max(busiest, max(second.values()))
            now = max(now + self.interval, max(free))           # a run never overlaps the one before
        time = now - begun
        return {"GetRecords/s": calls / time, "PUT/s": puts / time, "state writes/s": writes / time, "CPU cores": cpu / time,
                "busiest second, PUTs": busiest, "lag s, 99 %": sorted(lags)[int(len(lags) * 0.99)]}

    def dollars_per_tb(self):
        """Of log: the stream, requests, a month of storage."""
        seconds = 1e12 / (self.shards * self.rate)
        units = 1e12 / self.o.record_bytes * math.ceil(self.o.record_bytes / PUT_UNIT_BYTES)
        stream = self.shards * seconds / 3_600 * SHARD_HOUR + units / 1e6 * PUT_UNITS_MILLION
        requests = self.formula()["PUT/s"] * seconds / 1_000 * S3_PUT_THOUSAND
        return stream, requests, 1_000 * self.o.ratio * S3_GB_MONTH


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb-per-cpu-second", type=float, default=14, help="of log that a CPU second archives")
    parser.add_argument("--shard-mb", type=float, default=0.8, help="MB of log a second on each shard")
    parser.add_argument("--record-bytes", type=int, default=48 * 1024, help="of a Kinesis record; `ship` packs lines into it")
    parser.add_argument("--ratio", type=float, default=0.38, help="bytes of objects for a byte of log")
    parser.add_argument("--interval", type=float, default=300, help="seconds between runs")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds of a call")
    parser.add_argument("--cores", type=int, default=64, help="of a host")
    parser.add_argument("--parallel", type=int, default=256, help="limits.parallel_shards of a host's job; 256 is the most")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    # Half of a host's cores is left to catch up with. A shard that brings half of what it gives its readers keeps its worker
    # busy for half of the time between runs: a second wave of shards would end after the next run should have begun, and
    # each run would find more than the one before.
    busiest = min(SHARD_WRITE, 2 * options.shard_mb * MB)
    waves = max(1, int(0.8 * SHARD_READ / busiest))
    options.hosts_for = lambda shards: max(
        1, math.ceil(shards * options.shard_mb / options.mb_per_cpu_second / (options.cores / 2)),
        math.ceil(shards / (options.parallel * waves)))
    wrong = []
    names = ["GetRecords/s", "PUT/s", "state writes/s", "CPU cores"]
    print(f"| shards | GB/s of log | hosts | {' | '.join(names)} | PUTs in the busiest second | lag, 99 % | $ per TB: stream, "
          "PUTs, month in S3 |\n|" + "---|" * (len(names) + 6))
    for shards in SHARDS:
        fleet = Fleet(options, shards)
        formula, seen = fleet.formula(), fleet.simulated(options.rounds, options.seed)
        cells = [f"{formula[name]:,.1f} ({seen[name]:,.1f})" for name in names]
        wrong += [f"{name} of {shards} shards" for name in names if abs(seen[name] / formula[name] - 1) > 0.1]
        dollars = ", ".join(f"{d:.2f}" for d in fleet.dollars_per_tb())
        print(f"| {shards:,} | {shards * options.shard_mb / 1000:,.3g} | {options.hosts_for(shards)} | {' | '.join(cells)} | "
              f"{seen['busiest second, PUTs']:,} | {seen['lag s, 99 %']:.0f} s | {dollars} |")
    print("\nIn brackets: simulated, with rates that vary by a fifth from shard to shard and from run to run.")
    if wrong:
        sys.exit("formula and simulation differ: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
