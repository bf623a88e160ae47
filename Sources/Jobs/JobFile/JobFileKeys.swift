// The keys that a job file may have, by kind of job and section. `schemas/job.schema.json` lists the same; a test
// compares the two, and another proves that the loader reads each key named here.

enum JobFileKeys {
    /// Section (dotted path, empty for the top) to its keys, in the order of the documentation.
    static func sections(of kind: JobFile.Kind) -> [String: [String]] {
        switch kind {
        case .archive: archive
        case .ship: ship
        }
    }

    private static let archive: [String: [String]] = [
        "": [
            "job", "name", "source", "transform", "destination", "seal", "gzip_level", "gzip_engine", "limits", "state",
            "metrics",
            "redshift",
        ],
        "source": ["stream", "region", "start", "on_gap", "read_rate"],
        "transform": ["format", "timezone", "drupal_format", "sites", "raw_line"],
        "destination": [
            "bucket", "region", "prefix", "control_prefix", "partition_time", "storage_class", "sse", "kms_key_id",
            "tags", "expected_bucket_owner", "path_style",
        ],
        "seal": ["bytes", "records", "partitions"],
        "limits": ["run_time", "parallel_shards", "memory"],
        "state": ["directory"],
        "metrics": ["textfile"],
        "redshift": [
            "cluster", "workgroup", "region", "database", "user", "secret_arn", "schema", "table", "ledger_table",
            "role_arn", "jsonpaths",
        ],
    ]

    private static let ship: [String: [String]] = [
        "": [
            "job", "name", "files", "rotated", "start", "record", "fluentd", "multiline", "long_lines", "destination",
            "linger", "max_in_flight", "rescan", "rotate_wait", "grace", "limits", "state", "metrics",
        ],
        "fluentd": ["keep_time_key", "newline"],
        "destination": [
            "stream", "region", "partition_key", "aggregate", "aggregate_bytes", "record_bytes", "request_bytes",
        ],
        "limits": ["memory", "run_time", "dead_letter"],
        "state": ["directory"],
        "metrics": ["textfile"],
    ]

    /// Keys whose children are the operator's own words.
    static let openMaps: Set<String> = ["transform.sites", "destination.tags"]

    /// Keys of the documented job file that a later version brings, and what to do without them.
    static let later: [String: String] = [
        "state.dynamodb": "give state.directory and run the job on one host, or use a newer sluice"
    ]

    /// Keys (lower case, `-` as `_`) that could only hold a secret.
    static func looksSecret(_ key: String) -> Bool {
        let plain = String(key.lowercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
        let parts = ["access_key", "secret", "password", "passwd", "session_token", "credential", "api_key"]
        let wholes: Set<String> = ["token", "accesskey", "accesskeyid", "secretkey", "aws_key", "key_id", "auth"]
        return wholes.contains(plain) || parts.contains { plain.contains($0) } || plain.hasSuffix("_token")
    }
}
