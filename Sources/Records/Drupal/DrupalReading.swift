// One way to read a text by a format: where each field begins and ends, and how much speaks against it.

/// A reading, complete or not. The places of its fields lie in memory that others lend: small to copy, and readings that
/// begin alike share them.
struct DrupalReading {
    /// Start and end of each field.
    static let placeCountMax = 20

    private let places: UnsafeMutablePointer<Int32>
    private var present: UInt16 = 0
    /// Points against the reading: see `DrupalDoubt`.
    var doubt = 0
    /// The reading is possible only with values that nobody has without an aim: it is never beyond doubt.
    var isContested = false
    /// Its message is what Drupal writes for its address: see `DrupalPathCheck`.
    var isProvenByPath = false
    /// Its type is one whose message repeats the address, and nothing yet keeps that from being so here.
    var canBeProven = false
    private(set) var anchorCount = 0

    /// An empty reading; `places` has room for `placeCountMax`.
    init(places: UnsafeMutablePointer<Int32>) { self.places = places }

    /// The same reading with places of its own.
    func copied(to places: UnsafeMutablePointer<Int32>) -> DrupalReading {
        var copy = DrupalReading(places: places)
        places.update(from: self.places, count: Self.placeCountMax)
        copy.present = present
        copy.doubt = doubt
        copy.isContested = isContested
        copy.isProvenByPath = isProvenByPath
        copy.canBeProven = canBeProven
        copy.anchorCount = anchorCount
        return copy
    }

    @inline(__always)
    mutating func set(_ field: DrupalField, _ start: Int, _ end: Int) {
        places[2 * field.rawValue] = Int32(truncatingIfNeeded: start)
        places[2 * field.rawValue + 1] = Int32(truncatingIfNeeded: end)
        present |= 1 << UInt16(field.rawValue)
        if field.isAnchor { anchorCount += 1 }
    }

    @inline(__always)
    func has(_ field: DrupalField) -> Bool { present & 1 << UInt16(field.rawValue) != 0 }

    func start(_ field: DrupalField) -> Int { has(field) ? Int(places[2 * field.rawValue]) : 0 }

    /// The field's bytes; none when the reading lacks it.
    @inline(__always)
    func slice(_ field: DrupalField, of text: Bytes) -> Bytes {
        guard has(field) else { return .none }
        return text.part(Int(places[2 * field.rawValue]), Int(places[2 * field.rawValue + 1]))
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
