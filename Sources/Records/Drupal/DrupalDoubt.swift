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
    static func typeAndIP(type: Bytes, ip: Bytes, typeLiteral: [UInt8], ipLiteral: [UInt8]) -> (Int, isContested: Bool)
    {
        let typeHolds = type.place(of: typeLiteral, from: 0) != nil
        let ipHolds = ip.place(of: ipLiteral, from: 0) != nil
        let isAddress = DrupalForm.isAddress(ip)
        var doubt = ipHolds ? 8 : (isAddress || ip.isEmpty ? 0 : 2)
        if typeHolds { doubt += isAddress ? 4 : 9 }
        return (doubt, ipHolds || (typeHolds && !isAddress))
    }

    /// - Parameters:
    ///   - holdsBlank, holdsURL: a blank is in the address; the text after a separator in it begins like a URL.
    static func requestURI(_ uri: Bytes, literal: [UInt8], holdsLiteral: Bool, holdsBlank: Bool, holdsURL: Bool) -> Int
    {
        // No web server lets a blank through in a request line.
        var doubt = holdsBlank ? 16 : 0
        if uri.last == equalsSign { doubt += 3 }
        guard holdsLiteral else { return doubt }
        doubt += 2
        if holdsURL { doubt += 8 }
        let bare = uri.count - literal.count
        guard bare >= 0, uri.holds(literal, at: bare) else { return doubt }
        if uri.holds(literal, at: bare - literal.count) {
            doubt += 5
        } else if bare == 0 || uri[bare - 1] != equalsSign {
            // `?x=|` is a parameter's value; elsewhere a separator at the end is more likely the referer's.
            doubt += uri.place(of: questionMark, from: 0) < uri.count ? 2 : 5
        }
        return doubt
    }

    static func referer(_ referer: Bytes, literal: [UInt8]) -> Int {
        guard !referer.isEmpty else { return 0 }
        guard let firstLiteral = referer.place(of: literal, from: 0) else {
            return (DrupalForm.isURL(referer) ? 0 : 3) + blanks(referer)
        }
        if isOnly(literal, referer) { return 4 }
        var doubt = blanks(referer)
        if DrupalForm.isURL(referer) {
            doubt += 4
        } else {
            doubt += 5
            if firstLiteral == 0 { doubt += 3 }
            if Ascii.isLetter(referer[0]) || Ascii.isDigit(referer[0]) { doubt += 2 }
        }
        return referer.holds(literal, at: referer.count - literal.count) ? doubt + 2 : doubt
    }

    /// The texts of the links that Drupal's own modules log.
    private static let knownLinks: [StaticString] = ["", "view", "edit", "results"]

    static func link(_ link: Bytes, literal: [UInt8]) -> Int {
        guard let end = link.place(of: literal, from: 0) else { return isKnownLink(link) ? 0 : 1 }
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

    private static func isOnly(_ literal: [UInt8], _ text: Bytes) -> Bool {
        guard !literal.isEmpty, text.count % literal.count == 0 else { return false }
        return stride(from: 0, to: text.count, by: literal.count).allSatisfy { text.holds(literal, at: $0) }
    }

    private static let equalsSign = UInt8(ascii: "=")
    private static let questionMark = UInt8(ascii: "?")
}
