// Splits a message into Drupal's fields. Nearly every line has exactly as many separators as its format: then there is
// one reading, found in one pass. The others go through the search.

package import CivilTime

extension DrupalFormat {
    /// How far a header's minute and second may be from the timestamp in the message.
    static let clockSecondsMax = 60
    /// All time zones are whole quarters of an hour apart.
    private static let quarterHour = 900

    /// Reads `message` by the format.
    ///
    /// - Parameters:
    ///   - reference: the arrival time.
    ///   - headerSecond: minute and second of the syslog header, in seconds. The web server writes header and message
    ///     in the same moment, so a message that has another time was not written by Drupal as it stands: ambiguous.
    /// - Returns: slices of `message`. Never `.continuation`: a line without fields is `.notDrupal`.
    package func split(
        _ message: UnsafeRawBufferPointer, reference: Timestamp, headerSecond: Int? = nil
    ) -> DrupalVerdict {
        withPlan { plan in
            // Other programs' messages end here.
            if plan.fields[0] == .baseURL, plan.literal(0).isEmpty, DrupalForm.authorityStart(message) == 0 {
                return .notDrupal
            }
            return withUnsafeTemporaryAllocation(of: Int32.self, capacity: ReadingSearch.scratchCount) { scratch in
                guard let scratch = scratch.baseAddress else { return .notDrupal }
                return split(message, reference, headerSecond, plan, scratch)
            }
        }
    }

    private func split(
        _ message: Bytes, _ reference: Timestamp, _ headerSecond: Int?, _ plan: DrupalPlan,
        _ scratch: UnsafeMutablePointer<Int32>
    ) -> DrupalVerdict {
        if let reading = onlyReading(of: message, plan, places: scratch) {
            return verdict(reading, message, isBeyondDoubt: true, headerSecond)
        }
        for isRelaxed in [false, true] {
            let search = ReadingSearch(
                message, plan, reference: reference.seconds, isRelaxed: isRelaxed, scratch: scratch)
            if let best = search.best {
                return verdict(best, message, isBeyondDoubt: search.isBeyondDoubt, headerSecond)
            }
            if isRelaxed, let cut = search.cut { return .partial(cut.fields(of: message)) }
        }
        return .notDrupal
    }

    private func verdict(
        _ reading: DrupalReading, _ message: Bytes, isBeyondDoubt: Bool, _ headerSecond: Int?
    ) -> DrupalVerdict {
        let fields = reading.fields(of: message)
        return isBeyondDoubt && isOfOneTime(fields.timestamp, headerSecond) ? .ok(fields) : .ambiguous(fields)
    }

    private func isOfOneTime(_ timestamp: Int64?, _ headerSecond: Int?) -> Bool {
        guard let timestamp, let headerSecond else { return true }
        let distance = (Int(timestamp % Int64(Self.quarterHour)) - headerSecond) % Self.quarterHour
        let forward = distance < 0 ? distance + Self.quarterHour : distance
        return min(forward, Self.quarterHour - forward) <= Self.clockSecondsMax
    }

    /// The reading of a text with exactly the format's separators, when all forms are right.
    private func onlyReading(
        of message: Bytes, _ plan: DrupalPlan, places: UnsafeMutablePointer<Int32>
    ) -> DrupalReading? {
        guard let separator else { return nil }
        var reading = DrupalReading(places: places)
        var start = 0
        for index in plan.fields.indices {
            let field = plan.fields[index]
            let end = message.place(of: separator, from: start)
            let isLast = index == plan.fields.count - 1
            guard isLast == (end == message.count), isPlain(field, message.part(start, end), reading, message) else {
                return nil
            }
            reading.set(field, start, end)
            start = end + 1
        }
        return reading
    }

    private func isPlain(_ field: DrupalField, _ value: Bytes, _ reading: DrupalReading, _ message: Bytes) -> Bool {
        switch field {
        case .baseURL: DrupalForm.isBaseURL(value)
        case .timestamp: DrupalForm.isDigits(value, DrupalForm.epochDigitCounts)
        case .uid: DrupalForm.isDigits(value, DrupalForm.uidDigitCounts)
        case .severity: DrupalForm.isSeverity(value)
        case .requestURI:
            reading.has(.baseURL)
                ? DrupalForm.sharedRoot(value, reading.slice(.baseURL, of: message)) != nil
                : DrupalForm.isRequestURIOfAnySite(value)
        case .ip, .referer: value.place(of: Ascii.lineFeed, from: 0) == value.count
        case .type, .link, .message: true
        }
    }
}
