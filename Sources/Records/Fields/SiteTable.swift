// From Drupal's base URL to a site id. A job sees few different base URLs (a hundred sites gave 146), so what was
// found for one is kept and found again by its bytes alone.

/// The site of a base URL: the id that the job maps it to, else its host in lower case. Belongs to one worker.
final class SiteTable {
    private let ids: [[UInt8]: [UInt8]]
    private var slots: [Slot?]

    /// Longer base URLs are looked up by their first bytes; `drupal_base_url` holds no more either.
    static let keyByteCountMax = 512
    /// A power of two. Base URLs that fall into the same slot take turns.
    private static let slotCount = 1_024

    private final class Slot {
        var baseURL: [UInt8] = []
        var outcome: TextOutcome = []
        let site = UnsafeMutableRawPointer.allocate(byteCount: TextColumn.site.byteCountMax, alignment: 1)
        var siteByteCount = 0

        var content: (site: Bytes, outcome: TextOutcome) { (Bytes(start: site, count: siteByteCount), outcome) }

        deinit { site.deallocate() }
    }

    /// A key is `host`, `host:port`, `host/path` or `host:port/path`; the longest that fits wins, so that sites in
    /// sub-directories of one host can be told apart. Letter case does not matter.
    init(_ sites: [String: String]) {
        var ids: [[UInt8]: [UInt8]] = [:]
        // Keys that differ in letter case only: the last in byte order wins, on every run.
        for (key, id) in sites.sorted(by: { $0.key < $1.key }) {
            var key = Array(key.utf8).map(Ascii.lowercased)
            while key.last == Ascii.slash { key.removeLast() }
            ids[key] = Array(id.utf8)
        }
        self.ids = ids
        slots = Array(repeating: nil, count: Self.slotCount)
    }

    /// The site, fit for its column, and what was done to make it so. Valid until the next call.
    func site(of baseURL: Bytes) -> (site: Bytes, outcome: TextOutcome) {
        let key = baseURL.part(0, min(baseURL.count, Self.keyByteCountMax))
        let place = Int(truncatingIfNeeded: Self.hash(key)) & (Self.slotCount - 1)
        if let slot = slots[place], slot.baseURL.withUnsafeBytes({ $0.equals(key) }) { return slot.content }
        let slot = slots[place] ?? Slot()
        fill(slot, key)
        slots[place] = slot
        return slot.content
    }

    private func fill(_ slot: Slot, _ baseURL: Bytes) {
        let site = look(baseURL.map(Ascii.lowercased))
        let clean = CleanText(byteCountMax: TextColumn.site.byteCountMax)
        site.withUnsafeBytes { bytes in
            let text = clean.clean(bytes)
            if let start = text.baseAddress { slot.site.copyMemory(from: start, byteCount: text.count) }
            slot.siteByteCount = text.count
        }
        slot.outcome = clean.outcome
        slot.baseURL = Array(baseURL)
    }

    private func look(_ url: [UInt8]) -> [UInt8] {
        var rest = url[...]
        let scheme = rest.prefix(while: Ascii.isLetter)
        if !scheme.isEmpty, rest.dropFirst(scheme.count).starts(with: "://".utf8) {
            rest = rest.dropFirst(scheme.count + 3)
        }
        while rest.last == Ascii.slash { rest.removeLast() }
        let path = rest.drop { $0 != Ascii.slash }
        var authority = rest.prefix { $0 != Ascii.slash }
        // What stands before an @ is no host.
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) { authority = authority[(at + 1)...] }
        var host = authority
        if authority.first == Ascii.openBracket {
            // The colons of an IPv6 address stand in brackets.
            if let close = authority.firstIndex(of: Ascii.closeBracket) { host = authority[...close] }
        } else {
            host = authority.prefix { $0 != Ascii.colon }
        }
        while host.last == Ascii.dot { host.removeLast() }
        for key in [authority + path, host + path, authority, host] {
            if let id = ids[Array(key)] { return id }
        }
        return Array(host)
    }

    @inline(__always)
    private static func hash(_ bytes: Bytes) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: bytes.count)
        var i = 0
        while i &+ 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            i &+= 8
        }
        while i < bytes.count {
            hash = (hash ^ UInt64(bytes[i])) &* 0x100_0000_01B3
            i &+= 1
        }
        return hash ^ hash >> 32
    }
}
