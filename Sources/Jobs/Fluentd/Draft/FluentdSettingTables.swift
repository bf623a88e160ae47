// The settings that no key of a job file stands for: why they do not matter, or what to do about them.

/// Why a setting has no effect on what arrives; nil when that is not known.
func fluentdIgnored(_ scope: FluentdLedger.Scope, _ key: String) -> String? {
    if let reason = everywhere[key] { return reason }
    switch scope {
    case .source: return sourceSettings[key] ?? parseSettings[key]
    case .parse: return parseSettings[key]
    case .match: return matchSettings[key] ?? bufferSettings[key]
    case .buffer: return bufferSettings[key]
    case .format: return formatSettings[key]
    case .inject: return injectSettings[key]
    }
}

/// What to do about a setting that matters; nil when it is unknown.
func fluentdRefused(_ scope: FluentdLedger.Scope, _ key: String) -> String? {
    switch scope {
    case .source, .parse: sourceRefusals[key]
    case .match, .format, .inject: credentialRefusals[key] ?? matchRefusals[key]
    case .buffer: nil
    }
}

private let everywhere: [String: String] = [
    "@id": "names the plugin inside Fluentd", "id": "names the plugin inside Fluentd",
    "@log_level": "use --log-level", "log_level": "use --log-level",
    "@type": "says which plugin it is", "type": "says which plugin it is",
]

private let noClock = "sending is driven by events, not by a clock"
private let unlimitedRetries = "what was not stored is sent again until it is; nothing is dropped"
private let asItIs = "the line is sent as it is, or not at all: see the format"
private let noBuffer = "there is no buffer besides the log file: it is read only as fast as records are stored"

private let leftChunks = "what Fluentd left there is not taken over: let it send everything before the switch"

private let sourceSettings: [String: String] = [
    "@label": "led to the match section", "tag": "led to the match section; it is not in the record",
    "pos_file": "give this file with --pos-file to go on where Fluentd stopped",
    "pos_file_compaction_interval": "positions of files that are gone are dropped by themselves",
    "path_delimiter": "was used to tell the paths apart", "path_timezone": "no path is made from the date",
    "glob_policy": "was used to read the paths",
    "enable_watch_timer": "changes are noticed by inotify and by looking",
    "enable_stat_watcher": "changes are noticed by inotify and by looking",
    "open_on_every_update": "files are opened as needed", "read_lines_limit": "memory is bounded by limits.memory",
    "read_bytes_limit_per_second": "reading is held back by what the stream takes",
    "skip_refresh_on_startup": "files are looked for at once", "blocking_timeout": noClock,
    "ignore_repeated_permission_error": "each problem is reported once",
    "follow_inodes": "files are always known by their identity, not by their name",
    "max_line_size": "no line is left out: long lines are split (long_lines: split)",
    "multiline_flush_interval": "a record ends where the next header begins, or when the file is quiet",
    "emit_unmatched_lines": "no line is dropped: one that does not match is sent as {\"message\":\"…\"}",
]

private let parseSettings: [String: String] = [
    "with_priority": "off, as is the default", "support_colonless_ident": "the `regexp` parser does not use it",
    "time_key": "this parser does not use it", "time_type": "this parser does not use it",
    "types": "this parser does not use it", "null_value_pattern": "this parser does not use it",
    "null_empty_string": "this parser does not use it", "estimate_current_event": "the event time is not in the record",
    "timezone": "the event time is not in the record: set transform.timezone in the archive job",
    "localtime": "the event time is not in the record: set transform.timezone in the archive job",
    "utc": "the event time is not in the record: set transform.timezone in the archive job",
    "rfc5424_time_format": "only used for RFC 5424", "time_format_fallbacks": "this parser does not use it",
    "time_format": asItIs, "message_format": asItIs, "message_key": asItIs, "json_parser": asItIs,
    "expression": asItIs, "ignorecase": asItIs, "multiline": asItIs, "format_firstline": asItIs, "keys": asItIs,
    "delimiter": asItIs, "timeout": "reading a line takes a bounded time", "unmatched_lines": "no line is dropped",
]

private let matchSettings: [String: String] = [
    "retries_on_batch_request": unlimitedRetries, "retries_on_putrecords": unlimitedRetries,
    "reset_backoff_if_success": "the pause is per shard and ends when something is stored",
    "drop_failed_records_after_batch_request_retries": unlimitedRetries,
    "monitor_num_of_batch_request_retries": "the report of each run counts what was sent again",
    "batch_request_max_count": "a request holds at most 500 records, as the service allows",
    "max_record_size": "a record holds at most 1 MiB (record_bytes); longer lines are split, none is dropped",
    "ensure_stream_connection": "the first request tells whether the stream is there",
    "log_truncate_max_size": "lines never get into the log",
    "debug": "use --log-level debug; lines never get into the log",
    "use_yajl": "both generators write the same, but for the case of hexadecimal digits",
    "detach_process": "one process does it; requests are under way in parallel (max_in_flight)",
    "slow_flush_log_threshold": "see the report of each run", "time_slice_format": noBuffer,
    "utc": "only used with include_time_key", "localtime": "only used with include_time_key",
    "timezone": "only used with include_time_key", "time_format": "only used with include_time_key",
    "time_key": "only used with include_time_key", "tag_key": "only used with include_tag_key",
]

private let bufferSettings: [String: String] = [
    "try_flush_interval": noClock, "queued_chunk_flush_interval": noClock, "flush_thread_interval": noClock,
    "flush_thread_burst_interval": noClock, "flush_mode": noClock,
    "flush_at_shutdown": "what was read is sent before it ends",
    "buffer_type": noBuffer, "buffer_path": leftChunks, "path": leftChunks, "path_suffix": noBuffer,
    "buffer_queue_limit": noBuffer, "buffer_queue_full_action": noBuffer, "queue_limit_length": noBuffer,
    "queued_chunks_limit_size": noBuffer, "total_limit_size": noBuffer, "overflow_action": noBuffer,
    "chunk_full_threshold": noBuffer, "chunk_limit_records": noBuffer, "chunk_records_limit": noBuffer,
    "compress": noBuffer, "buffer_file_extension": noBuffer, "file_permission": noBuffer, "dir_permission": noBuffer,
    "delayed_commit_timeout": noBuffer, "timekey": noBuffer, "timekey_wait": noBuffer, "timekey_use_utc": noBuffer,
    "timekey_zone": noBuffer, "time_slice_wait": noBuffer,
    "retry_wait": unlimitedRetries, "max_retry_wait": unlimitedRetries, "retry_limit": unlimitedRetries,
    "disable_retry_limit": unlimitedRetries, "retry_type": unlimitedRetries, "retry_forever": unlimitedRetries,
    "retry_timeout": unlimitedRetries, "retry_max_times": unlimitedRetries, "retry_max_interval": unlimitedRetries,
    "retry_randomize": unlimitedRetries, "retry_exponential_backoff_base": unlimitedRetries,
    "retry_secondary_threshold": unlimitedRetries, "disable_chunk_backup": unlimitedRetries,
]

private let formatSettings: [String: String] = ["json_parser": "both generators write the same for log lines"]

private let injectSettings: [String: String] = [
    "time_type": "only used with time_key", "time_format": "only used with time_key",
    "timezone": "only used with time_key", "localtime": "only used with time_key", "utc": "only used with time_key",
    "hostname": "only used with hostname_key",
]

private let sourceRefusals: [String: String] = [
    "path_key": "the record gets no field with the path: partition_key `source` names the file instead",
    "from_encoding": "lines are sent with the bytes that they have: convert them in the consumer",
    "limit_recently_modified": "every file that matches is shipped: narrow `files` if old ones must stay out",
]

private let useChain = "never taken over: Sluice finds credentials as every AWS tool does"
private let useProfile =
    "\(useChain): put role_arn or credential_process into a profile of ~/.aws/config and set AWS_PROFILE"

private let credentialRefusals: [String: String] = [
    "aws_key_id": "\(useChain): AWS_ACCESS_KEY_ID in the environment, ~/.aws/credentials, or better an instance role",
    "aws_sec_key":
        "\(useChain): AWS_SECRET_ACCESS_KEY in the environment, ~/.aws/credentials, or better an instance role",
    "aws_ses_token": "\(useChain): AWS_SESSION_TOKEN in the environment, or better an instance role",
    "role_arn": useProfile, "external_id": useProfile,
    "profile": "\(useChain): set AWS_PROFILE",
    "credentials_path": "\(useChain): set AWS_SHARED_CREDENTIALS_FILE",
    "aws_iam_retries": "\(useChain): the instance role is asked again as long as needed",
]

private let matchRefusals: [String: String] = [
    "http_proxy": "set HTTPS_PROXY in the environment of sluice",
    "endpoint": "set AWS_ENDPOINT_URL_KINESIS in the environment of sluice",
    "ssl_verify_peer": "certificates are always verified: give the authority's certificate with AWS_CA_BUNDLE",
    "explicit_hash_key": "records go to the shard that their partition key says",
    "explicit_hash_key_expr": "records go to the shard that their partition key says",
    "stream_name_prefix": "give the name of the stream: one job ships to one stream",
    "time_key": "the record gets no field with the event time", "tag_key": "the record gets no field with the tag",
    "hostname_key": "the record gets no such field: `host` names the host",
    "worker_id_key": "the record gets no such field", "time_as_epoch": "the record gets no field with the event time",
]

/// Sections below an output that hold credentials.
let fluentdCredentialSections: [String: String] = [
    "shared_credentials": "\(useChain): set AWS_PROFILE, and AWS_SHARED_CREDENTIALS_FILE when the file lies elsewhere",
    "assume_role_credentials": useProfile,
    "web_identity_credentials": "\(useChain): AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE in the environment",
    "instance_profile_credentials": "\(useChain): an instance role is used without being asked for",
    "process_credentials": useProfile,
]
