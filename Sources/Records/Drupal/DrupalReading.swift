// One way to read a text by a format: where each field begins and ends, and how much speaks against it.

/// A reading, complete or not. Fixed in size, so that a search can copy it freely.
struct DrupalReading {
    private var starts = SIMD16<Int32>(repeating: 0)
    private var ends = SIMD16<Int32>(repeating: -1)
    /// Points against the reading: see `DrupalDoubt`.
    var doubt = 0
    /// The reading is possible only with values that nobody has without an aim: it is never beyond doubt.
    var isContested = false
    /// Its message is what Drupal writes for its address: see `DrupalPathCheck`.
    var isProvenByPath = false
    private(set) var anchorCount = 0

    mutating func set(_ field: DrupalField, _ start: Int, _ end: Int) {
        starts[field.rawValue] = Int32(truncatingIfNeeded: start)
        ends[field.rawValue] = Int32(truncatingIfNeeded: end)
        if field.isAnchor { anchorCount += 1 }
    }

    func has(_ field: DrupalField) -> Bool { ends[field.rawValue] >= 0 }

    func start(_ field: DrupalField) -> Int { Int(starts[field.rawValue]) }

    /// The field's bytes; none when the reading lacks it.
    func slice(_ field: DrupalField, of text: Bytes) -> Bytes {
        let end = Int(ends[field.rawValue])
        return end < 0 ? .none : text.part(Int(starts[field.rawValue]), end)
    }

    func fields(of text: Bytes) -> DrupalFields {
        DrupalFields(
            baseURL: slice(.baseURL, of: text), type: slice(.type, of: text), ip: slice(.ip, of: text),
            requestURI: slice(.requestURI, of: text), referer: slice(.referer, of: text),
            link: slice(.link, of: text), message: slice(.message, of: text),
            timestamp: number(.timestamp, of: text).map(Int64.init), uid: number(.uid, of: text).map(Int64.init),
            severity: number(.severity, of: text))
    }

    func number(_ field: DrupalField, of text: Bytes) -> Int? {
        guard has(field) else { return nil }
        let digits = slice(field, of: text)
        guard let (value, end) = digits.number(at: 0, digitCountMax: DrupalForm.digitCountMax), end == digits.count
        else { return nil }
        return value
    }
}
