// A following shipper without its loop: a test says when files are looked at, read, and stored.
import AWS
import CivilTime
import Foundation

@testable import Jobs

final class FollowedLogs {
    let set: FileSet
    private let reader: ShipReader
    private var queue: SendQueue
    private let clock: JumpingClock
    /// What the stream has stored.
    private(set) var lines: [String] = []
    /// False while the stream answers nothing.
    var stores = true

    /// - Parameter positions: what an earlier run left.
    init(_ space: Workspace, _ positions: [FilePosition] = []) {
        let file = space.jobFile()
        clock = space.clock
        let framer = ShipReader.framer(file)
        let budget = MemoryBudget(
            memory: file.limits.memory, recordBytesMax: file.destination.recordBytes,
            bufferBytesMin: framer.bufferBytesMin, requestBytesMax: file.destination.requestBytes,
            inFlightMax: file.maxInFlight)
        set = FileSet(
            listing: FileListing(patterns: file.files, rotatedPatterns: file.rotated), start: file.start,
            events: space.events)
        reader = ShipReader(
            file: file, logs: set, budget: budget, framer: framer, hostName: "web1", isOnce: false, random: { 0.5 })
        queue = SendQueue(limits: budget.limits)
        set.begin(positions, now: clock.monotonicNanoseconds(), wall: clock.now(), needsFiles: false)
    }

    /// Looks at names and files, and reads and stores all that is there. Lines wait for those that come after them.
    func catchUp() throws {
        for _ in 0..<3 {
            look()
            try read()
        }
    }

    /// Looks at names alone.
    func look() { set.refresh(now: clock.monotonicNanoseconds(), wall: clock.now()) }

    /// The same without a look at names.
    func read() throws {
        for _ in 0..<2 {
            clock.advance(.seconds(2))
            let now = clock.monotonicNanoseconds()
            reader.lookAtAll(now: now)
            _ = try reader.read(into: &queue, now: now, wall: clock.now())
            if stores { store(now) }
        }
    }

    private func store(_ now: UInt64) {
        while let request = queue.next(now: now, sendsPart: true) {
            var answer = PutRecordsAnswer()
            answer.storedCount = request.batch.count
            for place in 0..<request.batch.count {
                lines.append(String(decoding: request.batch.records.data(place), as: UTF8.self))
            }
            for item in queue.settle(request.id, answer, now: now, random: 0.5).stored {
                set.files[item.file].ledger.complete(item.offset..<item.end)
            }
        }
        for file in set.files where file.phase == .settling && file.isSettled { set.finish(file) }
    }
}
