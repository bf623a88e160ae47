"""The Kinesis API: one method an operation, JSON in, JSON out, AWS's error codes and texts.

Reading stands in reading.py, writing in writing.py; here are the streams, their shards and the dispatch.
"""

import itertools
import json
import threading

from ..errors import Refusal
from ..keys import ACCOUNT
from ..wire import Response
from . import settings
from .reading import Reading
from .shard import timestamp
from .stream import Stream
from .tokens import Tokens
from .writing import Writing

TARGET_PREFIX = "Kinesis_20131202."
TOKEN_SECONDS = 300
SUMMARY_CALLS = 20
NAME_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def not_found(message):
    return Refusal(400, "ResourceNotFoundException", message)


def invalid(message):
    return Refusal(400, "InvalidArgumentException", message)


def validation(message):
    return Refusal(400, "ValidationException", "1 validation error detected: " + message)


class Kinesis(Reading, Writing):
    def __init__(self, clock):
        self.clock = clock
        self.lock = threading.RLock()
        self.reset()

    def reset(self):
        with self.lock:
            self.streams = {}
            self.deleted = []
            self.defaults = dict(settings.DEFAULTS)
            self.tokens = Tokens()
            self.last_created_ms = 0
            self.iterator_generation = 0
            self.token_generation = 0
            self._serial = itertools.count(1)

    # Entry point of the gateway.

    def call(self, operation, body, region):
        handler = OPERATIONS.get(operation)
        if handler is None:
            raise Refusal(400, "UnknownOperationException", "")
        answer = handler(self, body, region)
        if not isinstance(answer, (bytes, bytearray)):
            answer = b"" if answer is None else json.dumps(answer, separators=(",", ":")).encode()
        return Response(200, [("Content-Type", "application/x-amz-json-1.1")], answer)

    def locate(self, operation, body):
        """(stream, shard) that a request is about, for fault rules and the log; None where it says nothing."""
        stream = body.get("StreamName") or (body.get("StreamARN") or "").rpartition("/")[2] or None
        shard = body.get("ShardId") or body.get("ShardToSplit") or body.get("ShardToMerge")
        if operation == "GetRecords":
            try:
                content = self.tokens.read("iterator", body.get("ShardIterator", ""))
                stream, shard = content["stream"], content["shard"]
            except (ValueError, KeyError, TypeError):
                pass
        return stream, shard

    # Streams.

    def create(self, name, region, shard_count, created_ms=None, chosen=None, retention_hours=24):
        """A new stream; its creation time is never that of an earlier stream."""
        with self.lock:
            if (region, name) in self.streams:
                raise Refusal(400, "ResourceInUseException",
                              "Stream %s under account %s already exists." % (name, ACCOUNT))
            created = self.clock.now_ms() if created_ms is None else created_ms
            if created_ms is None:
                created = max(created, self.last_created_ms + 1)
                self.last_created_ms = created
            stream = Stream(name, region, shard_count, created, dict(self.defaults, **(chosen or {})))
            stream.retention_hours = retention_hours
            stream.serial = next(self._serial)
            self.streams[(region, name)] = stream
            return stream

    def delete(self, stream):
        with self.lock:
            self.streams.pop((stream.region, stream.name), None)
            self.deleted.append(stream)

    def stream_of(self, body, region):
        """The stream that StreamName or StreamARN names in the signing region."""
        name, arn = body.get("StreamName"), body.get("StreamARN")
        if arn is not None:
            parts = arn.split(":")
            if len(parts) != 6 or not parts[5].startswith("stream/") or parts[2] != "kinesis":
                raise validation("Value '%s' at 'streamARN' failed to satisfy constraint: Member must satisfy regular "
                                 "expression pattern: arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+" % arn)
            if name is not None and name != parts[5][7:]:
                raise invalid("StreamARN and StreamName do not match.")
            name = parts[5][7:]
            if parts[3] != region:
                raise not_found("Stream %s under account %s not found." % (name, ACCOUNT))
        if not name:
            raise invalid("Either StreamName or StreamARN is required.")
        with self.lock:
            stream = self.streams.get((region, name))
        if stream is None:
            raise not_found("Stream %s under account %s not found." % (name, ACCOUNT))
        return stream

    def create_stream(self, body, region):
        name, count = body.get("StreamName", ""), body.get("ShardCount", 4)
        if not 1 <= len(name) <= 128 or set(name) - NAME_CHARACTERS:
            raise validation("Value '%s' at 'streamName' failed to satisfy constraint: Member must satisfy regular "
                             "expression pattern: [a-zA-Z0-9_.-]+" % name)
        if not isinstance(count, int) or count < 1:
            raise validation("Value '%s' at 'shardCount' failed to satisfy constraint: Member must have value "
                             "greater than or equal to 1" % count)
        self.create(name, region, count)

    def delete_stream(self, body, region):
        self.delete(self.stream_of(body, region))

    def list_streams(self, body, region):
        with self.lock:
            names = sorted(name for where, name in self.streams if where == region)
        after = body.get("ExclusiveStartStreamName", "")
        names = [n for n in names if n > after]
        limit = body.get("Limit", 100)
        return {"StreamNames": names[:limit], "HasMoreStreams": len(names) > limit}

    def describe_stream_summary(self, body, region):
        stream = self.stream_of(body, region)
        fields = dict(stream.summary(), OpenShardCount=len(stream.open_shards()), ConsumerCount=0,
                      MaxRecordSizeInKiB=stream.settings["record_bytes"] // 1024)
        return self._with_creation("StreamDescriptionSummary", fields, stream)

    def describe_stream(self, body, region):
        stream = self.stream_of(body, region)
        after, limit = body.get("ExclusiveStartShardId", ""), min(body.get("Limit", 100), 100)
        shards = [s for s in stream.kept_shards(self.clock.now_ms()) if s.id > after]
        fields = dict(stream.summary(), Shards=[s.describe() for s in shards[:limit]],
                      HasMoreShards=len(shards) > limit)
        return self._with_creation("StreamDescription", fields, stream)

    def _with_creation(self, outer, fields, stream):
        text = json.dumps(fields, separators=(",", ":"))
        return ('{"%s":{"StreamCreationTimestamp":%s,%s}' % (outer, timestamp(stream.created_ms), text[1:])).encode()

    def increase_retention(self, body, region):
        stream, hours = self.stream_of(body, region), body.get("RetentionPeriodHours", 0)
        if not 24 <= hours <= 8760 or hours < stream.retention_hours:
            raise invalid("Requested retention period %s for stream %s is not between the current one and 8760 hours."
                          % (hours, stream.name))
        stream.retention_hours = hours

    def decrease_retention(self, body, region):
        stream, hours = self.stream_of(body, region), body.get("RetentionPeriodHours", 0)
        if not 24 <= hours <= stream.retention_hours:
            raise invalid("Requested retention period %s for stream %s is not between 24 hours and the current one."
                          % (hours, stream.name))
        stream.retention_hours = hours

    def update_max_record_size(self, body, region):
        stream, kib = self.stream_of(body, region), body.get("MaxRecordSizeInKiB", 0)
        if not 1024 <= kib <= 10240:
            raise validation("Value '%s' at 'maxRecordSizeInKiB' failed to satisfy constraint" % kib)
        stream.settings["record_bytes"] = kib * 1024

    # Shards.

    def list_shards(self, body, region):
        now = self.clock.now_ms()
        token, limit = body.get("NextToken"), body.get("MaxResults", 1000)
        if not 1 <= limit <= 10000:
            raise validation("Value '%s' at 'maxResults' failed to satisfy constraint: Member must have value less "
                             "than or equal to 10000" % limit)
        if token is not None:
            both = [k for k in ("StreamName", "StreamARN", "ShardFilter", "ExclusiveStartShardId",
                                "StreamCreationTimestamp") if body.get(k) is not None]
            if both:
                raise invalid("NextToken and %s cannot be provided together." % both[0])
            content = self._read_list_token(token, now)
            region = content["region"]
            body = {"StreamName": content["stream"], "ShardFilter": content["filter"],
                    "ExclusiveStartShardId": content["after"]}
        stream = self.stream_of(body, region)
        wanted = body.get("ShardFilter") or {}
        kind = wanted.get("Type")
        if kind not in (None, "AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP",
                        "FROM_TIMESTAMP"):
            raise validation("Value '%s' at 'shardFilter.type' failed to satisfy constraint" % kind)
        if (kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP")) != ("Timestamp" in wanted) \
                or (kind == "AFTER_SHARD_ID") != ("ShardId" in wanted):
            raise invalid("ShardFilter %s is given with the wrong members." % kind)
        with stream.lock:
            shards = stream.filtered(kind, int(wanted.get("Timestamp", 0) * 1000), wanted.get("ShardId"), now)
            after = body.get("ExclusiveStartShardId") or ""
            hidden, limit = stream.settings["hide_parents"], min(limit, stream.settings["list_page"])
            shards = [s for s in shards if s.id > after and s.id not in hidden]
            answer = {"Shards": [s.describe() for s in shards[:limit]]}
        if len(shards) > limit:
            answer["NextToken"] = self.tokens.make("list", {
                "stream": stream.name, "region": region, "filter": wanted or None, "after": shards[limit - 1].id,
                "issued": now, "generation": self.token_generation})
        return answer

    def _read_list_token(self, token, now):
        try:
            content = self.tokens.read("list", token)
        except ValueError:
            raise invalid("NextToken is not valid.")
        if now - content["issued"] > TOKEN_SECONDS * 1000 or content["generation"] != self.token_generation:
            raise Refusal(400, "ExpiredNextTokenException",
                          "NextToken has expired. The token was created more than %d seconds ago." % TOKEN_SECONDS)
        return content

    def _shard_to_change(self, stream, shard_id, now):
        shard = stream.shard(shard_id, now)
        if shard is None:
            raise not_found("Could not find shard %s in stream %s under account %s." % (shard_id, stream.name, ACCOUNT))
        if not shard.is_open:
            raise invalid("Shard %s in stream %s under account %s has already been merged or split, and thus is not "
                          "eligible for merging or splitting." % (shard_id, stream.name, ACCOUNT))
        return shard

    def split_shard(self, body, region):
        stream, now = self.stream_of(body, region), self.clock.now_ms()
        with stream.lock:
            shard = self._shard_to_change(stream, body.get("ShardToSplit", ""), now)
            middle = int(body["NewStartingHashKey"])
            if not shard.low + 1 < middle < shard.high:
                raise invalid("NewStartingHashKey %d used in SplitShard() on shard %s in stream %s under account %s is "
                              "not both greater than one plus the shard's StartingHashKey %d and less than the shard's "
                              "EndingHashKey %d." % (middle, shard.id, stream.name, ACCOUNT, shard.low, shard.high))
            stream.reshard([shard], [(shard.low, middle - 1), (middle, shard.high)], now)

    def merge_shards(self, body, region):
        stream, now = self.stream_of(body, region), self.clock.now_ms()
        with stream.lock:
            first = self._shard_to_change(stream, body.get("ShardToMerge", ""), now)
            second = self._shard_to_change(stream, body.get("AdjacentShardToMerge", ""), now)
            low, high = sorted([first, second], key=lambda s: s.low)
            if low.high + 1 != high.low:
                raise invalid("Shards %s and %s in stream %s under account %s are not an adjacent pair of shards "
                              "eligible for merging" % (first.id, second.id, stream.name, ACCOUNT))
            stream.reshard([first, second], [(low.low, high.high)], now)


OPERATIONS = {
    "CreateStream": Kinesis.create_stream, "DeleteStream": Kinesis.delete_stream,
    "ListStreams": Kinesis.list_streams, "DescribeStreamSummary": Kinesis.describe_stream_summary,
    "DescribeStream": Kinesis.describe_stream, "ListShards": Kinesis.list_shards,
    "GetShardIterator": Kinesis.get_shard_iterator, "GetRecords": Kinesis.get_records,
    "PutRecord": Kinesis.put_record, "PutRecords": Kinesis.put_records, "SplitShard": Kinesis.split_shard,
    "MergeShards": Kinesis.merge_shards, "IncreaseStreamRetentionPeriod": Kinesis.increase_retention,
    "DecreaseStreamRetentionPeriod": Kinesis.decrease_retention,
    "UpdateMaxRecordSize": Kinesis.update_max_record_size,
}
