// All readings of a text by a format, best first. A depth-first search over the places where each field can end: forms
// that fail cut branches off, and so does doubt far beyond the best reading. Work is bounded: a text made to have
// millions of readings ends the search early and is then never beyond doubt.

struct ReadingSearch {
    /// Work on one text, in values looked at and in runs of their bytes: some milliseconds.
    static let stepCountMax = 50_000
    private static let bytesInStep = 256
    /// Places where a user id may stand; captured lines have at most seven.
    static let uidPlaceCountMax = 64

    private let text: Bytes
    private let plan: DrupalPlan
    private let reference: Int64
    /// Where the text begins to differ from what clients can send: header values hold no line feed.
    private let clientsEnd: Int
    /// Also take addresses of other hosts, and none.
    private let isRelaxed: Bool

    private(set) var best: DrupalReading?
    /// The least doubt of any other reading.
    private var secondDoubt = Int.max
    /// Two readings with different user ids have messages that repeat their addresses: somebody aimed at that.
    private var isProofContested = false
    /// After the address that is being looked at the user id can stand in several places.
    private var canProofBeContested = true
    /// The longest beginning of a reading, for a text that ends before the last field.
    private(set) var cut: DrupalReading?
    private var cutFieldCount = 0

    private var stepCount = 0
    private var isExhausted = false
    /// Where the field before the user id can end.
    private let uidPlaces: UnsafeMutablePointer<Int32>
    /// Where the places of the best reading and of the longest beginning are kept.
    private let bestPlaces: UnsafeMutablePointer<Int32>
    private let cutPlaces: UnsafeMutablePointer<Int32>
    private var uidPlaceCount = 0

    /// How many numbers a search writes down.
    static let scratchCount = uidPlaceCountMax + 3 * DrupalReading.placeCountMax

    /// Searches at once. `scratch` is room for `scratchCount` numbers and must outlive the search and its readings.
    init(
        _ text: Bytes, _ plan: DrupalPlan, reference: Int64, isRelaxed: Bool, scratch: UnsafeMutablePointer<Int32>
    ) {
        self.text = text
        self.plan = plan
        self.reference = reference
        self.isRelaxed = isRelaxed
        uidPlaces = scratch
        bestPlaces = scratch + Self.uidPlaceCountMax
        cutPlaces = bestPlaces + DrupalReading.placeCountMax
        clientsEnd = text.place(of: Ascii.lineFeed, from: 0)
        findUIDPlaces()
        guard text.holds(plan.literal(0), at: 0) else { return }
        place(0, at: plan.literal(0).count, DrupalReading(places: cutPlaces + DrupalReading.placeCountMax))
    }

    /// True when the best reading is the only plausible one, and nobody can have forged its user id, link or message.
    var isBeyondDoubt: Bool {
        guard let best, !isExhausted, !isProofContested, !best.isContested else { return false }
        guard secondDoubt == .max || secondDoubt - best.doubt >= DrupalDoubt.marginMin else { return false }
        guard plan.uidCanBeForged else { return true }
        return !holdsOtherUID(best)
    }

    // MARK: - Fields

    private mutating func place(_ index: Int, at start: Int, _ reading: DrupalReading) {
        let field = plan.fields[index]
        let separator = plan.literal(index + 1)
        guard index + 1 < plan.fields.count else {
            let end = text.count - separator.count
            if end >= start, text.holds(separator, at: end) { finish(index, start, end, reading) }
            return
        }
        guard canStart(field, at: start) else { return }
        let endMax = field.mayHoldLineFeed ? text.count : lineEnd(from: start)
        var address = field == .requestURI ? AddressFacts(text.part(start, endMax), baseURL: baseURL(reading)) : nil
        if address != nil { canProofBeContested = (0..<uidPlaceCount).count { Int(uidPlaces[$0]) >= start } > 1 }
        defer { if address != nil { canProofBeContested = true } }
        var separatorCount = 0
        var nextEnd = end(of: index, from: start)
        if nextEnd == nil { keepCut(index, field, start, reading) }
        while let end = nextEnd, end <= endMax {
            stepCount += 1 + (end - start) / Self.bytesInStep
            guard stepCount <= Self.stepCountMax else {
                isExhausted = true
                return
            }
            if canStart(plan.fields[index + 1], at: end + separator.count),
                let next = extended(reading, field, start, end, separator, address)
            {
                place(index + 1, at: end + separator.count, next)
            }
            separatorCount += 1
            guard separatorCount <= field.separatorCountMax else { return }
            if address != nil {
                address?.separatorCount = separatorCount
                if DrupalForm.isURL(text.part(from: end + separator.count)) { address?.holdsURL = true }
                guard let address, canMatter(reading, DrupalDoubt.requestURIMin(text.part(start, end + 1), address))
                else { return }
            }
            nextEnd = self.end(of: index, from: end + 1)
        }
    }

    /// False when so much doubt, which never goes down again but by proof, is too far from the best reading to change
    /// anything. While the user id may stand in several places, readings that can be proven always matter.
    @inline(__always)
    private func canMatter(_ reading: DrupalReading, _ doubt: Int) -> Bool {
        guard let best else { return true }
        if reading.canBeProven, canProofBeContested { return true }
        let least = reading.doubt + doubt + (reading.canBeProven ? DrupalDoubt.provenByPath : 0)
        return least < best.doubt + DrupalDoubt.marginMin
    }

    private func baseURL(_ reading: DrupalReading) -> Bytes { reading.slice(.baseURL, of: text) }

    private func lineEnd(from start: Int) -> Int {
        start <= clientsEnd ? clientsEnd : text.place(of: Ascii.lineFeed, from: start)
    }

    private func end(of index: Int, from start: Int) -> Int? {
        guard plan.fields[index + 1] == .uid else { return text.place(of: plan.literal(index + 1), from: start) }
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

    /// The reading with the field added; nil when the value's form rules it out, or so much doubt that it cannot matter.
    @inline(__always)
    private func extended(
        _ reading: DrupalReading, _ field: DrupalField, _ start: Int, _ end: Int, _ separator: Bytes,
        _ address: AddressFacts?
    ) -> DrupalReading? {
        let value = text.part(start, end)
        var doubt = 0
        switch field {
        case .baseURL:
            guard DrupalForm.isBaseURL(value) else { return nil }
        case .timestamp:
            guard DrupalForm.isDigits(value, DrupalForm.epochDigitCounts) else { return nil }
            let epoch = value.number(at: 0, digitCountMax: DrupalForm.digitCountMax)?.value
            doubt = DrupalDoubt.timestamp(epoch, reference: reference)
        case .uid:
            guard DrupalForm.isDigits(value, DrupalForm.uidDigitCounts) else { return nil }
            doubt = DrupalDoubt.uid(value)
        case .severity:
            guard DrupalForm.isSeverity(value) else { return nil }
        case .requestURI:
            guard let address, let other = otherSiteDoubt(value, reading, address) else { return nil }
            doubt = other + DrupalDoubt.requestURI(value, address, separator: separator)
        case .referer:
            doubt = DrupalDoubt.referer(value, separator: separator)
        case .link:
            doubt = DrupalDoubt.link(value, separator: separator)
        case .type, .ip, .message:
            break
        }
        guard canMatter(reading, doubt) || (field == .type && isPathType(value, reading)) else { return nil }
        var next = reading
        next.doubt += doubt
        next.set(field, start, end)
        if field == .type { next.canBeProven = isPathType(value, reading) }
        // Drupal gives the messages that repeat an address no link.
        if field == .link, !value.isEmpty { next.canBeProven = false }
        if field == .type || field == .ip, next.has(.type), next.has(.ip) { addTypeAndIP(to: &next) }
        return canMatter(next, 0) ? next : nil
    }

    /// Only before the address is there, as readings without proof may have been given up by then.
    private func isPathType(_ type: Bytes, _ reading: DrupalReading) -> Bool {
        !reading.has(.requestURI) && reading.slice(.link, of: text).isEmpty && DrupalPathCheck.applies(to: type)
    }

    /// Nil when the address cannot be one of Drupal's.
    private func otherSiteDoubt(_ uri: Bytes, _ reading: DrupalReading, _ address: AddressFacts) -> Int? {
        if let rootCount = address.rootCount, rootCount < uri.count { return 0 }
        guard isRelaxed || !reading.has(.baseURL), DrupalForm.isRequestURIOfAnySite(uri) else { return nil }
        return reading.has(.baseURL) ? 6 : 0
    }

    private func addTypeAndIP(to reading: inout DrupalReading) {
        let (doubt, isContested) = DrupalDoubt.typeAndIP(
            type: reading.slice(.type, of: text), ip: reading.slice(.ip, of: text),
            typeSeparator: plan.separator(of: .type), ipSeparator: plan.separator(of: .ip))
        reading.doubt += doubt
        if isContested { reading.isContested = true }
    }

    // MARK: - Readings

    private mutating func finish(_ index: Int, _ start: Int, _ end: Int, _ reading: DrupalReading) {
        let field = plan.fields[index]
        guard field.mayHoldLineFeed || end <= lineEnd(from: start) else { return }
        var address = field == .requestURI ? AddressFacts(text.part(start, end), baseURL: baseURL(reading)) : nil
        if address != nil {
            let first = text.part(start, end).place(of: plan.literal(index), from: 0)
            address?.separatorCount = first == nil ? 0 : 1
        }
        guard var reading = extended(reading, field, start, end, plan.literal(index), address),
            reading.anchorCount >= plan.anchorCountMin
        else { return }
        checkMessage(of: &reading)
        keep(reading)
    }

    private func checkMessage(of reading: inout DrupalReading) {
        guard reading.has(.message) else { return }
        let message = reading.slice(.message, of: text)
        let referer = reading.slice(.referer, of: text)
        if plan.uidCanBeForged, !referer.isEmpty, !DrupalForm.isURL(referer),
            holdsUID(from: reading.start(.message) - plan.uidPrefix.count, to: text.count)
        {
            reading.doubt += DrupalDoubt.forgedTail
        }
        guard reading.canBeProven, reading.has(.requestURI) else { return }
        let result = DrupalPathCheck.compare(
            requestURI: reading.slice(.requestURI, of: text), baseURL: baseURL(reading), message: message)
        switch result {
        case .differs: reading.doubt += DrupalDoubt.disprovedByPath
        case .agreesEmpty: reading.doubt += DrupalDoubt.provenEmpty
        case .agrees:
            reading.doubt += DrupalDoubt.provenByPath
            reading.isProvenByPath = true
        }
    }

    private mutating func keep(_ reading: DrupalReading) {
        guard let old = best else {
            best = reading.copied(to: bestPlaces)
            return
        }
        if old.isProvenByPath, reading.isProvenByPath, old.start(.uid) != reading.start(.uid) {
            isProofContested = true
        }
        secondDoubt = min(secondDoubt, max(old.doubt, reading.doubt))
        if reading.doubt < old.doubt { best = reading.copied(to: bestPlaces) }
    }

    private mutating func keepCut(_ index: Int, _ field: DrupalField, _ start: Int, _ reading: DrupalReading) {
        guard reading.anchorCount >= plan.anchorCountMin, index >= cutFieldCount else { return }
        if let cut, index == cutFieldCount, cut.doubt <= reading.doubt { return }
        var reading = reading.copied(to: cutPlaces)
        reading.set(field, start, text.count)
        cut = reading
        cutFieldCount = index
    }

    // MARK: - User ids

    /// Every place where the text before `!uid`, digits and the text after it stand: the ends of the field before it.
    private mutating func findUIDPlaces() {
        let prefix = plan.uidPrefix
        guard !prefix.isEmpty else { return }
        var position = 0
        while let place = text.place(of: prefix, from: position) {
            position = place + 1
            guard isUID(text, at: place + prefix.count) else { continue }
            guard uidPlaceCount < Self.uidPlaceCountMax else {
                // The last one stays in view: nearly always it is the real one.
                uidPlaces[uidPlaceCount - 1] = Int32(truncatingIfNeeded: place)
                isExhausted = true
                continue
            }
            uidPlaces[uidPlaceCount] = Int32(truncatingIfNeeded: place)
            uidPlaceCount += 1
        }
    }

    @inline(__always)
    private func isUID(_ text: Bytes, at start: Int) -> Bool {
        guard start < text.count, Ascii.isDigit(text[start]),
            let end = text.number(at: start, digitCountMax: DrupalForm.uidDigitCounts.upperBound)?.end
        else { return false }
        return text.holds(plan.uidSuffix, at: end)
    }

    /// True when a user id could stand in a text of the reading: before its own, so that what follows is forged, or
    /// after it, so that the real one is hidden there. The address that a message repeats proves the former wrong.
    private func holdsOtherUID(_ reading: DrupalReading) -> Bool {
        let prefixCount = plan.uidPrefix.count
        let uidStart = reading.start(.uid)
        var isAfterHostile = false
        for field in plan.fields where !field.isDigits {
            if field.isHostile { isAfterHostile = true }
            let start = reading.start(field)
            if reading.isProvenByPath, start < uidStart { continue }
            // What stands before all values that clients choose may be a number: a message type `0`.
            let from = isAfterHostile ? start - prefixCount : start
            if holdsUID(from: from, to: min(start + reading.slice(field, of: text).count, clientsEnd)) { return true }
        }
        return false
    }

    private func holdsUID(from start: Int, to end: Int) -> Bool {
        for i in 0..<uidPlaceCount where start <= Int(uidPlaces[i]) && Int(uidPlaces[i]) < end { return true }
        return false
    }
}
