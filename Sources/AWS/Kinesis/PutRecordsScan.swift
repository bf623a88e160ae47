// The one pass over a PutRecords answer. Nearly all of its records say "stored", so these are counted by the bytes of
// their shard's id without building anything; only failures become values.

struct PutRecordsScan {
    /// A shard that stored records: where its id stands for the first time.
    private struct Tally {
        var id: JSONStringRange
        /// The last eight bytes of the id (all of a shorter one): they tell shards apart.
        var tail: UInt64
        var stored: Int
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let expected: Int
    private var seen = 0
    private var stored = 0
    private var failures: [PutRecordsAnswer.Failure] = []
    /// At most as many as records were sent.
    private var tallies: [Tally] = []
    /// The tally that was counted last for each hash of a tail; -1 for none yet. Where two shards have one hash the
    /// other one is searched for.
    private var slots = [Int16](repeating: -1, count: 1 << Self.slotBits)
    private static let slotBits = 10

    /// Reads the answer to a request of `expected` records; any other number of answers is a fault.
    static func run(_ body: [UInt8], expected: Int) throws(AnswerFault) -> PutRecordsAnswer {
        var outcome: Result<PutRecordsAnswer, AnswerFault> = .failure(AnswerFault("no answer"))
        body.withUnsafeBufferPointer { bytes in
            var scan = PutRecordsScan(bytes, expected: expected)
            do throws(JSONFault) {
                outcome = .success(try scan.answer())
            } catch { outcome = .failure(AnswerFault(error)) }
        }
        let answer = try outcome.get()
        guard answer.storedCount + answer.failures.count == expected else {
            throw AnswerFault(
                "\(answer.storedCount + answer.failures.count) answers for \(expected) records that were sent")
        }
        return answer
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>, expected: Int) {
        self.bytes = bytes
        self.expected = expected
    }

    private mutating func answer() throws(JSONFault) -> PutRecordsAnswer {
        var scanner = JSONScanner(bytes)
        var hasRecords = false
        try scanner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
            if inner.equals(key, "Records") {
                guard !hasRecords else { throw inner.fault("one list of records") }
                hasRecords = true
                try inner.array { (inner: inout JSONScanner) throws(JSONFault) in try record(&inner) }
            } else {
                try inner.skipValue()
            }
        }
        try scanner.finish()
        guard hasRecords else { throw scanner.fault("Records") }
        var storedByShard: [String: Int] = [:]
        for tally in tallies { storedByShard[scanner.text(tally.id), default: 0] += tally.stored }
        return PutRecordsAnswer(storedCount: stored, failures: failures, storedByShard: storedByShard)
    }

    private mutating func record(_ scanner: inout JSONScanner) throws(JSONFault) {
        guard seen < expected else { throw scanner.fault("as many answers as records were sent") }
        if let shard = try Self.usualShard(&scanner) {
            count(shard)
            seen += 1
            return
        }
        var shard: JSONStringRange?
        var sequence: JSONStringRange?
        var code: JSONStringRange?
        var message: JSONStringRange?
        try scanner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
            if inner.equals(key, "SequenceNumber") {
                sequence = try Self.text(&inner)
            } else if inner.equals(key, "ShardId") {
                shard = try Self.text(&inner)
            } else if inner.equals(key, "ErrorCode") {
                code = try Self.text(&inner)
            } else if inner.equals(key, "ErrorMessage") {
                message = try Self.text(&inner)
            } else {
                try inner.skipValue()
            }
        }
        if let code {
            failures.append(
                PutRecordsAnswer.Failure(
                    index: seen, code: scanner.text(code), message: message.map { scanner.text($0) } ?? ""))
        } else if let shard, sequence != nil {
            count(shard)
        } else {
            throw scanner.fault("a sequence number with its shard, or an error")
        }
        seen += 1
    }

    /// The shard of a stored record in the form that Kinesis gives it, without white space: half the time of the general
    /// way. Nil, and nothing consumed, for any other form.
    private static func usualShard(_ scanner: inout JSONScanner) throws(JSONFault) -> JSONStringRange? {
        let start = scanner.position
        if scanner.skip("{\"SequenceNumber\":\""), try scanner.restOfString().count > 0,
            scanner.skip(",\"ShardId\":\"")
        {
            let shard = try scanner.restOfString()
            if shard.count > 0, scanner.skip("}") { return shard }
        }
        scanner.position = start
        return nil
    }

    /// Null and the empty string count as left out.
    private static func text(_ scanner: inout JSONScanner) throws(JSONFault) -> JSONStringRange? {
        if try scanner.takeNull() { return nil }
        let range = try scanner.string()
        return range.count == 0 ? nil : range
    }

    private mutating func count(_ id: JSONStringRange) {
        stored += 1
        let tail = tail(id)
        // Fibonacci hashing: the last digits of a shard's number differ, and the product's high bits depend on them all.
        let slot = Int((tail &* 0x9E37_79B9_7F4A_7C15) >> (64 - UInt64(Self.slotBits)))
        var place = Int(slots[slot])
        // An empty slot is proof of a new shard.
        if place < 0 || !isSame(tallies[place], id, tail) {
            place = (place < 0 ? nil : tallies.firstIndex { isSame($0, id, tail) }) ?? tallies.count
            if place == tallies.count { tallies.append(Tally(id: id, tail: tail, stored: 0)) }
            slots[slot] = Int16(place)
        }
        tallies[place].stored += 1
    }

    private func tail(_ id: JSONStringRange) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        guard id.count < 8 else { return raw.loadUnaligned(fromByteOffset: id.start + id.count - 8, as: UInt64.self) }
        return raw[id.start..<id.start + id.count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func isSame(_ tally: Tally, _ id: JSONStringRange, _ tail: UInt64) -> Bool {
        guard tally.tail == tail, tally.id.count == id.count else { return false }
        let raw = UnsafeRawBufferPointer(bytes)
        var i = 0
        // Whole words; what is left after them lies within the tail.
        while i + 8 <= id.count {
            guard
                raw.loadUnaligned(fromByteOffset: tally.id.start + i, as: UInt64.self)
                    == raw.loadUnaligned(fromByteOffset: id.start + i, as: UInt64.self)
            else { return false }
            i += 8
        }
        return true
    }
}
