// Each way to get a job file wrong, with the place, the words and the remedy that the operator sees.

import Diagnostics
import Foundation
import Jobs
import Testing

/// One spoiled file: a line of a good file is replaced, and exactly one problem must come out.
struct WrongFile: Sendable, CustomTestStringConvertible {
    var replace: String
    var with: String
    var at: (line: Int, column: Int)
    var key: String
    var says: String
    var remedy: String
    /// False for rules that JSON Schema cannot state: two keys together, the environment, this machine.
    var schemaSees = true

    init(
        _ replace: String, _ with: String, at line: Int, _ column: Int, key: String, says: String, remedy: String,
        schemaSees: Bool = true
    ) {
        self.replace = replace
        self.with = with
        at = (line, column)
        self.key = key
        self.says = says
        self.remedy = remedy
        self.schemaSees = schemaSees
    }

    var testDescription: String { "\(key): \(with.debugDescription)" }
    func text(of good: String) -> String { good.replacingOccurrences(of: replace, with: with) }
}

let wrongArchiveFiles: [WrongFile] = [
    .init(
        "job: archive", "job: archiv", at: 1, 6, key: "job", says: "not a kind of job",
        remedy: "did you mean `archive`?"),
    .init("job: archive\n", "", at: 1, 1, key: "job", says: "is missing", remedy: "add `job: archive`"),
    .init("name: drupal", "name: Drupal_1", at: 2, 7, key: "name", says: "not a job name", remedy: "a-z, 0-9 and -"),
    .init("name: drupal\n", "", at: 1, 1, key: "name", says: "is missing", remedy: "add `name: drupal`"),
    .init("name: drupal", "name:", at: 2, 6, key: "name", says: "has no value", remedy: "give a value"),
    .init("name: drupal", "name: [a]", at: 2, 7, key: "name", says: "not a list", remedy: "on the line of the key"),
    .init(
        "  stream: my_kinesis_stream", "  stream: my stream", at: 4, 11, key: "source.stream",
        says: "\"my stream\" is not a stream name", remedy: "arn:aws:kinesis"),
    .init(
        "  stream: my_kinesis_stream", "  sream: my_kinesis_stream", at: 4, 3, key: "source.sream",
        says: "unknown key", remedy: "did you mean `stream`?"),
    .init(
        "  stream: my_kinesis_stream", "  stream: arn:aws:kinesis:eu-west-1:111122223333:stream/x", at: 4, 11,
        key: "source.stream", says: "lies in eu-west-1, but source.region says us-east-1", remedy: "correct one",
        schemaSees: false),
    .init(
        "  region: us-east-1", "  region: us-east1", at: 5, 11, key: "source.region", says: "not a region",
        remedy: "did you mean `us-east-1`?"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  start: trim-horizon", at: 6, 10, key: "source.start",
        says: "not a start", remedy: "did you mean `trim_horizon`?"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  on_gap: skip", at: 6, 11, key: "source.on_gap",
        says: "not accepted", remedy: "accepted: stop, continue"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  read_rate: 3MiB", at: 6, 14, key: "source.read_rate",
        says: "out of range", remedy: "from 10kB to 2MiB, or `unlimited`", schemaSees: false),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  read_rate: 2MB/s", at: 6, 14, key: "source.read_rate",
        says: "not a size", remedy: "unlimited"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  timezone: UTC", at: 6, 3, key: "source.timezone",
        says: "unknown key here", remedy: "belongs under `transform:`"),
    .init(
        "source:", "transform:\n  timezone: Europe/Berln\nsource:", at: 4, 13, key: "transform.timezone",
        says: "not a time zone", remedy: "did you mean `Europe/Berlin`?", schemaSees: false),
    .init(
        "source:", "transform:\n  format: syslog\nsource:", at: 4, 11, key: "transform.format", says: "not accepted",
        remedy: "accepted: auto, rfc3164, rfc5424, fluentd, json, lines"),
    .init(
        "source:", "transform:\n  drupal_format: !base_url\nsource:", at: 4, 18, key: "transform.drupal_format",
        says: "begins with `!`", remedy: "double quotes", schemaSees: false),
    .init(
        "source:", "transform:\n  sites: {http://www.example.org/: a}\nsource:", at: 4, 11,
        key: "transform.sites.http://www.example.org/", says: "not a host of a base URL", remedy: "www.example.org:8080"
    ),
    .init(
        "source:", "transform:\n  sites: {a.org: a, A.org: b}\nsource:", at: 4, 21, key: "transform.sites.A.org",
        says: "given twice", remedy: "keep one", schemaSees: false),
    .init(
        "dt={date}", "dt={dat}", at: 8, 11, key: "destination.prefix", says: "unknown placeholder {dat}",
        remedy: "did you mean {date}?"),
    .init(
        "\"drupal/dt", "\"/drupal/dt", at: 8, 11, key: "destination.prefix", says: "empty path segment",
        remedy: "do not begin with /", schemaSees: false),
    .init(
        "source:", "transform: auto\nsource:", at: 3, 12, key: "transform", says: "a group of keys is expected",
        remedy: "format, timezone"),
    .init(
        "  bucket: acme-logs", "  bucket: s3://acme-logs", at: 7, 11, key: "destination.bucket",
        says: "not a bucket name", remedy: "without s3://"),
    .init(
        "  bucket: acme-logs\n", "", at: 6, 1, key: "destination.bucket", says: "is missing",
        remedy: "bucket: acme-logs"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  control_prefix: /ctl", at: 9, 19, key: "destination.control_prefix",
        says: "not a fixed prefix", remedy: "_sluice/drupal/"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  control_prefix: drupal/", at: 8, 11, key: "destination.prefix",
        says: "inside the control prefix", remedy: "another prefix", schemaSees: false),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  kms_key_id: alias/k", at: 9, 15, key: "destination.kms_key_id",
        says: "of no use without KMS", remedy: "sse: aws:kms", schemaSees: false),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  sse: kms", at: 9, 8, key: "destination.sse", says: "not accepted",
        remedy: "aws:kms"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  storage_class: standard", at: 9, 18, key: "destination.storage_class",
        says: "not accepted", remedy: "did you mean `STANDARD`?"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  expected_bucket_owner: acme", at: 9, 26,
        key: "destination.expected_bucket_owner", says: "not an account number", remedy: "12 digits"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  path_style: yes please", at: 9, 15, key: "destination.path_style",
        says: "not accepted", remedy: "true, false"),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  tags: {\"aws:x\": y}", at: 9, 10, key: "destination.tags.aws:x",
        says: "not a tag", remedy: "aws:", schemaSees: false),
    .init(
        "hour={hour}/\"", "hour={hour}/\"\n  secret_access_key: abc", at: 9, 3, key: "destination.secret_access_key",
        says: "no such key", remedy: "credentials never go into a job file"),
    .init(
        "  bucket: acme-logs", "  bucket: AKIAIOSFODNN7EXAMPLE", at: 7, 11, key: "destination.bucket",
        says: "looks like an AWS access key", remedy: "credentials never go into a job file"),
    .init(
        "  bucket: acme-logs", "  bucket: ${AWS_SECRET_ACCESS_KEY}", at: 7, 11, key: "destination.bucket",
        says: "name of a secret", remedy: "credentials never go into a job file", schemaSees: false),
    .init(
        "  bucket: acme-logs", "  bucket: ${NOWHERE}", at: 7, 11, key: "destination.bucket",
        says: "environment variable NOWHERE is not set", remedy: "${NOWHERE:-value}", schemaSees: false),
    .init(
        "  bucket: acme-logs", "  bucket: ${a b}", at: 7, 11, key: "destination.bucket", says: "not a variable",
        remedy: "${NAME:-default}"),
    .init(
        "  bucket: acme-logs", "  bucket: ${EVIL}", at: 7, 11, key: "destination.bucket", says: "control character",
        remedy: "plain text", schemaSees: false),
    .init(
        "source:", "seal: {bytes: 64}\nsource:", at: 3, 15, key: "seal.bytes", says: "has no unit",
        remedy: "such as 64MiB"),
    .init(
        "source:", "seal: {bytes: 64 megs}\nsource:", at: 3, 15, key: "seal.bytes", says: "not a size",
        remedy: "kB, KiB, MB, MiB"),
    .init(
        "source:", "seal: {bytes: 5GiB}\nsource:", at: 3, 15, key: "seal.bytes", says: "out of range",
        remedy: "from 1KiB to 4GiB", schemaSees: false),
    .init(
        "source:", "seal: {records: many}\nsource:", at: 3, 17, key: "seal.records", says: "not a whole number",
        remedy: "from 1 to 100000000"),
    .init(
        "source:", "seal: {partitions: 0}\nsource:", at: 3, 20, key: "seal.partitions", says: "0 is out of range",
        remedy: "from 1 to 2000"),
    .init(
        "source:", "gzip_level: 10\nsource:", at: 3, 13, key: "gzip_level", says: "10 is out of range",
        remedy: "from 1 to 9"),
    .init(
        "source:", "limits: {run_time: 10}\nsource:", at: 3, 20, key: "limits.run_time", says: "has no unit",
        remedy: "such as 10m"),
    .init(
        "source:", "limits: {run_time: 10 minutes}\nsource:", at: 3, 20, key: "limits.run_time",
        says: "not a duration", remedy: "d, h, m, s, ms"),
    .init(
        "source:", "limits: {run_time: 25h}\nsource:", at: 3, 20, key: "limits.run_time", says: "out of range",
        remedy: "from 1s to 1d", schemaSees: false),
    .init(
        "source:", "limits: {parallel_shards: 0}\nsource:", at: 3, 27, key: "limits.parallel_shards",
        says: "out of range", remedy: "from 1 to 256"),
    .init(
        "source:", "limits: {memory: 256MiB}\nsource:", at: 3, 18, key: "limits.memory",
        says: "256MiB is too little for 4 shards with 500 partitions",
        remedy: "set memory to 334MiB or more, or parallel_shards to 2, or seal.partitions to 146", schemaSees: false),
    .init(
        "source:", "limits: {memory: 64MiB}\nsource:", at: 3, 18, key: "limits.memory",
        says: "64MiB is too little", remedy: "set memory to 334MiB or more", schemaSees: false),
    .init(
        "source:", "state: {directory: var/lib/sluice}\nsource:", at: 3, 20, key: "state.directory",
        says: "not an absolute path", remedy: "/var/lib/sluice"),
    .init(
        "source:", "state: {dynamodb: {table: t}}\nsource:", at: 3, 9, key: "state.dynamodb",
        says: "this version of sluice does not have it", remedy: "state.directory"),
    .init(
        "source:", "metrics: {textfile: /x}\nsource:", at: 3, 21, key: "metrics.textfile",
        says: "not an absolute path that ends with .prom", remedy: "node_exporter"),
    .init(
        "source:", "metrics: {textfile: x.prom}\nsource:", at: 3, 21, key: "metrics.textfile",
        says: "not an absolute path that ends with .prom", remedy: "node_exporter"),
    .init(
        "source:", "metrics: {textfile: /x/.prom}\nsource:", at: 3, 21, key: "metrics.textfile",
        says: "not an absolute path that ends with .prom", remedy: "node_exporter"),
    .init(
        "source:", "metrics: {}\nsource:", at: 3, 1, key: "metrics.textfile", says: "is missing",
        remedy: "add `textfile:"),
    .init(
        "source:", "<<: {a: b}\nsource:", at: 3, 1, key: "<<", says: "unknown key", remedy: "merge keys"),
    .init(
        "name: drupal", "name: drupal\nname: other", at: 3, 1, key: "name", says: "given twice, first on line 2",
        remedy: "keep one", schemaSees: false),
]

let wrongShipFiles: [WrongFile] = [
    .init(
        "files: [\"/var/log/drupal.log\"]", "files: []", at: 3, 8, key: "files", says: "is empty",
        remedy: "/var/log/drupal.log"),
    .init("files: [\"/var/log/drupal.log\"]\n", "", at: 1, 1, key: "files", says: "is missing", remedy: "add `files:"),
    .init(
        "files: [\"/var/log/drupal.log\"]", "files: [/a, b.log]", at: 3, 13, key: "files[1]",
        says: "not an absolute path", remedy: "/var/log/drupal*.log"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  partition_key: host", at: 7, 18,
        key: "destination.partition_key", says: "not accepted", remedy: "accepted: source, random, site"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  aggregate: gzip", at: 7, 14, key: "destination.aggregate",
        says: "not accepted", remedy: "accepted: none, lines, kpl"),
    .init(
        "  region: us-east-1", "  region: us-east-1\n  bucket: b", at: 7, 3, key: "destination.bucket",
        says: "unknown key", remedy: "known keys here: stream, region"),
    .init("job: ship", "job: ship\nstart: middle", at: 2, 8, key: "start", says: "not accepted", remedy: "head, tail"),
    .init(
        "job: ship", "job: ship\nlinger: 2m", at: 2, 9, key: "linger", says: "out of range", remedy: "from 0s to 1m",
        schemaSees: false),
    .init(
        "job: ship", "job: ship\nmax_in_flight: 65", at: 2, 16, key: "max_in_flight", says: "out of range",
        remedy: "from 1 to 64"),
    .init(
        "job: ship", "job: ship\nmax_inflight: 6", at: 2, 1, key: "max_inflight", says: "unknown key",
        remedy: "did you mean `max_in_flight`?"),
]

@Suite struct WrongJobFileTests {
    static let environment = ["EVIL": "a\nsource: {stream: x}", "AWS_SECRET_ACCESS_KEY": "s3cr3t-value"]

    @Test(arguments: wrongArchiveFiles + wrongRedshiftFiles)
    func wrongArchiveFileIsReportedOnceWithPlaceAndRemedy(wrong: WrongFile) {
        check(wrong, good: JobFiles.archive)
    }

    @Test(arguments: wrongShipFiles) func wrongShipFileIsReportedOnceWithPlaceAndRemedy(wrong: WrongFile) {
        check(wrong, good: JobFiles.ship)
    }

    private func check(_ wrong: WrongFile, good: String) {
        let text = wrong.text(of: good)
        #expect(text != good, "the fixture changes nothing")
        let problems = JobFiles.problems(text, environment: Self.environment)
        #expect(problems.count == 1, "\(problems)")
        guard let problem = problems.first else { return }
        #expect(problem.line == wrong.at.line && problem.column == wrong.at.column, "\(problem)")
        #expect(problem.key == wrong.key)
        #expect(problem.message.contains(wrong.says), "\(problem.message)")
        #expect(problem.remedy?.contains(wrong.remedy) == true, "\(problem.remedy ?? "no remedy")")
        for text in [problem.message, problem.remedy ?? ""] {
            #expect(!text.contains("s3cr3t") && !text.contains("AKIAIOSFODNN7EXAMPLE"))
        }
    }

    @Test func everyProblemOfAFileIsFoundInOnePassAndInOrder() {
        let text = """
            job: archive
            name: Bad Name
            name: again
            source:
              stream: a b
              stream: c
              region: nowhere
              start: never
            transform: {format: x, timezone: Mars/Base}
            destination:
              bucket: B
              prefx: x/
            gzip_level: 0
            limits: {memory: 64MiB}
            """
        let problems = JobFiles.problems(text)
        #expect(
            problems.map { "\($0.line) \($0.key)" } == [
                "2 name", "3 name", "5 source.stream", "6 stream", "7 source.region", "8 source.start",
                "9 transform.format", "9 transform.timezone", "11 destination.bucket", "12 destination.prefx",
                "13 gzip_level", "14 limits.memory",
            ], "\(problems)")
    }

    @Test(arguments: [
        ("a: [1", 2, "not valid YAML"), ("a:\n\t- b", 2, "not valid YAML"), ("", 1, "the file is empty"),
        ("- a\n- b\n", 1, "a job file is a group of keys, not a list"), ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("drupal_format: *x", 1, "not valid YAML"), ("a: {b: 1, b: 2}", 1, "given twice"),
        ("[a]: b\njob: ship", 1, "a key must be a plain word"),
    ])
    func textThatIsNoJobFileIsReportedWithItsLine(text: String, line: Int, says: String) {
        let problems = JobFiles.problems(text)
        #expect(problems.first?.line == line && problems.first?.message.contains(says) == true, "\(problems)")
        #expect(problems.first?.remedy != nil, "\(problems)")
    }

    @Test func bytesThatAreNotUTF8AreReportedWithTheirLine() {
        do throws(JobFileError) {
            _ = try JobFileLoader.parse(Array("job: ship\n".utf8) + [0x61, 0xC3, 0x28], path: "j", environment: [:])
            Issue.record("accepted")
        } catch {
            #expect(error.problems.map(\.line) == [2] && error.problems.first?.message == "the file is not UTF-8 text")
        }
    }

    @Test func deepNestingIsRefusedWithoutHarm() {
        let text = "job: ship\nx: " + String(repeating: "[", count: 200_000)
        #expect(JobFiles.problems(text).count == 1)
    }

    @Test func fileThatCannotBeReadSaysWhy() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let open = directory.appendingPathComponent("open.yaml")
        try JobFiles.ship.write(to: open, atomically: false, encoding: .utf8)
        #expect(chmod(open.path, 0o646) == 0)
        let large = directory.appendingPathComponent("large.yaml")
        try Data(count: JobFileLoader.bytesMax + 1).write(to: large)
        for (path, says) in [
            (directory.path + "/absent.yaml", "No such file"), (directory.path, "not a file"),
            (open.path, "every user of this machine may write it"), (large.path, "larger than 1MiB"),
        ] {
            do throws(JobFileError) {
                _ = try JobFileLoader.load(path: path, environment: [:])
                Issue.record("accepted \(path)")
            } catch {
                #expect(error.problems.first?.message.contains(says) == true, "\(error)")
                #expect(error.exitCode == .jobFileInvalid)
            }
        }
        #expect(chmod(open.path, 0o644) == 0)
        #expect(throws: Never.self) { try JobFileLoader.load(path: open.path, environment: [:]) }
    }

    @Test func errorNamesTheFirstProblemAndCountsTheOthers() {
        do throws(JobFileError) {
            _ = try JobFiles.load(
                "job: ship\nname: A\nfiles: /x\nlinger: 9\ndestination: {stream: s, region: eu-west-1}")
            Issue.record("accepted")
        } catch {
            #expect(
                error.diagnostic.summary
                    == "read job file job.yaml: 2:7: name: \"A\" is not a job name (and 1 more: sluice check job.yaml)")
            #expect(error.exitCode == .jobFileInvalid && !error.isTransient)
        }
    }
}
