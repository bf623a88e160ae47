// The partition key that `sluice ship` gives its records, `host/file/generation/offset`: it tells where in which file
// a line began, while the record itself stays the raw line.

/// The parts of a shipper's partition key.
struct SourceKey {
    var host: Bytes
    /// Base name.
    var file: Bytes
    /// Of the first byte of the record.
    var offset: Int64

    /// Nil for any key that is not exactly of that form: other producers' keys must not become file names by chance.
    /// Host and file hold 1 to 255 printable bytes, the generation 4 to 64 lower-case hex digits, the offset a decimal
    /// number without leading zeros.
    init?(_ key: Bytes) {
        let hostEnd = key.place(of: Ascii.slash, from: 0)
        let fileEnd = key.place(of: Ascii.slash, from: hostEnd + 1)
        let generationEnd = key.place(of: Ascii.slash, from: fileEnd + 1)
        guard generationEnd < key.count else { return nil }
        host = key.part(0, hostEnd)
        file = key.part(hostEnd + 1, fileEnd)
        let generation = key.part(fileEnd + 1, generationEnd)
        let digits = key.part(from: generationEnd + 1)
        guard SourceKey.isName(host), SourceKey.isName(file), (4...64).contains(generation.count),
            generation.allSatisfy({ Ascii.isDigit($0) || $0 &- 0x61 < 6 }),
            // Eighteen digits fit into Int64.
            let (offset, end) = digits.number(at: 0, digitCountMax: 18), end == digits.count,
            digits.count == 1 || digits[0] != UInt8(ascii: "0")
        else { return nil }
        self.offset = Int64(offset)
    }

    private static func isName(_ name: Bytes) -> Bool {
        (1...TextColumn.host.byteCountMax).contains(name.count)
            && name.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != Ascii.quote && $0 != Ascii.backslash }
            && isStorable(name)
    }
}
