-- The table of the rows that `sluice archive` writes. Made by `sluice redshift ddl` from row.schema.json.
-- Widths are bytes. Rows are cut to them before they are stored, so that COPY needs no TRUNCATECOLUMNS.
CREATE TABLE IF NOT EXISTS "public"."drupal_log" (
    "event_time"         TIMESTAMP      ENCODE RAW NOT NULL,
    "event_time_source"  VARCHAR(8)     ENCODE BYTEDICT NOT NULL,
    "host"               VARCHAR(255)   ENCODE ZSTD,
    "program"            VARCHAR(255)   ENCODE ZSTD,
    "pid"                VARCHAR(128)   ENCODE ZSTD,
    "msg_id"             VARCHAR(32)    ENCODE ZSTD,
    "facility"           SMALLINT       ENCODE AZ64,
    "severity"           SMALLINT       ENCODE AZ64,
    "severity_name"      VARCHAR(8)     ENCODE BYTEDICT,
    "structured_data"    VARCHAR(16384) ENCODE ZSTD,
    "message"            VARCHAR(65535) ENCODE ZSTD,
    "site"               VARCHAR(255)   ENCODE ZSTD,
    "drupal_base_url"    VARCHAR(512)   ENCODE ZSTD,
    "drupal_type"        VARCHAR(255)   ENCODE ZSTD,
    "drupal_ip"          VARCHAR(128)   ENCODE ZSTD,
    "drupal_request_uri" VARCHAR(8192)  ENCODE ZSTD,
    "drupal_referer"     VARCHAR(8192)  ENCODE ZSTD,
    "drupal_uid"         BIGINT         ENCODE AZ64,
    "drupal_link"        VARCHAR(1024)  ENCODE ZSTD,
    "record_format"      VARCHAR(16)    ENCODE BYTEDICT,
    "parse_status"       VARCHAR(16)    ENCODE BYTEDICT NOT NULL,
    "raw_line"           VARCHAR(65535) ENCODE ZSTD,
    "raw_base64"         VARCHAR(65535) ENCODE ZSTD,
    "truncated_fields"   VARCHAR(255)   ENCODE ZSTD,
    "source_host"        VARCHAR(255)   ENCODE ZSTD,
    "source_file"        VARCHAR(255)   ENCODE ZSTD,
    "source_offset"      BIGINT         ENCODE AZ64,
    "shard_id"           VARCHAR(64)    ENCODE ZSTD,
    "sequence_number"    VARCHAR(64)    ENCODE ZSTD,
    "subsequence"        INTEGER        ENCODE AZ64,
    "arrival_time"       TIMESTAMP      ENCODE AZ64 NOT NULL
)
DISTSTYLE EVEN
COMPOUND SORTKEY ("event_time");

COMMENT ON TABLE "public"."drupal_log" IS 'Log rows of Sluice. A row is told by shard_id, sequence_number and subsequence.';
COMMENT ON COLUMN "public"."drupal_log"."event_time" IS 'Best known time of the event, ISO 8601 UTC, at most 6 fraction digits.';
COMMENT ON COLUMN "public"."drupal_log"."event_time_source" IS 'Where event_time comes from.';
COMMENT ON COLUMN "public"."drupal_log"."host" IS 'Host of the syslog header.';
COMMENT ON COLUMN "public"."drupal_log"."program" IS 'Program (tag, APP-NAME) of the syslog header.';
COMMENT ON COLUMN "public"."drupal_log"."pid" IS 'Process id (PROCID) of the syslog header.';
COMMENT ON COLUMN "public"."drupal_log"."msg_id" IS 'MSGID of the syslog header.';
COMMENT ON COLUMN "public"."drupal_log"."facility" IS 'Syslog facility, only when the record says so.';
COMMENT ON COLUMN "public"."drupal_log"."severity" IS 'Syslog severity, only when the record says so.';
COMMENT ON COLUMN "public"."drupal_log"."severity_name" IS 'Name of the severity.';
COMMENT ON COLUMN "public"."drupal_log"."structured_data" IS 'RFC 5424 structured data as JSON text; ready for JSON_PARSE into SUPER.';
COMMENT ON COLUMN "public"."drupal_log"."message" IS 'The human text; for Drupal its !message.';
COMMENT ON COLUMN "public"."drupal_log"."site" IS 'Mapped site id, else the lower-case host of the base URL.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_base_url" IS 'Drupal''s !base_url.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_type" IS 'Drupal''s !type.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_ip" IS 'Drupal''s !ip.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_request_uri" IS 'Drupal''s !request_uri.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_referer" IS 'Drupal''s !referer.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_uid" IS 'Drupal''s !uid.';
COMMENT ON COLUMN "public"."drupal_log"."drupal_link" IS 'Drupal''s !link.';
COMMENT ON COLUMN "public"."drupal_log"."record_format" IS 'Format of the record; left out when it was not recognised.';
COMMENT ON COLUMN "public"."drupal_log"."parse_status" IS 'ok; ambiguous: the split could be forged; continuation: a piece of a message without its header; partial: some fields; unparsed.';
COMMENT ON COLUMN "public"."drupal_log"."raw_line" IS 'The line as it came, when it is not ok (or always).';
COMMENT ON COLUMN "public"."drupal_log"."raw_base64" IS 'The same in base64, when it is not UTF-8.';
COMMENT ON COLUMN "public"."drupal_log"."truncated_fields" IS 'Comma-separated names of columns that were cut to their width.';
COMMENT ON COLUMN "public"."drupal_log"."source_host" IS 'Host that shipped the line.';
COMMENT ON COLUMN "public"."drupal_log"."source_file" IS 'File that the line was read from.';
COMMENT ON COLUMN "public"."drupal_log"."source_offset" IS 'Byte offset of the line in that file.';
COMMENT ON COLUMN "public"."drupal_log"."shard_id" IS 'Shard that the record lay on.';
COMMENT ON COLUMN "public"."drupal_log"."sequence_number" IS 'Sequence number of the record.';
COMMENT ON COLUMN "public"."drupal_log"."subsequence" IS 'Index of the row''s piece within its record, when the record held several.';
COMMENT ON COLUMN "public"."drupal_log"."arrival_time" IS 'When the record arrived on the stream.';

-- The same rows with JSON text as SUPER: SELECT structured_data."exampleSDID@32473".iut FROM drupal_log_super;
CREATE OR REPLACE VIEW "public"."drupal_log_super" AS
SELECT
    "event_time",
    "event_time_source",
    "host",
    "program",
    "pid",
    "msg_id",
    "facility",
    "severity",
    "severity_name",
    CASE WHEN CAN_JSON_PARSE("structured_data") THEN JSON_PARSE("structured_data") END AS "structured_data",
    "message",
    "site",
    "drupal_base_url",
    "drupal_type",
    "drupal_ip",
    "drupal_request_uri",
    "drupal_referer",
    "drupal_uid",
    "drupal_link",
    "record_format",
    "parse_status",
    "raw_line",
    "raw_base64",
    "truncated_fields",
    "source_host",
    "source_file",
    "source_offset",
    "shard_id",
    "sequence_number",
    "subsequence",
    "arrival_time"
FROM "public"."drupal_log"
WITH NO SCHEMA BINDING;
