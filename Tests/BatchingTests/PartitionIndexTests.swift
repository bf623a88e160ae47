import Batching
import CivilTime
import Testing

struct PartitionIndexTests {
    private func identifier(
        _ index: PartitionIndex, time: Timestamp = sampleTime, site: String = "", host: String = "",
        severity: Int? = nil
    ) -> Int {
        withBytes(site) { site in
            withBytes(host) { host in
                index.identifier(
                    time: time, site: site, host: host, program: UnsafeRawBufferPointer(start: nil, count: 0),
                    severity: severity)
            }
        }
    }

    @Test func partitionsAreNumberedInOrderOfAppearance() throws {
        let index = PartitionIndex(template: try PrefixTemplate("{site}/"), stream: "logs", partitionsMax: 10)
        #expect(["a", "b", "a", "a", "c", "b"].map { identifier(index, site: $0) } == [0, 1, 0, 0, 2, 1])
        #expect(index.count == 3)
        #expect(index.prefix(of: 2) == "c/")
        index.removeAll()
        #expect(index.count == 0)
        #expect(identifier(index, site: "c") == 0)
        #expect(index.prefix(of: 0) == "c/")
    }

    @Test(arguments: [
        "all/", "{year}/", "{month}/", "{year}/{month}/", "{day}/", "{date}/", "{hour}/", "{date}/{hour}/",
        "{site}/", "{date}/{site}/{host}/", "{severity}/{hour}/", "{stream}/{site}-{severity}/",
    ])
    func indexAgreesWithRenderingEachRow(text: String) throws {
        let template = try PrefixTemplate(text)
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let index = PartitionIndex(template: template, stream: "logs", partitionsMax: 1_000_000)
        let values = [
            "", "a", "b", "ab", "a/", ".", "__none__", String(repeating: "x", count: 300),
            String(repeating: "y", count: 3_000),
        ]
        for _ in 0..<3_000 {
            let time = Timestamp(seconds: Int64.random(in: -90_000_000...90_000_000, using: &generator))
            let site = values[Int.random(in: 0..<values.count, using: &generator)]
            let host = values[Int.random(in: 0..<values.count, using: &generator)]
            let severity = Int.random(in: -1...7, using: &generator)
            let expected = withBytes(site) { site in
                withBytes(host) { host in
                    template.render(
                        PartitionValues(
                            time: time, stream: "logs", site: site, host: host,
                            severity: severity < 0 ? nil : severity))
                }
            }
            let found = identifier(
                index, time: time, site: site, host: host, severity: severity < 0 ? nil : severity)
            #expect(index.prefix(of: found) == expected, "seed \(seed)")
        }
        #expect(Set((0..<index.count).map { index.prefix(of: $0) }).count == index.count, "seed \(seed)")
    }

    @Test(arguments: [
        ("{hour}/", Int64(3_600)), ("{date}/", 86_400), ("{day}/", 86_400), ("{month}/", 2_678_400),
        ("{year}/", 31_622_400),
    ])
    func spanEndsAtItsLastMicrosecond(text: String, seconds: Int64) throws {
        // 2024-01-01T00:00:00Z; January has 31 days and 2024 has 366.
        let start = Timestamp(seconds: 1_704_067_200)
        let index = PartitionIndex(template: try PrefixTemplate(text), stream: "logs", partitionsMax: 10)
        let inside = identifier(index, time: start)
        #expect(identifier(index, time: start.adding(.seconds(seconds) - .microseconds(1))) == inside)
        #expect(identifier(index, time: start.adding(.seconds(seconds))) != inside)
        #expect(identifier(index, time: start.adding(.microseconds(-1))) != inside)
    }

    @Test(arguments: [Int64.min, .max, 0])
    func extremeInstantsFindAPartition(microseconds: Int64) throws {
        for text in ["{hour}{date}", "{month}", "{year}", "x"] {
            let template = try PrefixTemplate(text)
            let index = PartitionIndex(template: template, stream: "logs", partitionsMax: 1)
            let time = Timestamp(microseconds: microseconds)
            let found = identifier(index, time: time)
            #expect(identifier(index, time: time) == found)
            #expect(index.prefix(of: found) == template.render(PartitionValues(time: time, stream: "logs")))
        }
    }

    @Test func partitionsBeyondTheLimitShareOne() throws {
        let template = try PrefixTemplate("{stream}/{date}/s={site}/")
        let index = PartitionIndex(template: template, stream: "logs", partitionsMax: 3)
        #expect((0..<3).map { identifier(index, site: "s\($0)") } == [0, 1, 2])
        #expect((3..<50).allSatisfy { identifier(index, site: "s\($0)") == 3 })
        #expect(index.count == 4)
        #expect(index.isOverflow(3))
        #expect(!index.isOverflow(2))
        #expect(index.prefix(of: 3) == "logs/__other__/s=__other__/")
        #expect((0..<3).map { identifier(index, site: "s\($0)") } == [0, 1, 2])
        index.removeAll()
        #expect(identifier(index, site: "s49") == 0)
        #expect(!index.isOverflow(3))
    }

    @Test func keysThatRenderAlikeShareAPartitionAlsoBeyondTheTable() throws {
        let index = PartitionIndex(template: try PrefixTemplate("{hour}/"), stream: "logs", partitionsMax: 24)
        for day in 0..<200 {
            for hour in [0, 7, 23] {
                let time = Timestamp(seconds: Int64(day * 86_400 + hour * 3_600))
                #expect(index.prefix(of: identifier(index, time: time)) == (hour < 10 ? "0\(hour)/" : "\(hour)/"))
            }
        }
        #expect(index.count == 3)
    }
}
