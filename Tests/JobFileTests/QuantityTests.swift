import Jobs
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("1024B", 1_024), ("2kB", 2_000), ("2KB", 2_000), ("2KiB", 2_048), ("1MB", 1_000_000), ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20), ("1GB", 1_000_000_000), ("4GiB", 4 << 30), ("1.5GiB", 3 << 29), ("0.001MB", 1_000),
        ("1.125MiB", 1_179_648),
    ])
    func sizeIsReadExactly(text: String, bytes: Int) throws {
        let file = try JobFiles.loadArchive(JobFiles.archive + "\nseal: {bytes: \(bytes < 1_024 ? "1KiB" : text)}")
        #expect(file.seal.bytes == max(bytes, 1_024))
    }

    @Test(arguments: [
        "64", "MiB", "64M", "64mib", "64Mb", "-1MiB", "1e3MB", "1.MiB", "1.2345MiB", "64MiBx", "٣MiB", "1,5GiB",
        "9999999999999MiB", "999999999999GiB", "64  TiB",
    ])
    func textThatIsNoSizeIsRefused(text: String) {
        #expect(JobFiles.problems(JobFiles.archive + "\nseal: {bytes: \"\(text)\"}").map(\.key) == ["seal.bytes"])
    }

    @Test(arguments: [
        ("1s", Duration.seconds(1)), ("1500ms", .milliseconds(1_500)), ("10m", .seconds(600)),
        ("1h30m", .seconds(5_400)),
        ("1d", .seconds(86_400)), ("1m5ms", .milliseconds(60_005)), ("23h59m59s999ms", .milliseconds(86_399_999)),
    ])
    func durationIsReadExactly(text: String, duration: Duration) throws {
        #expect(try JobFiles.loadArchive(JobFiles.archive + "\nlimits: {run_time: \(text)}").limits.runTime == duration)
    }

    @Test(arguments: [
        "10", "m", "10 m", "1.5h", "30m1h", "1h1h", "10min", "-1s", "1s ", "99999999999999s", "٣s", "999ms",
    ])
    func textThatIsNoDurationOrTooShortIsRefused(text: String) {
        let problems = JobFiles.problems(JobFiles.archive + "\nlimits: {run_time: \"\(text)\"}")
        #expect(problems.map(\.key) == ["limits.run_time"])
    }

    /// One below, at and above each limit.
    @Test(arguments: [
        ("gzip_level: %", 1, 9), ("seal: {records: %}", 1, 100_000_000),
        ("limits: {memory: 64GiB}\nseal: {partitions: %}", 1, 2_000),
        ("limits: {memory: 64GiB, parallel_shards: %}", 1, 256),
    ])
    func limitIsKeptAtBothEnds(line: String, low: Int, high: Int) {
        func accepts(_ value: Int) -> Bool {
            JobFiles.problems(JobFiles.archive + "\n" + line.replacing("%", with: "\(value)")).isEmpty
        }
        #expect(accepts(low) && accepts(high))
        #expect(!accepts(low - 1) && !accepts(high + 1))
    }

    @Test func memoryThatJustFitsIsAccepted() {
        let needed = ArchiveJobFile.Limits.memoryNeeded(parallelShards: 3, partitions: 100)
        func problems(_ memory: Int) -> [String] {
            let settings = "\nseal: {partitions: 100}\nlimits: {parallel_shards: 3, memory: \(memory)B}"
            return JobFiles.problems(JobFiles.archive + settings).map(\.key)
        }
        #expect(needed == 64 << 20 + 3 * (40 << 20 + 100 * 56 << 10))
        #expect(problems(needed) == [])
        #expect(problems(needed - 1) == ["limits.memory"])
    }
}
