"""A PutRecords that is not the bottleneck: counts records without decoding them and answers with bytes that it has made
before. It checks no signature; the tests use the strict endpoint in Tests/LocalAWS.

POST /: PutRecords. GET /counts: requests, records, bytes of bodies and CPU seconds so far. GET /waits: with --stamps, the
seconds from `t=<monotonic nanoseconds>` in each record's data to its answer.
"""
import argparse
import asyncio
import base64
import functools
import json
import re
import sys
import time

DATA = re.compile(rb'"Data":\s*"([^"]*)"')
STAMP = re.compile(rb"t=(\d+)\.")
counts = {"requests": 0, "records": 0, "body_bytes": 0}
waits = []


@functools.lru_cache(maxsize=1024)
def answer(count):
    entry = '{"SequenceNumber":"49650000000000000000000000000000000000000000000000000001","ShardId":"shardId-%012d"}'
    body = '{"EncryptionType":"NONE","FailedRecordCount":0,"Records":[%s]}' % ",".join(
        entry % (number % 4) for number in range(count))
    return response(body.encode())


def response(body):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: bench\r\n" \
           b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Server(asyncio.Protocol):
    stamps = False

    def connection_made(self, transport):
        self.transport, self.buffer, self.wanted = transport, bytearray(), 0

    def data_received(self, data):
        self.buffer += data
        while len(self.buffer) >= self.wanted:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end])
            length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
            self.wanted = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < self.wanted:
                if re.search(rb"(?i)\r\nexpect:", head):
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self.buffer[end + 4:self.wanted])
            del self.buffer[:self.wanted]
            self.wanted = 0
            self.transport.write(self.take(head, body))

    def take(self, head, body):
        if head.startswith(b"GET /counts "):
            return response(json.dumps(dict(counts, cpu_s=time.process_time())).encode())
        if head.startswith(b"GET /waits "):
            return response(json.dumps(waits).encode())
        count = body.count(b'"PartitionKey"')
        counts["requests"] += 1
        counts["records"] += count
        counts["body_bytes"] += len(body)
        if self.stamps:
            now = time.monotonic_ns()
            for data in DATA.findall(body):
                waits.extend((now - int(stamp)) / 1e9 for stamp in STAMP.findall(base64.b64decode(data)))
        return answer(count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stamps", action="store_true")
    Server.stamps = parser.parse_args().stamps

    async def serve():
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


if __name__ == "__main__":
    main()
