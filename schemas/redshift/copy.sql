COPY "public"."drupal_log" (
    "event_time", "event_time_source", "host", "program", "pid", "msg_id", "facility", "severity", "severity_name",
    "structured_data", "message", "site", "drupal_base_url", "drupal_type", "drupal_ip", "drupal_request_uri",
    "drupal_referer", "drupal_uid", "drupal_link", "record_format", "parse_status", "raw_line", "raw_base64",
    "truncated_fields", "source_host", "source_file", "source_offset", "shard_id", "sequence_number", "subsequence",
    "arrival_time"
)
FROM 's3://acme-logs/_sluice/drupal/redshift/copy/NAME.manifest'
IAM_ROLE 'arn:aws:iam::111122223333:role/redshift-copy'
FORMAT JSON 's3://acme-logs/_sluice/drupal/redshift/jsonpaths-a88cf5c5316d.json'
GZIP
MANIFEST
TIMEFORMAT 'auto'
COMPUPDATE OFF
STATUPDATE OFF
MAXERROR 0;
