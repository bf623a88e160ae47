/// The keys that manifests name, as 64-bit hashes: 16 bytes a key instead of 150. The hash is seeded anew in each
/// process; that two of ten million keys collide happens once in 400,000 times, and would hide one stray object.
struct KeySet {
    private var hashes: Set<UInt64> = []

    mutating func insert(_ key: String) { hashes.insert(Self.hash(key)) }

    func contains(_ key: String) -> Bool { hashes.contains(Self.hash(key)) }

    private static func hash(_ key: String) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
