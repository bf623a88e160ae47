"""A fast Kinesis and S3 for measuring: pages of records are prepared before it answers the first call, uploads are
kept in a folder. It checks nothing; the tests use the strict endpoint in Tests/LocalAWS."""
import argparse
import asyncio
import base64
import hashlib
import json
import os
import sys

import corpus

EPOCH = 1_795_386_000
PAGE_RECORDS = 10_000
PAGE_BYTES = 10 << 20


def prepare(size_bytes, shards, seed, **lines):
    """Pages of GetRecords answers, as bytes, for each shard."""
    pages = [[] for _ in range(shards)]
    parts = [[] for _ in range(shards)]
    sizes = [0] * shards
    count = 0

    def close(shard):
        if parts[shard]:
            pages[shard].append(parts[shard])
            parts[shard], sizes[shard] = [], 0

    for line in corpus.lines(size_bytes, seed, **lines):
        shard = count % shards
        number = 49_650_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000 + count * 1_000_003
        arrival = EPOCH + count / 2_000
        parts[shard].append(
            '{"SequenceNumber":"%d","ApproximateArrivalTimestamp":%.3f,"Data":"%s","PartitionKey":"web01/drupal.log/'
            '0a1b2c3d/%d"}' % (number, arrival, base64.b64encode(line).decode(), count * 180))
        sizes[shard] += len(line)
        count += 1
        if len(parts[shard]) >= PAGE_RECORDS or sizes[shard] >= PAGE_BYTES:
            close(shard)
    for shard in range(shards):
        close(shard)
    answers = []
    for shard in range(shards):
        whole = []
        for index, records in enumerate(pages[shard]):
            last = index + 1 == len(pages[shard])
            whole.append(('{"MillisBehindLatest":%d,"NextShardIterator":"%d:%d","Records":[%s]}' % (
                0 if last else 60_000, shard, index + 1, ",".join(records))).encode())
        whole.append(b'{"MillisBehindLatest":0,"NextShardIterator":"%d:%d","Records":[]}' % (shard, len(whole)))
        answers.append(whole)
    return answers, count


class Server(asyncio.Protocol):
    pages, shards, folder = [], 0, None

    def connection_made(self, transport):
        self.transport, self.buffer = transport, bytearray()

    def data_received(self, data):
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).split(b"\r\n")
            headers = {}
            for line in head[1:]:
                name, _, value = line.partition(b":")
                headers[name.strip().lower()] = value.strip()
            length = int(headers.get(b"content-length", b"0"))
            if headers.get(b"expect"):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                headers.pop(b"expect")
                self.buffer[:end] = b"\r\n".join(x for x in head if not x.lower().startswith(b"expect"))
                continue
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4:end + 4 + length])
            del self.buffer[:end + 4 + length]
            method, target, _ = head[0].split(b" ", 2)
            self.answer(method, target.decode(), headers, body)

    def send(self, status, body=b"", kind=b"application/x-amz-json-1.1", extra=b""):
        self.transport.write(b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
            status, kind, len(body), extra))
        self.transport.write(body)

    def answer(self, method, target, headers, body):
        operation = headers.get(b"x-amz-target", b"").decode().partition(".")[2]
        if operation == "GetRecords":
            shard, page = json.loads(body)["ShardIterator"].split(":")
            return self.send(200, self.pages[int(shard)][min(int(page), len(self.pages[int(shard)]) - 1)])
        if operation == "GetShardIterator":
            request = json.loads(body)
            shard = int(request["ShardId"].rpartition("-")[2])
            page = 0 if request["ShardIteratorType"] == "TRIM_HORIZON" else len(self.pages[shard]) - 1
            return self.send(200, json.dumps({"ShardIterator": f"{shard}:{page}"}).encode())
        if operation == "ListShards":
            width = 2 ** 128 // self.shards
            return self.send(200, json.dumps({"Shards": [
                {"ShardId": f"shardId-{i:012d}",
                 "HashKeyRange": {"StartingHashKey": str(i * width), "EndingHashKey": str((i + 1) * width - 1)},
                 "SequenceNumberRange": {"StartingSequenceNumber": str(10 ** 55 * 4 + i)}}
                for i in range(self.shards)]}).encode())
        if operation == "DescribeStreamSummary":
            return self.send(200, json.dumps({"StreamDescriptionSummary": {
                "StreamName": "bench", "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/bench",
                "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": EPOCH - 1000,
                "EnhancedMonitoring": [], "OpenShardCount": self.shards}}).encode())
        path = os.path.join(self.folder, hashlib.sha256(target.encode()).hexdigest())
        path += ".gz" if target.endswith(".gz") else ".other"
        if method == b"PUT":
            with open(path, "wb") as file:
                file.write(body)
            return self.send(200, b"", b"application/xml", b'ETag: "0"\r\n')
        if method == b"GET" and os.path.exists(path):
            with open(path, "rb") as file:
                return self.send(200, file.read(), b"application/json", b'ETag: "0"\r\n')
        return self.send(404, b"" if method == b"HEAD" else b"<Error><Code>NoSuchKey</Code></Error>", b"application/xml")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=int, default=200_000_000)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hosts", type=int, help="generated lines alone, from so many hosts")
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    lines = {"kinds": corpus.GENERATED, "hosts": options.hosts} if options.hosts else {}
    Server.pages, count = prepare(options.bytes, options.shards, options.seed, **lines)
    Server.shards, Server.folder = options.shards, options.folder

    async def serve():
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        print(json.dumps({"port": server.sockets[0].getsockname()[1], "lines": count}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


if __name__ == "__main__":
    main()
