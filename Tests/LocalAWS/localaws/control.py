"""The control interface under `/_control/`: how a test loads, moves, breaks and reads the emulator.

JSON in, JSON out, unsigned; a mistake in a request answers 400 with the reason.
"""

import base64
import json
import traceback
from urllib.parse import parse_qs

from .errors import Refusal
from .keys import AccessKey
from .kinesis import settings as stream_settings
from .wire import Response


class Control:
    def __init__(self, local):
        self._local = local

    def handle(self, request):
        name = "%s %s" % (request.method, request.path[len("/_control/"):])
        handler = ROUTES.get(name)
        if handler is None:
            return answer({"error": "no route %s" % name, "routes": sorted(ROUTES)}, 404)
        query = {k: v[0] for k, v in parse_qs(request.query).items()}
        try:
            if handler in RAW_BODY:
                result = handler(self, query, request.body)
            else:
                result = handler(self, query, json.loads(request.body) if request.body else {})
        except Refusal as refusal:
            return answer({"error": str(refusal), "code": refusal.code}, 400)
        except (ValueError, KeyError, TypeError) as problem:
            return answer({"error": "%s: %s" % (type(problem).__name__, problem),
                           "trace": traceback.format_exc()}, 400)
        return result if isinstance(result, Response) else answer(result)

    # Everything.

    def health(self, query, body):
        return {"ok": True}

    def reset(self, query, body):
        """Back to an empty account: streams, buckets, keys, faults, clock and counters."""
        local = self._local
        local.clock.change(offset=0, freeze=False)
        local.faults.clear()
        local.kinesis.reset()
        local.moto.reset()
        local.redshift.reset()
        local.keys.reset()
        local.metadata.reset()
        local.gateway.reset()
        local.journal.reset()
        return {"ok": True}

    def clock(self, query, body):
        return self._local.clock.change(**body)

    def gateway(self, query, body):
        if set(body) - {"check_skew"}:
            raise ValueError("known: check_skew")
        self._local.gateway.check_skew = body.get("check_skew", self._local.gateway.check_skew)
        return {"check_skew": self._local.gateway.check_skew}

    def stats(self, query, body):
        local = self._local
        result = local.journal.stats()
        result["connections"] = local.server.connections_accepted
        result["shards"] = {
            "%s/%s" % (stream.name, shard.id): {
                "get_records": shard.rate.calls, "most_in_a_second": shard.rate.most_in_a_second,
                "records": len(shard.members)}
            for stream in list(local.kinesis.streams.values()) for shard in stream.shards}
        return result

    def log(self, query, body):
        since = int(query.pop("since", 0))
        entries = self._local.journal.entries(since, **query)
        return Response(200, [("Content-Type", "application/x-ndjson")],
                        b"".join(json.dumps(e).encode() + b"\n" for e in entries))

    def clear_log(self, query, body):
        self._local.journal.reset()
        return {"ok": True}

    # Faults.

    def list_faults(self, query, body):
        return self._local.faults.describe()

    def add_faults(self, query, body):
        return {"ids": self._local.faults.add(body if isinstance(body, list) else [body])}

    def clear_faults(self, query, body):
        self._local.faults.clear(int(query["id"]) if "id" in query else None)
        return {"ok": True}

    # Keys, buckets, metadata.

    def put_key(self, query, body):
        return self._local.keys.put(AccessKey(
            body["access_key_id"], body["secret_access_key"], body.get("session_token"), body.get("expires"),
            body.get("denied", ()))).describe()

    def issue_key(self, query, body):
        return self._local.keys.issue_temporary(
            body.get("lifetime", 3600), body.get("denied", ()), policy=body.get("policy")).describe()

    def change_key(self, query, body):
        body = dict(body)
        if "expires_in" in body:
            body["expires"] = self._local.clock.now() + body.pop("expires_in")
        if set(body) - {"access_key_id", "expires", "denied", "secret"}:
            raise ValueError("known: access_key_id, expires, expires_in, denied, secret")
        return self._local.keys.change(body.pop("access_key_id"), **body).describe()

    def forget_key(self, query, body):
        self._local.keys.forget(body["access_key_id"])
        return {"ok": True}

    def bucket_owner(self, query, body):
        self._local.gateway.bucket_owners[body["bucket"]] = body["account"]
        return {"ok": True}

    def metadata(self, query, body):
        return self._local.metadata.change(body)

    def metadata_log(self, query, body):
        return self._local.metadata.requests

    # Kinesis.

    def _stream(self, query):
        return self._local.kinesis.stream_of({"StreamName": query["stream"]}, query.get("region", "us-east-1"))

    def create_stream(self, query, body):
        stream = self._local.kinesis.create(
            body["stream"], body.get("region", "us-east-1"), body.get("shards", 1), body.get("created_ms"),
            body.get("settings"), body.get("retention_hours", 24))
        return {"stream": stream.name, "created_ms": stream.created_ms, "shards": [s.id for s in stream.shards]}

    def change_stream(self, query, body):
        """Settings of one stream, or of all there are and will be; `retention_hours` may be any number."""
        kinesis, body = self._local.kinesis, dict(body)
        retention = body.pop("retention_hours", None)
        if "stream" not in query:
            kinesis.defaults = stream_settings.merged(kinesis.defaults, body)
        chosen = [self._stream(query)] if "stream" in query else list(kinesis.streams.values())
        for stream in chosen:
            stream.settings = stream_settings.merged(stream.settings, body)
            if retention is not None:
                stream.retention_hours = retention
            for shard in stream.shards:
                shard.empty_pages_left = None
        return {"streams": len(chosen)}

    def load(self, query, body):
        """NDJSON: data (base64) or text, partition_key, and optionally explicit_hash_key, shard, arrival_ms."""
        records = []
        for line in body.split(b"\n"):
            if line:
                record = json.loads(line)
                record["data"] = base64.b64decode(record["data"]) if "data" in record else record["text"].encode()
                records.append(record)
        return self._local.kinesis.load(self._stream(query), records)

    def load_lines(self, query, body):
        """Raw text: each line a record. `shards`: spread round robin over the open ones; else by `key` and number.
        `arrival_ms` of the first, `step_ms` to the next."""
        stream, start, step = self._stream(query), query.get("arrival_ms"), float(query.get("step_ms", 0))
        spread = [s.id for s in stream.open_shards()] if query.get("spread") == "round_robin" else None
        key, lines = query.get("key", "host/file/0/"), body.split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        records, offset = [], 0
        for number, line in enumerate(lines):
            record = {"data": line, "partition_key": key + str(offset)}
            if start is not None:
                record["arrival_ms"] = int(int(start) + number * step)
            if spread:
                record["shard"] = spread[number % len(spread)]
            records.append(record)
            offset += len(line) + 1
        return self._local.kinesis.load(stream, records)

    def dump(self, query, body):
        """Every record ever put, of every stream of that name (also deleted ones unless `created_ms` picks one)."""
        kinesis = self._local.kinesis
        name, created = query["stream"], query.get("created_ms")
        streams = [s for s in kinesis.deleted + list(kinesis.streams.values())
                   if s.name == name and (created is None or s.created_ms == int(created))]
        lines = []
        for stream in streams:
            with stream.lock:
                horizon = stream.horizon_ms(kinesis.clock.now_ms())
                for shard in stream.shards:
                    for record in shard.dump(horizon):
                        record["created_ms"] = stream.created_ms
                        lines.append(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        return Response(200, [("Content-Type", "application/x-ndjson")], b"".join(lines))

    def expire(self, query, body):
        """Every iterator and ListShards token handed out so far is expired from now on."""
        self._local.kinesis.iterator_generation += 1
        if body.get("list_tokens", False):
            self._local.kinesis.token_generation += 1
        return {"ok": True}


    # Redshift.

    def redshift_sql(self, query, body):
        """Runs one statement of PostgreSQL's in the database; {rows, count}."""
        return self._local.redshift.run_sql(body["sql"])

    def redshift_settings(self, query, body):
        return self._local.redshift.change(body)

    def redshift_fault(self, query, body):
        self._local.redshift.faults.add(body)
        return {"ok": True}

    def redshift_faults(self, query, body):
        return self._local.redshift.faults.describe()

    def clear_redshift_faults(self, query, body):
        self._local.redshift.faults.clear()
        return {"ok": True}


RAW_BODY = {Control.load, Control.load_lines}
ROUTES = {
    "GET health": Control.health, "POST reset": Control.reset, "POST clock": Control.clock, "GET stats": Control.stats,
    "GET log": Control.log, "DELETE log": Control.clear_log, "POST gateway": Control.gateway,
    "GET faults": Control.list_faults, "POST faults": Control.add_faults, "DELETE faults": Control.clear_faults,
    "POST keys/put": Control.put_key, "POST keys/issue": Control.issue_key, "POST keys/change": Control.change_key,
    "POST keys/forget": Control.forget_key, "POST bucket/owner": Control.bucket_owner,
    "POST metadata": Control.metadata, "GET metadata/log": Control.metadata_log,
    "POST kinesis/stream": Control.create_stream, "POST kinesis/settings": Control.change_stream,
    "POST kinesis/load": Control.load, "POST kinesis/load-lines": Control.load_lines,
    "GET kinesis/dump": Control.dump, "POST kinesis/expire": Control.expire,
    "POST redshift/sql": Control.redshift_sql, "POST redshift/settings": Control.redshift_settings,
    "POST redshift/faults": Control.redshift_fault, "GET redshift/faults": Control.redshift_faults,
    "DELETE redshift/faults": Control.clear_redshift_faults,
}


def answer(value, status=200):
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode())
