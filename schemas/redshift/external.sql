-- The archived rows where they lie, for Amazon Athena. Made by `sluice redshift external` from row.schema.json and
-- the job's prefix. Times are ISO 8601 text: from_iso8601_timestamp(event_time) makes a timestamp of one. Redshift
-- Spectrum reads the same table from the Glue catalog, but knows no projection: give it its partitions there, such as
-- ALTER TABLE spectrum.drupal_log ADD IF NOT EXISTS PARTITION (dt = '2026-11-22', hour = 7) LOCATION
-- 's3://acme-logs/drupal/dt=2026-11-22/hour=07/'. Objects without a manifest are read as well: readers that need each
-- record once load through manifests.
CREATE EXTERNAL TABLE IF NOT EXISTS `drupal_log` (
    `event_time`         string,
    `event_time_source`  string,
    `host`               string,
    `program`            string,
    `pid`                string,
    `msg_id`             string,
    `facility`           smallint,
    `severity`           smallint,
    `severity_name`      string,
    `structured_data`    string,
    `message`            string,
    `site`               string,
    `drupal_base_url`    string,
    `drupal_type`        string,
    `drupal_ip`          string,
    `drupal_request_uri` string,
    `drupal_referer`     string,
    `drupal_uid`         bigint,
    `drupal_link`        string,
    `record_format`      string,
    `parse_status`       string,
    `raw_line`           string,
    `raw_base64`         string,
    `truncated_fields`   string,
    `source_host`        string,
    `source_file`        string,
    `source_offset`      bigint,
    `shard_id`           string,
    `sequence_number`    string,
    `subsequence`        int,
    `arrival_time`       string
)
PARTITIONED BY (`dt` string, `hour` int)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://acme-logs/drupal/'
TBLPROPERTIES (
    'classification' = 'json',
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = 'NOW-3YEARS,NOW+1DAYS',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'projection.hour.type' = 'integer',
    'projection.hour.range' = '0,23',
    'projection.hour.digits' = '2',
    'storage.location.template' = 's3://acme-logs/drupal/dt=${dt}/hour=${hour}/'
);
