// The text that node_exporter reads: form, escapes, and a file that is whole, readable and never a half.

import CivilTime
import Diagnostics
import Foundation
import Glibc
import State
import Testing

@testable import Jobs

/// Removed with the value.
final class ScratchDirectory {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
}

/// Remembers what was told.
final class HeardEvents: JobEvents {
    private let lock = NSLock()
    nonisolated(unsafe) private var heard: [String] = []
    var lines: [String] { lock.withLock { heard } }
    func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)]) {
        lock.withLock { heard.append("\(level.rawValue): \(message)") }
    }
    func progress(_ snapshot: ProgressSnapshot) {}
}

@Suite struct ExpositionTests {
    @Test func familiesAreWrittenWithHelpTypeLabelsAndNumbers() {
        var records = MetricFamily("sluice_x_total", .counter, help: "Back\\slash and\nline feed, \"quotes\".")
        records.add(3, [("job", "a\"b\\c\nd"), ("shard", "s")])
        records.add(1.5, [])
        let empty = MetricFamily("sluice_y_seconds", .gauge, help: "None.")
        #expect(
            Exposition.text([records, empty]) == """
                # HELP sluice_x_total Back\\\\slash and\\nline feed, "quotes".
                # TYPE sluice_x_total counter
                sluice_x_total{job="a\\"b\\\\c\\nd",shard="s"} 3
                sluice_x_total 1.5

                """)
    }

    @Test(arguments: [
        (0.0, "0"), (-3.0, "-3"), (1_732_307_465.25, "1732307465.25"), (9_007_199_254_740_991, "9007199254740991"),
        (1e300, "1e+300"), (0.1, "0.1"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (1.9675925925925927e-07, "1.9675925925925927e-07"),
    ])
    func numberReadsBackAsItself(value: Double, text: String) {
        #expect(Exposition.number(value) == text)
        #expect(value.isNaN || Double(text) == value)
    }

    @Test func fileIsReplacedInOneStepAndReadableByOthers() throws {
        let directory = try ScratchDirectory()
        let before = umask(0o077)
        defer { umask(before) }
        let file = MetricsFile(path: "\(directory.path)/sluice.prom")
        // What a killed writer left behind, and a link that points elsewhere.
        try "old".write(toFile: "\(directory.path)/victim", atomically: false, encoding: .utf8)
        symlink("\(directory.path)/victim", "\(directory.path)/sluice.prom.tmp")
        var family = MetricFamily("sluice_x", .gauge, help: "X.")
        family.add(1, [])
        try file.write([family])
        #expect(try directory.text("sluice.prom").hasSuffix("sluice_x 1\n"))
        #expect(try directory.text("victim") == "old")
        #expect(directory.names == ["sluice.prom", "victim"])
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o644)
        family.add(2, [("a", "b")])
        try file.write([family])
        #expect(try directory.text("sluice.prom").hasSuffix("{a=\"b\"} 2\n"))
    }

    @Test func failureToWriteIsAWarning() throws {
        let events = HeardEvents()
        MetricsFile(path: "/nowhere/sluice.prom").write([], events: events)
        #expect(events.lines.count == 1)
        #expect(events.lines[0].hasPrefix("warning: metrics: make /nowhere/sluice.prom.tmp: No such file"))
        let full = MetricsFile(path: "/dev/full/x.prom")
        #expect(throws: FileError.self) { try full.write([]) }
    }
}

@Suite struct RunLedgerTests {
    private let start = Timestamp(seconds: 1_700_000_000)

    @Test func runsAreCountedByHowTheyEndedAndAKilledOneShows() throws {
        var ledger = RunLedger(job: "j")
        ledger.begin(at: start)
        #expect(ledger.lastRun?.ended == nil && ledger.lastEnded == nil)
        ledger.end(at: start.adding(.seconds(5)), exitCode: 0, problem: nil)
        ledger.begin(at: start.adding(.seconds(300)))
        // Killed: the next one begins without an end in between.
        ledger.begin(at: start.adding(.seconds(600)))
        #expect(ledger.lastEnded?.exitCode == 0 && ledger.lastSuccess == start.adding(.seconds(5)))
        ledger.end(at: start.adding(.seconds(601)), exitCode: 75, problem: "p")
        #expect(ledger.runsByExit == ["0": 1, "killed": 1, "75": 1])
        #expect(ledger.lastRun == ledger.lastEnded && ledger.lastRun?.problem == "p")
        #expect(ledger.lastSuccess == start.adding(.seconds(5)))
    }

    @Test func fileComesBackAndDamageIsNoHindrance() throws {
        let scratch = try ScratchDirectory()
        let directory = StateDirectory(scratch.path)
        #expect(RunLedger.read(directory, job: "j") == nil)
        var ledger = RunLedger(job: "j")
        ledger.stream = "s"
        ledger.retentionSeconds = 86_400
        ledger.begin(at: start)
        ledger.end(at: start, exitCode: 143, problem: "x")
        try ledger.write(directory)
        #expect(RunLedger.read(directory, job: "j") == ledger)
        #expect(RunLedger.read(directory, job: "other") == nil)
        #expect(scratch.names == ["ledger.json"])
        for text in ["", "{", "{\"format_version\":9}", String(repeating: "x", count: 2 << 20)] {
            try text.write(toFile: "\(scratch.path)/ledger.json", atomically: false, encoding: .utf8)
            #expect(RunLedger.read(directory, job: "j") == nil)
        }
    }

    @Test func metricsOfRunsTellTheLastEndWhileTheNextOneWorks() {
        var ledger = RunLedger(job: "j")
        ledger.begin(at: start)
        ledger.end(at: start.adding(.seconds(5)), exitCode: 75, problem: nil)
        ledger.begin(at: start.adding(.seconds(300)))
        let text = Exposition.text(RunMetrics.families(ledger, command: "archive", labels: [("job", "j")]))
        #expect(text.contains("sluice_run_exit_code{job=\"j\",command=\"archive\"} 75\n"))
        #expect(text.contains("sluice_run_start_timestamp_seconds{job=\"j\",command=\"archive\"} 1700000300\n"))
        #expect(text.contains("sluice_run_end_timestamp_seconds{job=\"j\",command=\"archive\"} 1700000005\n"))
        #expect(text.contains("sluice_runs_total{job=\"j\",command=\"archive\",exit_code=\"75\"} 1\n"))
        #expect(!text.contains("last_success"))
    }

    @Test func totalsOfAShipJobGrowWithItsRuns() {
        var ledger = RunLedger(job: "w")
        for _ in 0..<2 {
            ledger.begin(at: start)
            ledger.counters[ShipMetrics.Counter.records.rawValue, default: 0] += 5
            ledger.end(at: start, exitCode: 0, problem: nil)
        }
        let text = Exposition.text(ShipMetrics(job: "w", stream: "s", ledger: ledger).families())
        #expect(text.contains("\nsluice_ship_records_total{job=\"w\",stream=\"s\"} 10\n"))
        #expect(text.contains("\nsluice_ship_lines_cut_total{job=\"w\",stream=\"s\"} 0\n"))
        #expect(text.contains("\nsluice_ship_last_success_timestamp_seconds{job=\"w\",stream=\"s\"} 1700000000\n"))
    }
}
