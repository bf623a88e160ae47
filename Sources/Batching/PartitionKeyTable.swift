// A hash table from the bytes of a partition's key to its number, for one look-up a row. Raw memory, because Swift's
// dictionary of arrays costs ten times as much; everything unsafe stays in this file.

import Glibc

/// Open addressing with linear probing, at most half full. Keys are copied into one arena.
struct PartitionKeyTable: ~Copyable {
    private struct Entry {
        var hash: UInt64
        var offset: Int
        var length: Int
        /// -1 marks a free entry.
        var value: Int
    }

    private static let capacityAtStart = 64
    private static let arenaBytesAtStart = 4_096

    private var entries: UnsafeMutableBufferPointer<Entry>
    private(set) var count = 0
    private var arena: UnsafeMutableRawBufferPointer
    private var arenaUsed = 0
    /// Random in each process, so that log lines cannot choose keys that collide.
    private let seed = UInt64(truncatingIfNeeded: Hasher().finalize()) | 1

    init() {
        entries = Self.allocate(Self.capacityAtStart)
        arena = .allocate(byteCount: Self.arenaBytesAtStart, alignment: 16)
    }

    deinit {
        entries.deallocate()
        arena.deallocate()
    }

    mutating func removeAll() {
        entries.update(repeating: Entry(hash: 0, offset: 0, length: 0, value: -1))
        count = 0
        arenaUsed = 0
    }

    /// The number stored for `key`; nil when there is none.
    func value(of key: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let mask = entries.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = entries[index]
            if entry.value < 0 { return nil }
            if entry.hash == hash, entry.length == key.count,
                equalBytes(UnsafeRawBufferPointer(rebasing: arena[entry.offset..<entry.offset + entry.length]), key)
            {
                return entry.value
            }
            index = (index + 1) & mask
        }
    }

    /// Adds a key that is not there yet.
    mutating func insert(_ key: UnsafeRawBufferPointer, hash: UInt64, value: Int) {
        if (count + 1) * 2 > entries.count { grow() }
        if arenaUsed + key.count > arena.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(arena.count * 2, arenaUsed + key.count), alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: arena[0..<arenaUsed]))
            arena.deallocate()
            arena = larger
        }
        UnsafeMutableRawBufferPointer(rebasing: arena[arenaUsed..<arenaUsed + key.count]).copyMemory(from: key)
        place(Entry(hash: hash, offset: arenaUsed, length: key.count, value: value))
        arenaUsed += key.count
        count += 1
    }

    /// Folded 64-bit multiplication over words of eight bytes, as wyhash does.
    func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(key.count)
        var offset = 0
        while offset + 8 <= key.count {
            state = Self.fold(state ^ key.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0x9E37_79B9_7F4A_7C15)
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < key.count {
            tail = tail << 8 | UInt64(key[offset])
            offset += 1
        }
        return Self.fold(state ^ tail, seed ^ 0xE703_7ED1_A0B4_28DB)
    }

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    private mutating func grow() {
        let old = entries
        entries = Self.allocate(old.count * 2)
        for entry in old where entry.value >= 0 { place(entry) }
        old.deallocate()
    }

    private func place(_ entry: Entry) {
        let mask = entries.count - 1
        var index = Int(truncatingIfNeeded: entry.hash) & mask
        while entries[index].value >= 0 { index = (index + 1) & mask }
        entries[index] = entry
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutableBufferPointer<Entry> {
        let entries = UnsafeMutableBufferPointer<Entry>.allocate(capacity: capacity)
        entries.initialize(repeating: Entry(hash: 0, offset: 0, length: 0, value: -1))
        return entries
    }
}

/// True when both hold the same bytes; empty buffers may have no address.
func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let first = a.baseAddress, let second = b.baseAddress else { return true }
    return memcmp(first, second, a.count) == 0
}
