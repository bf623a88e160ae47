// Whole runs against a stream that refuses, fails and loses answers.
import AWS
import Diagnostics
import Foundation
import Testing

@testable import Jobs

@Suite struct ShipJobTests {
    @Test func everyWholeLineIsShippedOnceOverSeveralRuns() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("one\ntwo\nthr")
        let first = await space.ship(stream)
        #expect(first.exitCode == .done)
        #expect(stream.lines == ["one", "two"])
        #expect(first.files.first?.storedOffset == 8)
        #expect(first.files.first?.size == 11)
        try space.append("ee\n\nfive\n")
        let second = await space.ship(stream)
        #expect(stream.lines == ["one", "two", "three", "", "five"])
        #expect(second.records == 3)
        #expect(second.bytes == 12)
        let third = await space.ship(stream)
        #expect(third.records == 0)
        #expect(third.requests == 0)
        #expect(stream.requests.count == 2)
    }

    @Test func sourceKeysNameHostFileGenerationAndOffset() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("one\ntwo\n")
        await space.ship(stream)
        let generation = try #require(try space.positions.files.first?.generation)
        #expect(generation.count == 8)
        #expect(stream.stored.map(\.key) == ["web1/drupal.log/\(generation)/0", "web1/drupal.log/\(generation)/4"])
    }

    @Test func randomKeysAreHexadecimal() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("one\n")
        await space.ship(stream, space.jobFile { $0.destination.partitionKey = .random })
        #expect(stream.stored.map(\.key) == ["8080808080808080"])
    }

    @Test func requestsHoldAtMost500RecordsAndFiveMebibytes() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let long = String(repeating: "x", count: 900_000)
        try space.write(
            (0..<1_201).map { "line \($0)\n" }.joined() + (0..<12).map { _ in long + "\n" }.joined())
        let report = await space.ship(
            stream,
            space.jobFile {
                $0.limits.memory = 512 << 20
                // Several requests at once arrive in any order.
                $0.maxInFlight = 1
            })
        #expect(report.records == 1_213)
        #expect(stream.requests.map(\.count).prefix(2) == [500, 500])
        for request in stream.requests {
            #expect(request.count <= 500)
            #expect(request.bytes <= 5 << 20)
        }
        #expect(stream.lines.prefix(1_201) == (0..<1_201).map { "line \($0)" }[...])
    }

    @Test func tooLongLineBecomesSeveralRecordsThatAreCounted() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let long = String(repeating: "é", count: 1_300_000)
        try space.write("a\n\(long)\nb\n")
        let report = await space.ship(stream)
        #expect(report.exitCode == .done)
        #expect(report.linesSplit == 1)
        #expect(report.records == 5)
        #expect(stream.lines[1...3].joined() == long)
        #expect(stream.stored.allSatisfy { $0.data.count + $0.key.utf8.count <= 1 << 20 })
        #expect(Set(stream.stored.map(\.key)).count == 5)
    }

    @Test func onlyRefusedEntriesAreSentAgain() async throws {
        let space = try Workspace()
        let stream = FakeStream([.refuse([1, 3]), .refuse([0])])
        try space.write("0\n1\n2\n3\n4\n")
        let report = await space.ship(stream)
        #expect(report.exitCode == .done)
        #expect(
            stream.requests.map { batch in (0..<batch.count).map { String(decoding: batch.data($0), as: UTF8.self) } }
                == [
                    ["0", "1", "2", "3", "4"], ["1", "3"], ["1"],
                ])
        #expect(stream.lines.sorted() == ["0", "1", "2", "3", "4"])
        #expect(Set(stream.stored.map(\.key)).count == 5)
        #expect(report.recordsResent == 3)
        #expect(report.records == 5)
        #expect(try space.positions.files.first?.offset == 10)
    }

    @Test func failedRequestIsSentAgainUntilItSucceeds() async throws {
        let space = try Workspace()
        let stream = FakeStream(Array(repeating: .fail(transientError), count: 30))
        try space.write("one\n")
        let before = space.clock.monotonicNanoseconds()
        let report = await space.ship(stream)
        #expect(report.exitCode == .done)
        #expect(stream.lines == ["one"])
        #expect(report.requests == 31)
        #expect(space.clock.monotonicNanoseconds() - before > 60_000_000_000)
    }

    @Test func lostAnswerDoublesRecordsUnderTheSameKeysAndLosesNone() async throws {
        let space = try Workspace()
        let stream = FakeStream([.storeAndLoseAnswer])
        try space.write("one\ntwo\n")
        let report = await space.ship(stream)
        #expect(report.exitCode == .done)
        #expect(stream.lines == ["one", "two", "one", "two"])
        #expect(Set(stream.stored.map(\.key)).count == 2)
        #expect(report.records == 2)
    }

    @Test(arguments: [(AWSErrorCategory.permission, ExitCode.permission), (.missing, .stateOrIdentity)])
    func refusalKeepsThePositionAndEndsTheRun(category: AWSErrorCategory, code: ExitCode) async throws {
        let space = try Workspace()
        try space.write((0..<600).map { "\($0)\n" }.joined())
        let refusing = FakeStream([.store, .fail(refusal(category))])
        let report = await space.ship(refusing)
        #expect(report.exitCode == code)
        #expect(report.problem != nil)
        #expect(report.moreWaiting)
        #expect(report.records == 500)
        let offset = (0..<500).map { "\($0)\n".utf8.count }.reduce(0, +)
        #expect(try space.positions.files.first?.offset == offset)
        let working = FakeStream()
        #expect(await space.ship(working).exitCode == .done)
        #expect(working.lines == (500..<600).map(String.init))
    }

    @Test func partlyStoredBatchResumesAtItsFirstHole() async throws {
        let space = try Workspace()
        try space.write("0\n1\n2\n3\n")
        let stream = FakeStream([.refuse([2]), .fail(refusal(.permission))])
        await space.ship(stream)
        #expect(try space.positions.files.first?.offset == 4)
        let next = FakeStream()
        await space.ship(next)
        #expect(next.lines == ["2", "3"])
    }

    @Test func stopSignalEndsTheRunWithWhatIsStored() async throws {
        let space = try Workspace()
        try space.write((0..<1_500).map { "\($0)\n" }.joined())
        let stop = space.stop
        let stream = FakeStream(beforeRequest: { number in if number == 2 { stop.request(signal: 15) } })
        let file = space.jobFile {
            $0.maxInFlight = 1
            $0.grace = .zero
        }
        let report = await space.ship(stream, file)
        #expect(report.signal == 15)
        #expect(report.exitCode == .temporary)
        #expect(report.moreWaiting)
        let stored = stream.stored.count
        #expect(stored == 500 || stored == 1_000)
        // The next run sends what the position file does not know to be stored: all, or one request more.
        let later = FakeStream()
        space.stop = StopSignal()
        await space.ship(later)
        #expect(Set((stream.stored + later.stored).map(\.key)).count == 1_500)
        #expect(stream.stored.count + later.stored.count <= 2_000)
    }

    @Test func whatWasReadIsStillSentInTheGraceTime() async throws {
        let space = try Workspace()
        try space.write((0..<1_500).map { "\($0)\n" }.joined())
        let stop = space.stop
        let stream = FakeStream(beforeRequest: { number in if number == 1 { stop.request(signal: 15) } })
        let report = await space.ship(stream, space.jobFile { $0.maxInFlight = 1 })
        #expect(report.exitCode == .done && report.signal == nil)
        #expect(stream.stored.count == 1_500)
    }

    @Test func stopSignalEndsAWait() async throws {
        let space = try Workspace()
        try space.write("one\n")
        let stop = space.stop
        let stream = FakeStream(
            Array(repeating: .fail(transientError), count: 1_000),
            beforeRequest: { number in if number == 5 { stop.request(signal: 15) } })
        let report = await space.ship(stream, space.jobFile { $0.grace = .zero })
        #expect(report.signal == 15)
        #expect(report.requests == 5)
        #expect(try space.positions.files.first?.offset == 0)
    }

    @Test func runTimeEndsTheRunWithExit75() async throws {
        let space = try Workspace()
        try space.write("one\n")
        let stream = FakeStream(Array(repeating: .fail(transientError), count: 1_000))
        let report = await space.ship(stream, space.jobFile { $0.limits.runTime = .seconds(30) })
        #expect(report.exitCode == .temporary)
        #expect(report.signal == nil)
        #expect(report.moreWaiting)
        #expect(report.elapsed < .seconds(31))
        let later = FakeStream()
        await space.ship(later)
        #expect(later.lines == ["one"])
    }

    @Test func killAtAnyRequestLosesNothing() async throws {
        // A run that is killed leaves the position file as it was at the last save: here the one before the run.
        for killAt in 1...4 {
            let space = try Workspace()
            try space.write((0..<1_700).map { "\($0)\n" }.joined())
            try FileManager.default.createDirectory(atPath: space.path("state"), withIntermediateDirectories: true)
            let saved = space.path("positions.saved")
            let file = space.path("state/positions.json")
            let clock = space.clock
            let stream = FakeStream(beforeRequest: { number in
                clock.advance(.seconds(2))
                if number == killAt { try? FileManager.default.copyItem(atPath: file, toPath: saved) }
            })
            await space.ship(stream, space.jobFile { $0.maxInFlight = 1 })
            try FileManager.default.removeItem(atPath: file)
            if FileManager.default.fileExists(atPath: saved) {
                try FileManager.default.moveItem(atPath: saved, toPath: file)
            }
            // What had been stored when the process died: the requests before number `killAt`.
            let before = stream.stored.prefix((killAt - 1) * 500)
            let again = FakeStream()
            await space.ship(again)
            let keys = Set((Array(before) + again.stored).map(\.key))
            #expect(keys.count == 1_700, "kill at \(killAt)")
            #expect(again.stored.count == 1_700 - before.count, "kill at \(killAt)")
        }
    }
}
