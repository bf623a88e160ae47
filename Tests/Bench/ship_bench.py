"""What `sluice ship` costs: a whole file to a PutRecords stub in three forms of record and, for comparison, by a boto3
script; standing still; and how soon a line is acknowledged. Prints Markdown tables of medians; --json FILE keeps all
figures."""
import argparse
import json
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import corpus
from measure import HERE, SLUICE, cpu_seconds, measured, medians

JOB = """job: ship
name: bench
files: ["{files}"]
destination: {{stream: bench, region: us-east-1{destination}}}
linger: {linger}
state: {{directory: {state}}}
"""
READY_SECONDS = 60
LATENCY_LINES = 100


class Stub:
    def __init__(self, *arguments):
        self._process = subprocess.Popen([sys.executable, os.path.join(HERE, "put_stub.py"), *arguments],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f"http://127.0.0.1:{json.loads(self._process.stdout.readline())['port']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(30)

    def get(self, what):
        with urllib.request.urlopen(f"{self.url}/{what}", timeout=60) as answer:
            return json.load(answer)


class Bench:
    def __init__(self, work):
        self.work = work
        self._jobs = 0

    def environment(self, stub):
        return {"PATH": os.environ["PATH"], "HOME": self.work, "AWS_ENDPOINT_URL": stub.url, "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench"}

    def job(self, files, linger="1s", destination=""):
        """A job file with a state of its own."""
        self._jobs += 1
        path = os.path.join(self.work, f"job{self._jobs}.yaml")
        with open(path, "w") as file:
            file.write(JOB.format(files=files, linger=linger, destination=destination,
                                  state=os.path.join(self.work, f"state{self._jobs}")))
        return path

    def make_log(self, size):
        """The corpus as a file, in the page cache; its number of lines."""
        self.log, count = os.path.join(self.work, "drupal.log"), 0
        with open(self.log, "wb") as file:
            for line in corpus.lines(size):
                file.write(line + b"\n")
                count += 1
        with open(self.log, "rb") as file:
            while file.read(1 << 20):
                pass
        return count

    # The whole file.

    def once(self, aggregate, lines):
        """One run of `sluice ship --once`."""
        with Stub() as stub:
            job = self.job(self.log, destination=f", aggregate: {aggregate}")
            out = os.path.join(self.work, "report.json")
            with open(out, "w") as file:
                result = measured([SLUICE, "ship", job, "--once", "--json"], self.environment(stub), file)
            with open(out) as file:
                report = json.load(file)
            counts = stub.get("counts")
        if report.get("lines", report["records"]) != lines or counts["records"] != report["records"]:
            sys.exit(f"{lines} lines, {counts['records']} records came, and the report says {report}")
        return dict(result, requests=counts["requests"], records=counts["records"], stub_cpu_s=counts["cpu_s"])

    def boto3(self, lines):
        with Stub() as stub:
            result = measured([sys.executable, os.path.join(HERE, "boto3_ship.py"), stub.url, self.log,
                               os.path.join(self.work, "boto3.json")], self.environment(stub))
            counts = stub.get("counts")
        if counts["records"] != lines:
            sys.exit(f"{lines} lines, {counts['records']} records came")
        return dict(result, requests=counts["requests"], records=counts["records"], stub_cpu_s=counts["cpu_s"])

    # Following.

    def follow(self, stub, job):
        """A following shipper that has looked at its files."""
        address = os.path.join(self.work, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(address)
            ready.settimeout(READY_SECONDS)
            process = subprocess.Popen([SLUICE, "ship", job], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env=dict(self.environment(stub), NOTIFY_SOCKET=address))
            while b"READY=1" not in ready.recv(65_536):
                pass
        os.unlink(address)
        return process

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 0:
            sys.exit(f"the following shipper ended with {process.returncode}")

    def idle(self, count, seconds):
        """CPU seconds of standing still with so many files."""
        folder = os.path.join(self.work, f"idle{count}")
        os.mkdir(folder)
        for number in range(count):
            with open(os.path.join(folder, f"site{number:04d}.log"), "wb") as file:
                file.write(b"Nov 22 22:16:10 web1 drupal: the only line of file %04d\n" % number)
        with Stub() as stub:
            process = self.follow(stub, self.job(folder + "/*.log"))
            end = time.monotonic() + READY_SECONDS
            while stub.get("counts")["records"] < count and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(2)       # until the positions are saved
            before = cpu_seconds(process.pid)
            time.sleep(seconds)
            used = cpu_seconds(process.pid) - before
            self.end(process)
        return {"files": count, "seconds": seconds, "cpu_s": used}

    def latency(self):
        """Seconds from a written line to its acknowledgement, of a hundred lines one by one."""
        path = os.path.join(self.work, "latency.log")
        chance = random.Random(7)
        with Stub("--stamps") as stub, open(path, "ab", buffering=0) as log:
            log.write(b"Nov 22 22:16:10 web1 drupal: first\n")
            process = self.follow(stub, self.job(path, linger="100ms"))
            for _ in range(LATENCY_LINES):
                time.sleep(chance.uniform(0.15, 0.35))
                log.write(b"Nov 22 22:16:10 web1 drupal: t=%d. written\n" % time.monotonic_ns())
            end = time.monotonic() + 20
            while len(stub.get("waits")) < LATENCY_LINES and time.monotonic() < end:
                time.sleep(0.1)
            self.end(process)
            waits = stub.get("waits")
        if len(waits) != LATENCY_LINES:
            sys.exit(f"{len(waits)} of {LATENCY_LINES} lines came")
        return waits


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=200_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--no-boto3", action="store_true")
    parser.add_argument("--only", choices=("once", "idle", "latency"), action="append", help="measure only this")
    parser.add_argument("--json")
    options = parser.parse_args()
    wanted = options.only or ["once", "idle", "latency"]
    figures = {"options": vars(options), "results": {}}
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(work)
        if "once" in wanted:
            lines = figures["lines"] = bench.make_log(options.bytes)
            for _ in range(options.runs):
                for aggregate in ("none", "lines", "kpl"):
                    figures["results"].setdefault(f"sluice ship, aggregate {aggregate}", []).append(
                        bench.once(aggregate, lines))
            if not options.no_boto3:
                figures["results"]["boto3 script"] = [bench.boto3(lines)]
            os.unlink(bench.log)
            print_runs(options, lines, figures["results"])
        if "idle" in wanted:
            figures["idle"] = [bench.idle(count, options.idle_seconds) for count in (1, 1_000)]
            print(f"\n| standing still for {options.idle_seconds:.0f} s | CPU s |\n|---|---|")
            for row in figures["idle"]:
                print(f"| {row['files']:,} file{'s' if row['files'] > 1 else ''} | {row['cpu_s']:.2f} |")
        if "latency" in wanted:
            waits = figures["latency_s"] = sorted(bench.latency())
            print(f"\nFrom a written line to its acknowledgement at `linger: 100ms`, {len(waits)} lines: median "
                  f"{statistics.median(waits) * 1000:.0f} ms, 95 % within {waits[94] * 1000:.0f} ms, at most "
                  f"{waits[-1] * 1000:.0f} ms.")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


def print_runs(options, lines, results):
    print(f"{options.bytes / 1e6:.0f} MB of log, {lines} lines; {platform.machine()}, {os.cpu_count()} cores\n")
    print("| process | runs | CPU s (median) | wall s | peak MB | MB of log per CPU s | Kinesis records | requests |")
    print("|---|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        cpu, wall, peak = medians(runs)
        print(f"| {name} | {len(runs)} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {options.bytes / 1e6 / cpu:.0f} | "
              f"{runs[0]['records']:,} | {runs[0]['requests']:,} |")
    busiest = max(run["stub_cpu_s"] / run["wall_s"] for runs in results.values() for run in runs)
    print(f"\nThe stub was busy for at most {busiest * 100:.0f} % of a run.")


if __name__ == "__main__":
    main()
