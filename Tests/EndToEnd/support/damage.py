"""Does to a healthy archive what disks, people and bugs do, one thing at a time, and leaves everything else as it was."""

import gzip
import hashlib
import json


class Bucket:
    """The archive of one scenario, as somebody with the right to write sees it."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.s3 = scenario.s3
        self.name = scenario.bucket
        self.original = {key: self._read(key) for key in scenario.keys()}
        self._changed = set()

    def mend(self):
        """Everything as it was when this was made."""
        for key in self._changed | set(self.scenario.keys()) - set(self.original):
            if key in self.original:
                body, metadata = self.original[key]
                self.s3.put_object(Bucket=self.name, Key=key, Body=body, Metadata=metadata)
            else:
                self.s3.delete_object(Bucket=self.name, Key=key)
        self._changed = set()

    def manifest_keys(self):
        return self.scenario.keys(self.scenario.control_prefix + "commits/")

    def manifests(self):
        """(key, content) of each, in the order of keys."""
        return [(key, self.scenario.json_object(key)) for key in self.manifest_keys()]

    def object_keys(self):
        return self.scenario.keys("data/")

    def get(self, key):
        return self._read(key)

    def _read(self, key):
        answer = self.s3.get_object(Bucket=self.name, Key=key)
        return answer["Body"].read(), answer["Metadata"]

    def put(self, key, body, metadata=None):
        self._changed.add(key)
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, Metadata=metadata or {})

    def delete(self, key):
        self._changed.add(key)
        self.s3.delete_object(Bucket=self.name, Key=key)

    def put_manifest(self, key, manifest):
        """In the form that sluice writes."""
        self.put(key, canonical(manifest))

    def double(self, key, manifest, first, last):
        """A second batch of records that are archived already, with objects of its own; its manifest's key."""
        copy = json.loads(json.dumps(manifest))
        copy.update(first=first, last=last)
        for entry in copy["objects"]:
            body, metadata = self.get(entry["key"])
            entry["key"] = entry["key"].replace(manifest["first"].zfill(64), first.zfill(64))
            self.put(entry["key"], body, dict(metadata, **{"sluice-first": first, "sluice-last": last}))
        copy_key = key.replace(manifest["first"].zfill(64), first.zfill(64))
        self.put_manifest(copy_key, copy)
        return copy_key

    def replace(self, manifest_key, index, body, rows=None, count=None):
        """Puts other bytes under the key of an object, and a manifest and metadata that fit them.

        rows: what the manifest and metadata claim as the unpacked bytes; by default the true ones.
        count: the row count that they claim; by default as before.
        """
        manifest = self.scenario.json_object(manifest_key)
        entry = manifest["objects"][index]
        rows = unpacked(body) if rows is None else rows
        entry.update(bytes=len(body), sha256=sha256(body), rows_bytes=len(rows), rows_sha256=sha256(rows))
        if count is not None:
            change = count - entry["rows"]
            entry["rows"] = count
            manifest["rows"] += change
            manifest["rows_by_status"]["ok"] += change
        metadata = self.get(entry["key"])[1]
        metadata.update({"sluice-sha256": entry["sha256"], "sluice-rows-sha256": entry["rows_sha256"],
                         "sluice-rows": str(entry["rows"])})
        self.put(entry["key"], body, metadata)
        self.put_manifest(manifest_key, manifest)
        return entry["key"]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def packed(rows):
    return gzip.compress(rows, mtime=0)


def unpacked(body):
    return gzip.decompress(body)
