"""What a plan over many manifests costs: a stub S3 with an unbroken chain of N manifests, and `sluice backfill --dry-run`
over all of it. Prints CPU seconds and peak memory for some N.

    .venv/bin/python Tests/Bench/manifests.py [--sluice .build/release/sluice] [N…]
"""
import argparse
import asyncio
import bisect
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

EPOCH = 1_780_000_000
CONTROL = "_sluice/bench/"
SHARD = "shardId-000000000000"
PAGE = 1_000


def instant(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def key(number):
    return "%scommits/%d000/%s/%s.json" % (CONTROL, EPOCH, SHARD, str(first(number)).zfill(64))


def first(number):
    return 49_650_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000 + number * 1_000_003


def manifest(number):
    """One batch of a minute: four objects, as a job that runs often makes them."""
    name = "bench-%s-%s.ndjson.gz" % (SHARD, str(first(number)).zfill(64))
    begin, end = EPOCH + 60 * number, EPOCH + 60 * number + 59
    objects = []
    for site in range(4):
        partition = "drupal/site=site%d/dt=2026-11-22/hour=22/" % site
        objects.append({
            "bytes": 123_456, "first_event": instant(begin), "key": partition + name, "last_event": instant(end),
            "partition": partition, "rows": 5_000, "rows_bytes": 1_234_567, "rows_sha256": "ab" * 32, "sha256": "cd" * 32})
    body = {
        "created_by": "sluice 0.1.0", "first": str(first(number)), "first_arrival": instant(begin),
        "first_event": instant(begin), "format_version": 1, "horizon": instant(end), "job": "bench",
        "last": str(first(number + 1) - 1), "last_arrival": instant(end), "last_event": instant(end), "objects": objects,
        "parents": [], "record_bytes": 4_000_000, "records": 20_000, "rows": 20_000, "rows_by_status": {"ok": 20_000},
        "settings": {"chunk_bytes": 131072, "gzip_engine": "zlib 1.2.13", "gzip_level": 6, "partition_time": "arrival",
                     "prefix": "drupal/site={site}/dt={date}/hour={hour}/", "transform": {"format": "auto"}},
        "shard": SHARD, "stream": "bench", "stream_creation": instant(EPOCH)}
    if number:
        body["previous"] = key(number - 1)
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class Server(asyncio.Protocol):
    """Answers the handful of calls that a plan makes. It checks nothing."""

    objects, keys = {}, []

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            action = re.search(rb"(?i)x-amz-target: Kinesis_\d+\.(\w+)", head)
            if action:
                self.send(200, self.kinesis(action[1].decode()))
            else:
                self.s3(urllib.parse.urlsplit(target))

    def send(self, status, body):
        self.transport.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nETag: \"e\"\r\n\r\n" % (status, len(body)) + body)

    def kinesis(self, action):
        if action == "DescribeStreamSummary":
            return json.dumps({"StreamDescriptionSummary": {
                "StreamName": "bench", "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/bench",
                "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": EPOCH,
                "OpenShardCount": 1}}).encode()
        if action == "ListShards":
            return json.dumps({"Shards": [{"ShardId": SHARD, "SequenceNumberRange": {"StartingSequenceNumber": "1"},
                                           "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"}}]}).encode()
        return b"{}"

    def s3(self, target):
        name = urllib.parse.unquote(target.path).partition("/bench/")[2]
        if name:
            body = self.objects.get(name)
            return self.send(200, body) if body else self.send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        query = urllib.parse.parse_qs(target.query)
        start = bisect.bisect_right(self.keys, query.get("start-after", [query["prefix"][0]])[0])
        page = self.keys[start:start + PAGE]
        more = start + PAGE < len(self.keys)
        self.send(200, ("<ListBucketResult><IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>" % (
            str(more).lower(), "<NextContinuationToken>t</NextContinuationToken>" if more else "",
            "".join("<Contents><Key>%s</Key><LastModified>2026-11-22T22:16:10.000Z</LastModified><Size>2000</Size>"
                    "<ETag>&quot;e&quot;</ETag><StorageClass>STANDARD</StorageClass></Contents>" % k
                    for k in page))).encode())


def serve():
    """Starts the stub in a thread; its port."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    box = []

    async def start():
        server = await loop.create_server(Server, "127.0.0.1", 0)
        box.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run():
        loop.create_task(start())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    ready.wait()
    return box[0]


def fill(count):
    Server.objects = {key(n): manifest(n) for n in range(count)}
    Server.keys = sorted(Server.objects)
    Server.objects[CONTROL + "owner.json"] = json.dumps({
        "format_version": 1, "job": "bench", "stream": "bench",
        "stream_arn": "arn:aws:kinesis:us-east-1:123456789012:stream/bench", "stream_creation": instant(EPOCH),
        "state_id": "s", "generation": 1, "claim_id": "c", "start": {"positions": {}}}).encode()


def measure(sluice, port, count):
    """(CPU seconds, peak MiB, manifests read) of one plan over all manifests."""
    fill(count)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "job.yaml")
        with open(path, "w") as file:
            file.write("job: archive\nname: bench\nsource: {stream: bench, region: us-east-1}\n"
                       "destination: {bucket: bench, prefix: 'drupal/', path_style: true}\nstate: {directory: %s}\n"
                       % os.path.join(folder, "state"))
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
                       "AWS_ENDPOINT_URL": "http://127.0.0.1:%d" % port, "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
        end = EPOCH + 60 * count - 30
        process = subprocess.Popen(
            [sluice, "backfill", path, "--from", instant(EPOCH), "--to", instant(end), "--dry-run", "--json"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Not ru_maxrss: a child inherits that of this process, which holds all manifests.
        peak = 0
        while process.poll() is None:
            with contextlib.suppress(OSError):
                with open("/proc/%d/status" % process.pid) as status:
                    peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
            time.sleep(0.02)
        out, err = process.communicate()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode != 0:
            raise RuntimeError(out.decode() + err.decode())
        report = json.loads(out)
        assert report["ranges"] == [] and report["manifests"] >= count, report
        return usage.ru_utime + usage.ru_stime, peak / 1024, report["manifests"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", default=".build/release/sluice")
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000])
    options = parser.parse_args()
    port, before = serve(), 0.0
    for count in options.counts:
        total, peak, read = measure(options.sluice, port, count)
        print("%6d manifests: %.2f s CPU, at most %.0f MiB, %d read" % (count, total - before, peak, read))
        before = total


if __name__ == "__main__":
    sys.exit(main())
