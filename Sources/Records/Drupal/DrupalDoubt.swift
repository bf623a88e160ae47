// How much speaks against a value, in points. The points come from captured logs with known truth (ARCHITECTURE.md,
// "Drupal lines"); what counts is their order: a separator in a request address is common, in a type or a link it is
// rare, and a referer that is no URL is seldom honest. Readings nearer than `marginMin` to the best are all plausible.
//
// Who can choose the request address can choose the referer too, so where the one ends and the other begins decides
// nothing about trust, and points may settle it. User id, link and message are different: a client must not be able to
// forge them. Points never settle those (ReadingSearch.isBeyondDoubt).

enum DrupalDoubt {
    /// A lead of so many points makes the best reading the only one.
    static let marginMin = 3
    /// A message that repeats the address proves its reading; this many points bring it before all others.
    static let provenByPath = -12
    /// As above, for the empty message of an address that is not UTF-8: less than proof, as others are empty too.
    static let provenEmpty = -6
    static let disprovedByPath = 6

    /// Of a timestamp ten years away from the arrival.
    static let farTimestamp = 3

    /// Of the type and the address together: a separator between them belongs to one of the two.
    static func typeAndIP(type: Bytes, ip: Bytes, typeSeparator: Bytes, ipSeparator: Bytes) -> (Int, isContested: Bool)
    {
        let typeHolds = type.place(of: typeSeparator, from: 0) != nil
        let ipHolds = ip.place(of: ipSeparator, from: 0) != nil
        let isAddress = DrupalForm.isAddress(ip)
        var doubt = ipHolds ? 8 : (isAddress || ip.isEmpty ? 0 : 2)
        if typeHolds { doubt += isAddress ? 4 : 9 }
        return (doubt, ipHolds || (typeHolds && !isAddress))
    }

    static func requestURI(_ uri: Bytes, _ facts: AddressFacts, separator: Bytes) -> Int {
        var doubt = requestURIMin(uri, facts)
        if uri.last == equalsSign { doubt += 3 }
        let bare = uri.count - separator.count
        guard bare >= 0, uri.holds(separator, at: bare) else { return doubt }
        if uri.holds(separator, at: bare - separator.count) {
            doubt += 5
        } else if bare == 0 || uri[bare - 1] != equalsSign {
            // `?x=|` is a parameter's value; elsewhere a separator at the end is more likely the referer's.
            doubt += facts.queryStart < uri.count ? 2 : 5
        }
        return doubt
    }

    /// What no longer address from the same start goes below.
    static func requestURIMin(_ uri: Bytes, _ facts: AddressFacts) -> Int {
        // No web server lets a blank through in a request line.
        (facts.blankStart < uri.count ? 16 : 0) + (facts.separatorCount > 0 ? 2 : 0) + (facts.holdsURL ? 8 : 0)
    }

    static func referer(_ referer: Bytes, separator: Bytes) -> Int {
        guard !referer.isEmpty else { return 0 }
        guard let firstSeparator = referer.place(of: separator, from: 0) else {
            return (DrupalForm.isURL(referer) ? 0 : 3) + blanks(referer)
        }
        if isOnly(separator, referer) { return 4 }
        var doubt = blanks(referer)
        if DrupalForm.isURL(referer) {
            doubt += 4
        } else {
            doubt += 5
            if firstSeparator == 0 { doubt += 3 }
            if Ascii.isLetter(referer[0]) || Ascii.isDigit(referer[0]) { doubt += 2 }
        }
        return referer.holds(separator, at: referer.count - separator.count) ? doubt + 2 : doubt
    }

    /// The texts of the links that Drupal's own modules log.
    private static let knownLinks: [StaticString] = ["", "view", "edit", "results"]

    static func link(_ link: Bytes, separator: Bytes) -> Int {
        guard let end = link.place(of: separator, from: 0) else { return isKnownLink(link) ? 0 : 1 }
        return isKnownLink(link.part(0, end)) ? 8 : 2
    }

    private static func isKnownLink(_ link: Bytes) -> Bool {
        for known in knownLinks where link.equals(known) { return true }
        return false
    }

    /// Of two user ids the one that may do nothing is the safer reading.
    static func uid(_ uid: Bytes) -> Int { uid.count == 1 && uid[0] == UInt8(ascii: "0") ? 0 : 10 }

    /// A message in which the real end of the line may be hidden, after a referer that is no URL.
    static let forgedTail = 4

    static func timestamp(_ timestamp: Int?, reference: Int64) -> Int {
        guard let timestamp, abs(Int64(timestamp) - reference) <= 10 * 366 * 86_400 else { return farTimestamp }
        return 0
    }

    private static func blanks(_ text: Bytes) -> Int { text.place(of: Ascii.space, from: 0) < text.count ? 1 : 0 }

    private static func isOnly(_ separator: Bytes, _ text: Bytes) -> Bool {
        guard !separator.isEmpty, text.count % separator.count == 0 else { return false }
        return stride(from: 0, to: text.count, by: separator.count).allSatisfy { text.holds(separator, at: $0) }
    }

    private static let equalsSign = UInt8(ascii: "=")
}

/// What is known of all request addresses that begin at one place.
struct AddressFacts {
    /// Where the first blank and the query begin, counted from the start of the address; beyond its end when they do
    /// not come.
    let blankStart: Int
    let queryStart: Int
    /// The length of the site's `http://host`; nil when the address begins otherwise.
    let rootCount: Int?
    /// Separators in the address as far as the search has come, and whether the text after one begins like a URL.
    var separatorCount = 0
    var holdsURL = false

    init(_ text: Bytes, baseURL: Bytes) {
        blankStart = text.place(of: Ascii.space, from: 0)
        queryStart = text.place(of: UInt8(ascii: "?"), from: 0)
        rootCount = DrupalForm.sharedRoot(text, baseURL)
    }
}
