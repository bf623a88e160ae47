"""For tests: starts the local endpoint as a child, and speaks its control interface."""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from urllib.parse import urlencode

START_SECONDS = 20


class Control:
    """The calls under `/_control/`. Each returns the decoded answer; a refusal raises ControlError."""

    def __init__(self, port):
        self.port = port

    def call(self, method, route, body=None, **query):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        path = "/_control/" + route + ("?" + urlencode(query) if query else "")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError("%s %s: %s" % (method, path, text.decode("utf-8", "replace")))
        if response.getheader("Content-Type") == "application/x-ndjson":
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text)

    def reset(self):
        return self.call("POST", "reset")

    def clock(self, **changes):
        """offset, advance (seconds), freeze (bool)."""
        return self.call("POST", "clock", changes)

    def stats(self):
        return self.call("GET", "stats")

    def log(self, since=0, **wanted):
        """The request log, oldest first; `wanted` compares fields, as in log(operation="PutObject")."""
        return self.call("GET", "log", since=since, **wanted)

    def clear_log(self):
        return self.call("DELETE", "log")

    def fault(self, action, match=None, **firing):
        """Adds one rule (see localaws/faults.py) and returns its id."""
        action = {"kind": action} if isinstance(action, str) else action
        return self.call("POST", "faults", dict(firing, action=action, match=match or {}))["ids"][0]

    def faults(self):
        return self.call("GET", "faults")

    def clear_faults(self):
        return self.call("DELETE", "faults")

    def check_skew(self, on):
        return self.call("POST", "gateway", {"check_skew": on})

    def issue_key(self, lifetime=3600, denied=(), policy=None):
        """Temporary keys. `policy`: the IAM document that is all they may do."""
        return self.call("POST", "keys/issue", {"lifetime": lifetime, "denied": list(denied), "policy": policy})

    def put_key(self, access_key_id, secret_access_key, **fields):
        return self.call("POST", "keys/put", dict(fields, access_key_id=access_key_id,
                                                  secret_access_key=secret_access_key))

    def change_key(self, access_key_id, **fields):
        """denied=[…], expires_in=seconds."""
        return self.call("POST", "keys/change", dict(fields, access_key_id=access_key_id))

    def forget_key(self, access_key_id):
        return self.call("POST", "keys/forget", {"access_key_id": access_key_id})

    def bucket_owner(self, bucket, account):
        return self.call("POST", "bucket/owner", {"bucket": bucket, "account": account})

    def metadata(self, **changes):
        return self.call("POST", "metadata", changes)

    def create_stream(self, name, shards=1, settings=None, **fields):
        return self.call("POST", "kinesis/stream", dict(fields, stream=name, shards=shards, settings=settings or {}))

    def stream_settings(self, name=None, **changes):
        query = {"stream": name} if name else {}
        return self.call("POST", "kinesis/settings", changes, **query)

    def load(self, stream, records):
        """Dicts of data (bytes) or text, partition_key, and optionally explicit_hash_key, shard, arrival_ms."""
        lines = []
        for record in records:
            record = dict(record)
            if "data" in record:
                record["data"] = base64.b64encode(record["data"]).decode()
            lines.append(json.dumps(record))
        return self.call("POST", "kinesis/load", "\n".join(lines).encode(), stream=stream)

    def load_lines(self, stream, text, **options):
        """Each line of `text` (bytes) a record; options: key, spread="round_robin", arrival_ms, step_ms."""
        return self.call("POST", "kinesis/load-lines", text, stream=stream, **options)

    def dump(self, stream, **query):
        """Every record ever put: shard, sequence, arrival_ms, partition_key, data (base64), trimmed, created_ms."""
        return self.call("GET", "kinesis/dump", stream=stream, **query)

    def expire_iterators(self, list_tokens=False):
        return self.call("POST", "kinesis/expire", {"list_tokens": list_tokens})


    def sql(self, statement):
        """Rows of one statement that runs in the database behind the Redshift Data API, past the API."""
        return self.call("POST", "redshift/sql", {"sql": statement})["rows"]

    def redshift_settings(self, **changes):
        return self.call("POST", "redshift/settings", changes)

    def redshift_fault(self, kind, match="", **rule):
        """Adds one rule (see localaws/redshift/faults.py)."""
        return self.call("POST", "redshift/faults", dict(rule, kind=kind, match=match))

    def redshift_faults(self):
        return self.call("GET", "redshift/faults")

    def clear_redshift_faults(self):
        return self.call("DELETE", "redshift/faults")


class ControlError(Exception):
    pass


class LocalEndpoint:
    """A child process that serves everything; ends with `stop`, and by itself when this process dies."""

    def __init__(self, *arguments):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(root, "run.py"), "--watch-stdin", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("localaws did not start: exit %s" % self._process.wait(START_SECONDS))
        self.description = json.loads(line)
        self.url = self.description["url"]
        self.port = self.description["port"]
        self.environment = self.description["environment"]
        self.control = Control(self.port)
        self._session = None
        self._making_client = threading.Lock()

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def observer(self, service, **options):
        """A boto3 client for looking on: the clock, fault rules, log and counters take no notice of it."""
        keys = self.description["observer"]
        return self.client(service, aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                           aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], **options)

    def client(self, service, **options):
        """A boto3 client with the full-access keys, unless `options` names others."""
        import boto3
        from botocore.config import Config

        settings = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"},
                    "request_checksum_calculation": "when_required"}
        settings.update(options.pop("config", {}))
        fields = {"aws_access_key_id": self.environment["AWS_ACCESS_KEY_ID"],
                  "aws_secret_access_key": self.environment["AWS_SECRET_ACCESS_KEY"],
                  "region_name": self.environment["AWS_REGION"], "endpoint_url": self.url}
        fields.update(options)
        with self._making_client:  # one session keeps the service models loaded, and is not made for threads
            self._session = self._session or boto3.session.Session()
            return self._session.client(service, config=Config(**settings), **fields)
