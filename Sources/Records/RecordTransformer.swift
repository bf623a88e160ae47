// From one Kinesis record to its rows. A row is a pure function of the record's bytes, its arrival time and the
// settings: no clock, no state from one record to the next. Buffers are used again, so one transformer serves one
// worker, and what a callback gets is valid inside it only.

/// Turns payloads into rows. Not Sendable: one for each worker.
package final class RecordTransformer {
    private let lines: LineTransformer
    private var unpacker = PayloadUnpacker()
    /// The first user record of an aggregate, held back until it is known whether it is the only one.
    private var held: [UInt8] = []
    /// More than this is given back after the record that needed it.
    private static let heldByteCountKept = 1 << 20

    package init(settings: TransformSettings) throws(TransformSettingsError) {
        lines = try LineTransformer(settings: settings)
    }

    /// One Kinesis record: unpacks it (KPL aggregate, gzip, zlib), splits LF-joined lines and emits one row for each
    /// piece, in order. Bad data is no error: what cannot be told apart is an `unparsed` row. Throws what `emit` throws.
    package func transformRecord(
        _ payload: UnsafeRawBufferPointer, origin: RecordOrigin,
        emit: (RowFacts, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var subsequence = 0
        guard mayBePacked(payload) else {
            return try lines.transform(payload, origin, isOnlyUserRecord: true, &subsequence, emit)
        }
        var origin = origin
        var userRecordCount = 0
        var heldKeyByteCount = 0
        let isAggregate = payload[0] == Self.aggregateMark
        try unpacker.unpack(payload, partitionKey: origin.partitionKey) { record, partitionKey, _ in
            userRecordCount += 1
            if isAggregate, userRecordCount == 1 {
                heldKeyByteCount = hold(record, partitionKey)
                return
            }
            if isAggregate, userRecordCount == 2 {
                try transformHeld(heldKeyByteCount, &origin, isOnlyUserRecord: false, &subsequence, emit)
            }
            origin.partitionKey = partitionKey
            try lines.transform(record, origin, isOnlyUserRecord: !isAggregate, &subsequence, emit)
        }
        if isAggregate, userRecordCount == 1 {
            try transformHeld(heldKeyByteCount, &origin, isOnlyUserRecord: true, &subsequence, emit)
        }
        if held.capacity > Self.heldByteCountKept { held = [] }
    }

    /// One line: exactly one row. Nothing is unpacked or split; framing at its ends (CR, LF, NUL) is no part of it.
    package func transformLine(
        _ line: UnsafeRawBufferPointer, origin: RecordOrigin,
        emit: (RowFacts, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try lines.transformLine(line, origin, emit)
    }

    private static let aggregateMark: UInt8 = 0xF3
    private static let gzipMark: UInt8 = 0x1F

    /// False for payloads that the unpacker would hand on as they are: their first byte is neither KPL's, nor gzip's,
    /// nor one of zlib's (RFC 1950 section 2.2: method 8, window of up to 32 KiB).
    private func mayBePacked(_ payload: Bytes) -> Bool {
        guard payload.count > 2 else { return false }
        let first = payload[0]
        return first == Self.aggregateMark || first == Self.gzipMark || (first & 0x0F == 8 && first >> 4 <= 7)
    }

    private func hold(_ record: Bytes, _ partitionKey: Bytes) -> Int {
        held.removeAll(keepingCapacity: true)
        held.append(contentsOf: partitionKey)
        held.append(contentsOf: record)
        return partitionKey.count
    }

    private func transformHeld(
        _ keyByteCount: Int, _ origin: inout RecordOrigin, isOnlyUserRecord: Bool, _ subsequence: inout Int,
        _ emit: (RowFacts, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try held.withUnsafeBytes { held in
            origin.partitionKey = held.part(0, keyByteCount)
            try lines.transform(
                held.part(from: keyByteCount), origin, isOnlyUserRecord: isOnlyUserRecord, &subsequence, emit)
        }
    }
}
