import CivilTime
import Diagnostics
import Foundation
import Gzip
import Records
import Redshift
import Testing

@testable import Jobs

@Suite struct ValidJobFileTests {
    @Test func shortArchiveFileGetsTheDocumentedDefaults() throws {
        let file = try JobFiles.loadArchive(JobFiles.archive)
        #expect(file.path == "job.yaml")
        #expect(file.name == "drupal")
        #expect(file.source.stream == StreamReference(name: "my_kinesis_stream", region: "us-east-1"))
        #expect(file.source.start == .trimHorizon)
        #expect(file.source.onGap == .stop)
        #expect(file.source.readRate == 2_000_000)
        #expect(file.transform == TransformSettings())
        #expect(file.destination.bucket == "acme-logs")
        #expect(file.destination.region == "us-east-1")
        #expect(file.destination.controlPrefix == "_sluice/drupal/")
        #expect(file.destination.partitionTime == .arrival)
        #expect(file.destination.storageClass == nil && file.destination.sse == nil && file.destination.tags == [:])
        #expect(file.destination.pathStyle == nil)
        #expect(file.seal == .init(bytes: 64 << 20, records: 2_000_000, partitions: 500))
        #expect(file.gzipLevel == 6 && file.gzipEngine == .auto)
        #expect(file.limits == .init(runTime: .seconds(600), parallelShards: 4, memory: 512 << 20))
        #expect(file.stateDirectory == "/var/lib/sluice/drupal")
    }

    @Test func everyArchiveKeyArrivesInItsValue() throws {
        let file = try JobFiles.loadArchive(
            """
            job: archive
            name: a-1
            source: {stream: "arn:aws:kinesis:eu-west-1:111122223333:stream/logs", start: 2026-11-22T20:31:00Z,
              on_gap: continue, read_rate: unlimited}
            transform:
              format: rfc5424
              timezone: Europe/Berlin
              drupal_format: "!base_url|!message"
              sites: {WWW.example.org: example, "b.example:8080/sub": 7}
              raw_line: always
            destination:
              bucket: b.b-1
              region: us-west-2
              prefix: "{stream}/{site}/"
              control_prefix: ctl/x/
              partition_time: event
              storage_class: STANDARD_IA
              sse: aws:kms
              kms_key_id: alias/k
              tags: {team: web, cost: 12}
              expected_bucket_owner: 011122223333
              path_style: true
            seal: {bytes: 1.5GiB, records: 10, partitions: 3}
            gzip_level: 9
            gzip_engine: zlib
            limits: {run_time: 1h30m, parallel_shards: 2, memory: 300MB}
            state: {directory: /srv/state}
            metrics: {textfile: /var/lib/prometheus/node-exporter/x.prom}
            redshift:
              cluster: prod-1
              region: eu-central-1
              database: logs
              user: IAM:loader
              schema: web
              table: lines
              ledger_table: loads
              role_arn: arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/p/b
              jsonpaths: x/y.json
            """)
        #expect(
            file.redshift
                == RedshiftSettings(
                    target: .cluster(identifier: "prod-1", login: .databaseUser("IAM:loader")), region: "eu-central-1",
                    database: "logs", schema: "web", table: "lines", ledgerTable: "loads",
                    roleARN: "arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/p/b",
                    jsonPaths: "x/y.json"))
        #expect(
            file.source.stream
                == StreamReference(
                    name: "logs", arn: "arn:aws:kinesis:eu-west-1:111122223333:stream/logs", region: "eu-west-1"))
        #expect(file.source.start == .time(Timestamp(seconds: 1_795_379_460)))
        #expect(file.source.onGap == .continue)
        #expect(file.source.readRate == nil)
        #expect(file.transform.format == .rfc5424 && file.transform.rawLine == .always)
        #expect(file.transform.timezone == "Europe/Berlin")
        #expect(file.transform.drupalFormat == "!base_url|!message")
        #expect(file.transform.sites == ["www.example.org": "example", "b.example:8080/sub": "7"])
        #expect(file.destination.region == "us-west-2")
        #expect(file.destination.controlPrefix == "ctl/x/")
        #expect(file.destination.partitionTime == .event)
        #expect(file.destination.storageClass == "STANDARD_IA" && file.destination.sse == "aws:kms")
        #expect(file.destination.kmsKeyID == "alias/k")
        #expect(file.destination.tags == ["team": "web", "cost": "12"])
        #expect(file.destination.expectedBucketOwner == "011122223333")
        #expect(file.destination.pathStyle == true)
        #expect(file.seal == .init(bytes: 3 << 29, records: 10, partitions: 3))
        #expect(file.gzipLevel == 9 && file.gzipEngine == .zlib)
        #expect(file.limits == .init(runTime: .seconds(5_400), parallelShards: 2, memory: 300_000_000))
        #expect(file.stateDirectory == "/srv/state")
        #expect(file.metrics == MetricsFile(path: "/var/lib/prometheus/node-exporter/x.prom"))
    }

    @Test func shortRedshiftGroupGetsTheDocumentedDefaults() throws {
        let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:redshift-AbCdEf"
        func settings(_ login: String) throws -> RedshiftSettings? {
            try JobFiles.loadArchive(
                JobFiles.archive
                    + "\nredshift: {\(login), database: d, role_arn: arn:aws:iam::111122223333:role/r}"
            ).redshift
        }
        let plain = try settings("workgroup: www")
        #expect(
            plain
                == RedshiftSettings(
                    target: .workgroup(name: "www", secretARN: nil), region: "us-east-1", database: "d",
                    schema: "public", table: "drupal_log", ledgerTable: "sluice_loads",
                    roleARN: "arn:aws:iam::111122223333:role/r",
                    jsonPaths: JSONPathsFile().key(controlPrefix: "_sluice/drupal/")))
        #expect(
            try settings("cluster: c, secret_arn: \"\(secret)\"")?.target
                == .cluster(identifier: "c", login: .secret(arn: secret)))
        #expect(
            try settings("workgroup: www, secret_arn: \"\(secret)\"")?.target
                == .workgroup(name: "www", secretARN: secret))
        #expect(try JobFiles.loadArchive(JobFiles.archive).redshift == nil)
    }

    @Test func shortShipFileGetsTheDocumentedDefaults() throws {
        let file = try JobFiles.loadShip(JobFiles.ship)
        #expect(file.files == ["/var/log/drupal.log"])
        #expect(file.start == .head)
        #expect(file.destination.stream == StreamReference(name: "my_kinesis_stream", region: "us-east-1"))
        #expect(file.destination.partitionKey == .source && file.destination.aggregate == .none)
        #expect(file.linger == .seconds(1) && file.maxInFlight == 4)
        #expect(file.record == .line && file.multiline == .join && file.longLines == .split && file.rotated.isEmpty)
        #expect(file.rescan == .seconds(10) && file.rotateWait == .seconds(5) && file.grace == .seconds(20))
        #expect(file.limits == .init(memory: 64 << 20, runTime: nil, deadLetter: 1 << 30))
        #expect(file.destination.recordBytes == 1 << 20 && file.destination.requestBytes == 5 << 20)
        #expect(file.stateDirectory == "/var/lib/sluice/drupal-web")
        #expect(file.metrics == nil)
    }

    @Test func everyShipKeyArrivesInItsValue() throws {
        let file = try JobFiles.loadShip(
            """
            job: ship
            name: s
            files:
              - /var/log/*.log
              - /srv/a b.log
            rotated: /srv/old/*
            start: tail
            record: fluentd
            fluentd: {keep_time_key: true, newline: false}
            multiline: off
            long_lines: cut
            destination:
              stream: x
              region: eu-west-1
              partition_key: site
              aggregate: kpl
              aggregate_bytes: 64KiB
              record_bytes: 2MiB
              request_bytes: 6MiB
            linger: 250ms
            max_in_flight: 8
            rescan: 20s
            rotate_wait: 1m
            grace: 5s
            limits: {memory: 128MiB, run_time: 4m, dead_letter: 2MiB}
            state: {directory: /s}
            metrics: {textfile: /m/s.prom}
            """)
        #expect(file.rotated == ["/srv/old/*"] && file.record == .fluentd)
        #expect(file.fluentd == .init(keepTimeKey: true, newline: false))
        #expect(file.multiline == .off && file.longLines == .cut)
        #expect(file.destination.aggregateBytes == 64 << 10 && file.destination.recordBytes == 2 << 20)
        #expect(file.destination.requestBytes == 6 << 20)
        #expect(file.rescan == .seconds(20) && file.rotateWait == .seconds(60) && file.grace == .seconds(5))
        #expect(file.limits == .init(memory: 128 << 20, runTime: .seconds(240), deadLetter: 2 << 20))
        #expect(file.metrics == MetricsFile(path: "/m/s.prom"))
        #expect(file.files == ["/var/log/*.log", "/srv/a b.log"])
        #expect(file.start == .tail && file.linger == .milliseconds(250) && file.maxInFlight == 8)
        #expect(file.destination.partitionKey == .site && file.destination.aggregate == .kpl)
    }

    @Test func regionComesFromTheEnvironmentWhenTheFileHasNone() throws {
        let text = JobFiles.archive.replacingOccurrences(of: "  region: us-east-1\n", with: "")
        #expect(
            try JobFiles.loadArchive(text, environment: ["AWS_REGION": "eu-west-3"]).source.stream.region == "eu-west-3"
        )
        #expect(
            try JobFiles.loadArchive(text, environment: ["AWS_DEFAULT_REGION": "eu-west-2"]).destination.region
                == "eu-west-2")
        #expect(JobFiles.problems(text).map(\.key) == ["source.region"])
    }

    @Test(arguments: ["drupal-archive", "drupal-ship"])
    func sampleJobFileLoadsWithAndWithoutItsVariables(name: String) throws {
        let url = repository.appendingPathComponent("jobs/\(name).yaml")
        let plain = try JobFileLoader.load(path: url.path, environment: [:])
        let environment = [
            "SLUICE_STREAM": "demo", "SLUICE_BUCKET": "demo-bucket", "SLUICE_STATE": "/tmp/a",
            "SLUICE_SHIP_STATE": "/tmp/a", "SLUICE_LOG": "/tmp/x.log", "AWS_REGION": "eu-west-1",
        ]
        let filled = try JobFileLoader.load(path: url.path, environment: environment)
        switch (plain, filled) {
        case (.archive(let plain), .archive(let filled)):
            #expect(plain.source.stream.name == "my_kinesis_stream" && plain.destination.bucket == "acme-logs")
            #expect(filled.source.stream == StreamReference(name: "demo", region: "eu-west-1"))
            #expect(filled.destination.bucket == "demo-bucket" && filled.stateDirectory == "/tmp/a")
            // The sample shows every default: taking the shown keys out changes nothing.
            #expect(plain.seal == .init(bytes: 64 << 20, records: 2_000_000, partitions: 500))
            #expect(plain.transform == TransformSettings())
        case (.ship(let plain), .ship(let filled)):
            #expect(plain.files == ["/var/log/drupal.log"])
            #expect(filled.files == ["/tmp/x.log"] && filled.stateDirectory == "/tmp/a")
        default:
            Issue.record("the sample changed its kind")
        }
    }
}

/// The root of the repository, found from where this file lies.
let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
