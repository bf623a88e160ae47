"""Per-stream switches that tests set through the control interface. Unknown names are refused."""

TRIM_MODES = ("silent", "empty", "refuse")

DEFAULTS = {
    "read_limits": True,         # 5 calls and 2 MB a second, the shut-down after a 10 MiB page
    "write_limits": True,        # 1 MB and 1,000 records a second
    "iterator_limits": True,     # 5 GetShardIterator a second
    "trim_mode": "silent",       # a trimmed sequence number: starts at the oldest | endless empty pages | refused
    "empty_pages": 0,            # so many empty pages with MillisBehindLatest > 0 before each shard's next data
    "end_page": "same",          # a closed shard's null iterator comes with its last records, or on a page of its own
    "omit_child_shards": 0,      # so often a null NextShardIterator comes without ChildShards
    "page_records": 10_000,      # most records a page
    "page_bytes": 10 * 1024 * 1024,
    "record_bytes": 1024 * 1024,  # MaxRecordSizeInKiB
    "field_order": "plain",      # plain | varied: the members of a record in changing order, with white space
    "iterator_seconds": 300,
    "list_page": 1000,           # most shards a ListShards page, whatever MaxResults asks for
    "kms_key": None,             # DescribeStreamSummary says that this key encrypts the records
    "hide_parents": [],          # shard ids left out of ListShards (an inconsistent page)
}


def merged(current, changes):
    unknown = set(changes) - set(DEFAULTS)
    if unknown:
        raise ValueError("unknown setting %s; known are %s" % (sorted(unknown), sorted(DEFAULTS)))
    result = dict(current, **changes)
    if result["trim_mode"] not in TRIM_MODES or result["end_page"] not in ("same", "separate") \
            or result["field_order"] not in ("plain", "varied"):
        raise ValueError("bad value in %r" % changes)
    return result
