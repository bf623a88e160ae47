// Checks rows one by one against the rules and against the batch that they are said to belong to, and counts what the
// batch's manifest must agree with. Memory is one row.

import Batching
import CivilTime

/// What the rows of an object, or of all objects of a batch, come to.
struct RowTotals: Sendable, Equatable {
    var rows = 0
    /// Records whose rows begin here: rows without `subsequence`, or with the first one.
    var records = 0
    var first: SequenceNumber?
    var last: SequenceNumber?
    var statusCounts: [String: Int] = [:]
    var firstArrival: Timestamp?
    var lastArrival: Timestamp?
    var firstEvent: Timestamp?
    var lastEvent: Timestamp?

    mutating func add(_ other: RowTotals) {
        rows += other.rows
        records += other.records
        statusCounts.merge(other.statusCounts, uniquingKeysWith: +)
        first = [first, other.first].compactMap { $0 }.min()
        last = [last, other.last].compactMap { $0 }.max()
        firstArrival = [firstArrival, other.firstArrival].compactMap { $0 }.min()
        lastArrival = [lastArrival, other.lastArrival].compactMap { $0 }.max()
        firstEvent = [firstEvent, other.firstEvent].compactMap { $0 }.min()
        lastEvent = [lastEvent, other.lastEvent].compactMap { $0 }.max()
    }
}

/// Not Sendable: it belongs to the reader of one object.
final class RowCheck {
    /// What of a row the batch must agree with.
    private struct Facts {
        var shard: UnsafeRawBufferPointer?
        var sequence: UnsafeRawBufferPointer?
        var subsequence: Int64?
        var status: UnsafeRawBufferPointer?
        var event: Timestamp?
        var arrival: Timestamp?
    }

    private let rules: RowRules
    private let names: [[UInt8]]
    private let shard: [UInt8]
    private let firstAllowed: SequenceNumber
    private let lastAllowed: SequenceNumber
    /// The start of a row whose line feed has not come yet.
    private var carried: [UInt8] = []
    private var totalsNow = RowTotals()
    private var lastDigits: [UInt8] = []
    /// The first thing that is wrong; after it rows are only counted.
    private(set) var fault: (kind: FindingKind, detail: String)?

    init(rules: RowRules = .standard, shard: String, first: SequenceNumber, last: SequenceNumber) {
        self.rules = rules
        names = rules.columns.map { Array($0.name.utf8) }
        self.shard = Array(shard.utf8)
        firstAllowed = first
        lastAllowed = last
    }

    var totals: RowTotals {
        var totals = totalsNow
        totals.last = lastDigits.isEmpty ? nil : SequenceNumber(String(decoding: lastDigits, as: UTF8.self))
        return totals
    }

    /// Takes the next bytes of the object's rows.
    func add(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0A) {
            let line = UnsafeRawBufferPointer(rebasing: rest[rest.startIndex..<end])
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
            if carried.isEmpty {
                take(line)
            } else {
                carried.append(contentsOf: line)
                carried.withUnsafeBytes { take($0) }
                carried.removeAll(keepingCapacity: true)
            }
        }
        // A row that never ends is kept no further than its limit.
        if carried.count <= RowRules.rowBytesMax { carried.append(contentsOf: rest) }
    }

    func finish() {
        if !carried.isEmpty, fault == nil { fault = (.rowSchema, "the last row has no line feed") }
    }

    private func take(_ line: UnsafeRawBufferPointer) {
        totalsNow.rows += 1
        guard fault == nil else { return }
        let number = totalsNow.rows
        guard line.count < RowRules.rowBytesMax else {
            fault = (.rowSchema, "row \(number) has more than \(RowRules.rowBytesMax) bytes")
            return
        }
        guard String(validating: line, as: UTF8.self) != nil else {
            fault = (.rowSchema, "row \(number) is not UTF-8")
            return
        }
        do throws(RowFault) {
            let facts = try facts(line)
            if let detail = disagreement(facts) {
                fault = (.rowOrigin, "row \(number) \(detail)")
            } else {
                count(facts)
            }
        } catch {
            fault = (.rowSchema, "row \(number): \(error.detail)")
        }
    }

    // MARK: One row

    private func facts(_ line: UnsafeRawBufferPointer) throws(RowFault) -> Facts {
        var facts = Facts()
        var next = 0
        var scanner = RowScanner(line)
        try scanner.scan { (key, value) throws(RowFault) in
            guard let index = names[next...].firstIndex(where: { key.elementsEqual($0) }) else {
                throw RowFault("a column is unknown, out of order or given twice")
            }
            for column in rules.columns[next..<index] where column.isRequired {
                throw RowFault("\(column.name) is missing or out of order")
            }
            try check(value, rules.columns[index])
            try keep(value, rules.columns[index].name, in: &facts)
            next = index + 1
        }
        for column in rules.columns[next...] where column.isRequired { throw RowFault("\(column.name) is missing") }
        return facts
    }

    private func check(_ value: RowValue, _ column: RowRules.Column) throws(RowFault) {
        switch column.kind {
        case .integer(let range):
            guard let number = value.number else { throw RowFault("\(column.name) is no whole number") }
            guard range.contains(number) else { throw RowFault("\(column.name) is out of range") }
            return
        case .text(let bytesMax):
            guard value.number == nil else { throw RowFault("\(column.name) is no text") }
            guard value.width <= bytesMax else { throw RowFault("\(column.name) is wider than \(bytesMax) bytes") }
        case .words(let words):
            guard value.number == nil, words.contains(where: { value.bytes.elementsEqual($0.utf8) }) else {
                throw RowFault("\(column.name) has a value that it cannot have")
            }
        case .digits(let bytesMax):
            guard value.number == nil, (1...bytesMax).contains(value.bytes.count),
                value.bytes.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw RowFault("\(column.name) is no number in a text") }
        case .time:
            guard value.number == nil, Self.time(value.bytes) != nil else {
                throw RowFault("\(column.name) is no time")
            }
        }
    }

    /// `YYYY-MM-DDTHH:MM:SS[.f…]Z` with at most six fraction digits.
    private static func time(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        guard (20...27).contains(bytes.count), bytes[10] == UInt8(ascii: "T"),
            bytes[bytes.count - 1] == UInt8(ascii: "Z")
        else { return nil }
        return RFC3339.parse(bytes)
    }

    private func keep(_ value: RowValue, _ name: String, in facts: inout Facts) throws(RowFault) {
        switch name {
        case "shard_id": facts.shard = value.bytes
        case "sequence_number": facts.sequence = value.bytes
        case "subsequence": facts.subsequence = value.number
        case "parse_status": facts.status = value.bytes
        case "event_time": facts.event = Self.time(value.bytes)
        case "arrival_time": facts.arrival = Self.time(value.bytes)
        default: break
        }
    }

    // MARK: The batch

    /// How the row contradicts its batch; nil when it does not.
    private func disagreement(_ facts: Facts) -> String? {
        guard let shard = facts.shard, let sequence = facts.sequence else {
            return "does not say which record it comes from"
        }
        guard shard.elementsEqual(self.shard) else { return "comes from another shard" }
        if !lastDigits.isEmpty, Self.isLess(sequence, lastDigits) { return "comes before the row above it" }
        if Self.isLess(sequence, firstAllowed.text.utf8) || Self.isLess(lastAllowed.text.utf8, sequence) {
            return "comes from a record outside the batch's range"
        }
        return nil
    }

    /// Of two decimals without leading zeros.
    private static func isLess(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
    }

    private func count(_ facts: Facts) {
        if facts.subsequence ?? 0 == 0 { totalsNow.records += 1 }
        if let sequence = facts.sequence {
            if totalsNow.first == nil { totalsNow.first = SequenceNumber(String(decoding: sequence, as: UTF8.self)) }
            lastDigits.removeAll(keepingCapacity: true)
            lastDigits.append(contentsOf: sequence)
        }
        if let status = facts.status {
            totalsNow.statusCounts[String(decoding: status, as: UTF8.self), default: 0] += 1
        }
        if let arrival = facts.arrival {
            totalsNow.firstArrival = min(totalsNow.firstArrival ?? arrival, arrival)
            totalsNow.lastArrival = max(totalsNow.lastArrival ?? arrival, arrival)
        }
        if let event = facts.event {
            totalsNow.firstEvent = min(totalsNow.firstEvent ?? event, event)
            totalsNow.lastEvent = max(totalsNow.lastEvent ?? event, event)
        }
    }
}
