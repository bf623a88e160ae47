// All readings of a text by a format, best first. A depth-first search over the places where each field can end: forms
// that fail cut branches off, and so does doubt far beyond the best reading. Work is bounded: a text made to have
// millions of readings ends the search early and is then never beyond doubt.

struct ReadingSearch {
    /// Work on one text, in values looked at and in runs of their bytes: some milliseconds.
    static let stepCountMax = 100_000
    private static let bytesInStep = 256
    /// Places where a user id may stand; captured lines have at most seven.
    static let anchorPlaceCountMax = 64

    private let text: Bytes
    private let format: DrupalFormat
    private let reference: Int64
    /// A client's values end here at the latest: header values hold no line feed.
    private let clientsEnd: Int
    /// Also take addresses of other hosts, and none.
    private let isRelaxed: Bool

    private(set) var best: DrupalReading?
    /// The least doubt of any other reading.
    private var secondDoubt = Int.max
    /// Two readings with different user ids have messages that repeat their addresses: somebody aimed at that.
    private var isProofContested = false
    /// The longest beginning of a reading, for a text that ends before the last field.
    private(set) var cut: DrupalReading?
    private var cutFieldCount = 0

    private var stepCount = 0
    private var isExhausted = false
    private var uidPlaces = SIMD64<Int32>(repeating: -1)
    private var uidPlaceCount = 0

    init(_ text: Bytes, format: DrupalFormat, reference: Int64, isRelaxed: Bool) {
        self.text = text
        self.format = format
        self.reference = reference
        self.isRelaxed = isRelaxed
        clientsEnd = text.place(of: Ascii.lineFeed, from: 0)
        findUIDPlaces()
        guard text.holds(format.literals[0], at: 0) else { return }
        place(0, at: format.literals[0].count, DrupalReading())
    }

    /// True when the best reading is the only plausible one, and nobody can have forged its user id, link or message.
    var isBeyondDoubt: Bool {
        guard let best, !isExhausted, !isProofContested, !best.isContested else { return false }
        guard secondDoubt == .max || secondDoubt - best.doubt >= DrupalDoubt.marginMin else { return false }
        guard format.uidCanBeForged else { return true }
        return !holdsOtherUID(best)
    }

    // MARK: - Fields

    private mutating func place(_ index: Int, at start: Int, _ reading: DrupalReading) {
        let field = format.fields[index]
        let literal = format.literals[index + 1]
        guard index + 1 < format.fields.count else {
            let end = text.count - literal.count
            if end >= start, text.holds(literal, at: end) { finish(field, start, end, reading) }
            return
        }
        guard canStart(field, at: start) else { return }
        var value = ValueFacts()
        var separatorCount = 0
        var nextEnd = end(of: index, from: start)
        if nextEnd == nil { keepCut(index, field, start, reading) }
        while let end = nextEnd {
            stepCount += 1 + (end - start) / Self.bytesInStep
            guard stepCount <= Self.stepCountMax else {
                isExhausted = true
                return
            }
            value.extend(text, from: start, to: end, literal: literal)
            if value.holdsLineFeed, !field.mayHoldLineFeed { return }
            if canStart(format.fields[index + 1], at: end + literal.count),
                let next = extended(reading, field, start, end, value, literal)
            {
                self.place(index + 1, at: end + literal.count, next)
            }
            separatorCount += 1
            guard separatorCount <= field.separatorCountMax else { return }
            nextEnd = self.end(of: index, from: end + 1)
        }
    }

    private func end(of index: Int, from start: Int) -> Int? {
        guard format.fields[index + 1] == .uid else { return text.place(of: format.literals[index + 1], from: start) }
        for i in 0..<uidPlaceCount where Int(uidPlaces[i]) >= start { return Int(uidPlaces[i]) }
        return nil
    }

    /// What the first byte tells already.
    @inline(__always)
    private func canStart(_ field: DrupalField, at start: Int) -> Bool {
        switch field {
        case .uid, .timestamp: start < text.count && Ascii.isDigit(text[start])
        case .baseURL: start < text.count && text[start] == UInt8(ascii: "h")
        case .requestURI: isRelaxed || (start < text.count && text[start] == UInt8(ascii: "h"))
        default: start <= text.count
        }
    }

    /// The reading with the field added; nil when the value's form rules it out.
    private func extended(
        _ reading: DrupalReading, _ field: DrupalField, _ start: Int, _ end: Int, _ facts: ValueFacts,
        _ literal: [UInt8]
    ) -> DrupalReading? {
        let value = text.part(start, end)
        var next = reading
        switch field {
        case .baseURL:
            guard DrupalForm.isBaseURL(value) else { return nil }
        case .timestamp:
            guard DrupalForm.isDigits(value, DrupalForm.epochDigitCounts) else { return nil }
        case .uid:
            guard DrupalForm.isDigits(value, DrupalForm.uidDigitCounts) else { return nil }
            next.doubt += DrupalDoubt.uid(value)
        case .severity:
            guard DrupalForm.isSeverity(value) else { return nil }
        case .requestURI:
            guard let doubt = requestURIDoubt(value, reading, facts, literal) else { return nil }
            next.doubt += doubt
        case .referer:
            next.doubt += DrupalDoubt.referer(value, literal: literal)
        case .link:
            next.doubt += DrupalDoubt.link(value, literal: literal)
        case .type, .ip, .message:
            break
        }
        next.set(field, start, end)
        if field == .timestamp {
            next.doubt += DrupalDoubt.timestamp(next.number(.timestamp, of: text), reference: reference)
        }
        if field == .type || field == .ip, next.has(.type), next.has(.ip) { addTypeAndIP(to: &next) }
        return next
    }

    private func requestURIDoubt(
        _ uri: Bytes, _ reading: DrupalReading, _ facts: ValueFacts, _ literal: [UInt8]
    ) -> Int? {
        var doubt = 0
        if isRelaxed || !reading.has(.baseURL) {
            guard DrupalForm.isRequestURIOfAnySite(uri) else { return nil }
            if reading.has(.baseURL) { doubt = 6 }
        } else {
            guard DrupalForm.isRequestURI(uri, ofSite: reading.slice(.baseURL, of: text)) else { return nil }
        }
        return doubt
            + DrupalDoubt.requestURI(
                uri, literal: literal, holdsLiteral: facts.separatorCount > 0, holdsBlank: facts.holdsBlank,
                holdsURL: facts.holdsURL)
    }

    private func addTypeAndIP(to reading: inout DrupalReading) {
        let (doubt, isContested) = DrupalDoubt.typeAndIP(
            type: reading.slice(.type, of: text), ip: reading.slice(.ip, of: text),
            typeLiteral: format.separator(of: .type), ipLiteral: format.separator(of: .ip))
        reading.doubt += doubt
        if isContested { reading.isContested = true }
    }

    // MARK: - Readings

    private mutating func finish(_ field: DrupalField, _ start: Int, _ end: Int, _ reading: DrupalReading) {
        var value = ValueFacts()
        let literal = format.literals[format.fields.count - 1]
        value.extend(text, from: start, to: end, literal: literal)
        guard field.mayHoldLineFeed || !value.holdsLineFeed,
            var reading = extended(reading, field, start, end, value, literal),
            reading.anchorCount >= format.anchorCountMin
        else { return }
        checkMessage(of: &reading)
        keep(reading)
    }

    private func checkMessage(of reading: inout DrupalReading) {
        guard reading.has(.message) else { return }
        let message = reading.slice(.message, of: text)
        let referer = reading.slice(.referer, of: text)
        if format.uidCanBeForged, !referer.isEmpty, !DrupalForm.isURL(referer), holdsUID(message) {
            reading.doubt += DrupalDoubt.forgedTail
        }
        // Drupal gives these messages no link.
        guard reading.has(.requestURI), reading.slice(.link, of: text).isEmpty,
            DrupalPathCheck.applies(to: reading.slice(.type, of: text))
        else { return }
        let result = DrupalPathCheck.compare(
            requestURI: reading.slice(.requestURI, of: text), baseURL: reading.slice(.baseURL, of: text),
            message: message)
        switch result {
        case .unknown: break
        case .differs: reading.doubt += DrupalDoubt.disprovedByPath
        case .agreesEmpty: reading.doubt += DrupalDoubt.provenEmpty
        case .agrees:
            reading.doubt += DrupalDoubt.provenByPath
            reading.isProvenByPath = true
        }
    }

    private mutating func keep(_ reading: DrupalReading) {
        guard let old = best else {
            best = reading
            return
        }
        if old.isProvenByPath, reading.isProvenByPath, old.start(.uid) != reading.start(.uid) {
            isProofContested = true
        }
        if reading.doubt < old.doubt { best = reading }
        secondDoubt = min(secondDoubt, max(old.doubt, reading.doubt))
    }

    private mutating func keepCut(_ index: Int, _ field: DrupalField, _ start: Int, _ reading: DrupalReading) {
        guard reading.anchorCount >= format.anchorCountMin, index >= cutFieldCount else { return }
        if let cut, index == cutFieldCount, cut.doubt <= reading.doubt { return }
        var reading = reading
        reading.set(field, start, text.count)
        cut = reading
        cutFieldCount = index
    }

    // MARK: - User ids

    /// Every place where the text before `!uid`, digits and the text after it stand: the ends of the field before it.
    private mutating func findUIDPlaces() {
        let literal = format.literal(before: .uid)
        guard !literal.isEmpty else { return }
        var position = 0
        while let place = text.place(of: literal, from: position) {
            position = place + 1
            guard isUID(text, at: place + literal.count) else { continue }
            guard uidPlaceCount < Self.anchorPlaceCountMax else {
                // The last one stays in view: nearly always it is the real one.
                uidPlaces[uidPlaceCount - 1] = Int32(truncatingIfNeeded: place)
                isExhausted = true
                continue
            }
            uidPlaces[uidPlaceCount] = Int32(truncatingIfNeeded: place)
            uidPlaceCount += 1
        }
    }

    private func isUID(_ text: Bytes, at start: Int) -> Bool {
        guard let (_, end) = text.number(at: start, digitCountMax: DrupalForm.uidDigitCounts.upperBound) else {
            return false
        }
        return text.holds(format.literal(after: .uid), at: end)
    }

    /// True when a user id could stand in a text of the reading: before its own, so that what follows is forged, or
    /// after it, so that the real one is hidden there. The address that a message repeats proves the former wrong.
    private func holdsOtherUID(_ reading: DrupalReading) -> Bool {
        let literalCount = format.literal(before: .uid).count
        let uidStart = reading.start(.uid)
        var isAfterHostile = false
        for field in format.fields where !field.isDigits {
            if field.isHostile { isAfterHostile = true }
            let start = reading.start(field)
            if reading.isProvenByPath, start < uidStart { continue }
            // What stands before all values that clients choose may be a number: a message type `0`.
            let from = isAfterHostile ? start - literalCount : start
            let end = min(start + reading.slice(field, of: text).count, clientsEnd)
            for i in 0..<uidPlaceCount where from <= Int(uidPlaces[i]) && Int(uidPlaces[i]) < end { return true }
        }
        return false
    }

    /// True when a user id could stand in the message, which then might begin only after it.
    private func holdsUID(_ message: Bytes) -> Bool {
        if isUID(message, at: 0) { return true }
        let literal = format.literal(before: .uid)
        var position = 0
        while let place = message.place(of: literal, from: position) {
            if isUID(message, at: place + literal.count) { return true }
            position = place + 1
        }
        return false
    }
}

/// What is known of a value while its end moves on; each byte is looked at once.
private struct ValueFacts {
    private(set) var separatorCount = 0
    private(set) var holdsBlank = false
    private(set) var holdsLineFeed = false
    /// After a separator the text begins like a URL.
    private(set) var holdsURL = false
    private var seen = -1

    mutating func extend(_ text: Bytes, from start: Int, to end: Int, literal: [UInt8]) {
        let from = max(start, seen)
        let added = text.part(from, end)
        if !holdsBlank { holdsBlank = added.place(of: Ascii.space, from: 0) < added.count }
        if !holdsLineFeed { holdsLineFeed = added.place(of: Ascii.lineFeed, from: 0) < added.count }
        if seen >= 0 {
            separatorCount += 1
            if !holdsURL, added.holds(literal, at: 0) { holdsURL = DrupalForm.isURL(added.part(from: literal.count)) }
        }
        seen = end
    }
}
