// The partition key `site`: the host of a Drupal line's base URL, so that the lines of one site stay in order on one
// shard. The price is that no site can write more than one shard takes.

enum SiteKey {
    /// Kinesis allows 256 characters; host names have at most 253.
    static let bytesMax = 253
    /// The base URL is the first field of Drupal's message, behind a syslog header.
    private static let searchedBytesMax = 512

    /// The host in lower case, without port; nil for a line that holds no base URL followed by a separator.
    static func site(in line: UnsafeRawBufferPointer) -> [UInt8]? {
        let searched = UnsafeRawBufferPointer(rebasing: line.prefix(searchedBytesMax))
        guard let start = afterScheme(searched) else { return nil }
        var host: [UInt8] = []
        for byte in searched[start...] {
            switch byte {
            case UInt8(ascii: "|"), UInt8(ascii: "/"), UInt8(ascii: ":"):
                let hasSeparator = searched[start...].contains(UInt8(ascii: "|"))
                return hasSeparator && !host.isEmpty ? host : nil
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): host.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                host.append(byte)
            default: return nil
            }
            if host.count > bytesMax { return nil }
        }
        return nil
    }

    /// Behind the first `http://` or `https://`.
    private static func afterScheme(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var place = 0
        while let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) {
            place = colon + 1
            guard bytes[place...].prefix(2).elementsEqual("//".utf8) else { continue }
            let isHTTP = ["http", "https"].contains { scheme in
                colon >= scheme.utf8.count && bytes[(colon - scheme.utf8.count)..<colon].elementsEqual(scheme.utf8)
            }
            return isHTTP ? place + 2 : nil
        }
        return nil
    }
}
