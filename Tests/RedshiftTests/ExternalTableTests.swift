// From the placeholders of a prefix to partition columns and their projection.

import Batching
import Redshift
import Testing

@Suite struct ExternalTableTests {
    private func table(_ prefix: String) throws -> String {
        ExternalTable(name: "t", bucket: "b", prefix: try PrefixTemplate(prefix), stream: "my stream").text
    }

    @Test func dateAndHourAreProjected() throws {
        let text = try table("drupal/dt={date}/hour={hour}/")
        #expect(text.contains("PARTITIONED BY (`dt` string, `hour` int)\n"))
        #expect(text.contains("LOCATION 's3://b/drupal/'\n"))
        for line in [
            "'projection.enabled' = 'true'", "'projection.dt.type' = 'date'", "'projection.dt.format' = 'yyyy-MM-dd'",
            "'projection.hour.range' = '0,23'", "'projection.hour.digits' = '2'",
            "'storage.location.template' = 's3://b/drupal/dt=${dt}/hour=${hour}/'",
        ] { #expect(text.contains("    \(line)")) }
        #expect(text.contains("PARTITION (dt ="))
    }

    @Test func columnThatTheRowHasAlreadyIsRenamedAndTheStreamIsSpelledOut() throws {
        let text = try table("{stream}/site={site}/{severity}/y={year}/")
        #expect(text.contains("PARTITIONED BY (`site_partition` string, `severity_partition` string, `y` int)"))
        #expect(
            text.contains(
                "'storage.location.template' = 's3://b/my%20stream/site=${site_partition}/${severity_partition}/y=${y}/'"
            ))
        #expect(text.contains("'projection.site_partition.type' = 'injected'"))
        #expect(text.contains("'projection.severity_partition.values' = '0,1,2,3,4,5,6,7,__none__'"))
        #expect(text.contains("LOCATION 's3://b/my%20stream/'"))
    }

    @Test func whatStandsBehindTheLastSlashIsNoPartition() throws {
        let text = try table("a/dt={date}/h{host}-")
        #expect(text.contains("PARTITIONED BY (`dt` string)") && text.contains("s3://b/a/dt=${dt}/'"))
        let plain = try table("rows/x-")
        #expect(!plain.contains("PARTITIONED") && !plain.contains("projection"))
        #expect(plain.contains("LOCATION 's3://b/rows/'"))
    }
}
