// `destination.prefix`: literal text and placeholders that make the S3 prefix of a partition. Everything that could
// lead a key out of its literal prefix is refused here or encoded in PartitionValue.

package import CivilTime

/// A parsed prefix such as `drupal/dt={date}/hour={hour}/`.
package struct PrefixTemplate: Sendable, Equatable {
    package enum Field: String, CaseIterable, Sendable {
        case stream, date, year, month, day, hour, site, host, program, severity

        /// True when the value comes from the instant alone.
        package var isTime: Bool {
            switch self {
            case .date, .year, .month, .day, .hour: true
            case .stream, .site, .host, .program, .severity: false
            }
        }
        /// True when the value may differ between rows of one instant.
        package var isFromRow: Bool { !isTime && self != .stream }

        var bytesMax: Int {
            switch self {
            case .date: 10
            case .year: 4
            case .month, .day, .hour: 2
            // `__none__` and `__other__` are the longest.
            case .severity: 9
            case .stream, .site, .host, .program: PartitionValue.bytesMax
            }
        }
    }

    package enum Part: Sendable, Equatable {
        case literal(String)
        case field(Field)
    }

    /// S3 allows 1,024 bytes for a key; what follows the prefix takes at most stream 128, shard id 128, number 64 and
    /// the punctuation between (see `objectKey`).
    static let renderedBytesMax = 1_024 - (128 + 1 + 128 + 1 + 64 + 10)

    /// As the job file has it.
    package let text: String
    package let parts: [Part]

    /// The text before the first placeholder: no key ever leaves it.
    package var literalPrefix: String {
        if case .literal(let text) = parts.first { return text }
        return ""
    }

    /// Placeholders in order of appearance, each once.
    package var fields: [Field] {
        var seen: [Field] = []
        for case .field(let field) in parts where !seen.contains(field) { seen.append(field) }
        return seen
    }

    /// True when the instant alone decides the partition.
    package var usesOnlyTime: Bool { !fields.contains { $0.isFromRow } }

    package init(_ text: String) throws(PrefixTemplateError) {
        self.text = text
        parts = try Self.parse(text)
        try checkShape()
    }

    private static func parse(_ text: String) throws(PrefixTemplateError) -> [Part] {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.first {
            rest = rest.dropFirst()
            switch character {
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw PrefixTemplateError(
                        template: text, cause: "has a { without its }", hint: "write placeholders like {date}")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.field(try field(named: String(rest[..<end]), in: text)))
                rest = rest[rest.index(after: end)...]
            case "}":
                throw PrefixTemplateError(
                    template: text, cause: "has a } without its {", hint: "write placeholders like {date}")
            default:
                literal.append(character)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func field(named name: String, in text: String) throws(PrefixTemplateError) -> Field {
        if let field = Field(rawValue: name) { return field }
        let known = Field.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")
        let near = NearestField.name(to: name).map { "did you mean {\($0)}? " } ?? ""
        throw PrefixTemplateError(
            template: text, cause: "has the unknown placeholder {\(name)}", hint: "\(near)known are \(known)")
    }

    private func checkShape() throws(PrefixTemplateError) {
        // Characters that S3 calls safe and that neither a URL, nor Hive, nor Redshift reads as something else.
        let isSafe = parts.allSatisfy { part in
            guard case .literal(let text) = part else { return true }
            return text.utf8.allSatisfy { PartitionValue.isAllowed($0) || $0 == 0x2F || $0 == 0x3D }
        }
        guard isSafe else {
            throw PrefixTemplateError(
                template: text, cause: "has a character that is not allowed",
                hint: "use letters, digits, . _ - = and / around the placeholders")
        }
        // A placeholder never renders as nothing, as a dot alone or with a slash: checking the shape with a letter in
        // its place checks every rendering.
        let shape = parts.map { part -> String in
            if case .literal(let text) = part { text } else { "x" }
        }.joined()
        let segments = shape.split(separator: "/", omittingEmptySubsequences: false)
        if segments.count > 1, segments.dropLast().contains("") {
            throw PrefixTemplateError(
                template: text, cause: "has an empty path segment", hint: "do not begin with / and do not write //")
        }
        if segments.contains(where: { $0 == "." || $0 == ".." }) {
            throw PrefixTemplateError(
                template: text, cause: "has . or .. as a path segment", hint: "write the path out in full")
        }
        let longest = parts.reduce(0) { sum, part in
            switch part {
            case .literal(let text): sum + text.utf8.count
            case .field(let field): sum + field.bytesMax
            }
        }
        guard longest <= Self.renderedBytesMax else {
            throw PrefixTemplateError(
                template: text,
                cause: "can become \(longest) bytes long, and S3 keys leave \(Self.renderedBytesMax) for a prefix",
                hint: "use fewer placeholders or a shorter text")
        }
    }
}

/// What one row gives to a prefix. The byte fields are read during the call only; empty means absent.
package struct PartitionValues {
    /// Arrival or event time, as the job's `partition_time` says.
    package var time: Timestamp
    package var stream: String
    package var site: UnsafeRawBufferPointer
    package var host: UnsafeRawBufferPointer
    package var program: UnsafeRawBufferPointer
    package var severity: Int?

    package init(
        time: Timestamp, stream: String,
        site: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        host: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        program: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        severity: Int? = nil
    ) {
        self.time = time
        self.stream = stream
        self.site = site
        self.host = host
        self.program = program
        self.severity = severity
    }
}

extension PrefixTemplate {
    /// The S3 prefix of the partition that a row belongs to.
    package func render(_ values: PartitionValues) -> String {
        let civil = CivilHour(values.time)
        return render { field in
            switch field {
            case .stream: PartitionValue.encode(text: values.stream)
            case .date: civil.date
            case .year: civil.year
            case .month: civil.month
            case .day: civil.day
            case .hour: civil.hour
            case .site: PartitionValue.encode(values.site)
            case .host: PartitionValue.encode(values.host)
            case .program: PartitionValue.encode(values.program)
            case .severity: values.severity.map { String($0) } ?? PartitionValue.none
            }
        }
    }

    /// The one prefix of everything that found no partition of its own: every placeholder but the stream's is
    /// `__other__`.
    package func renderOverflow(stream: String) -> String {
        render { $0 == .stream ? PartitionValue.encode(text: stream) : PartitionValue.other }
    }

    private func render(_ value: (Field) -> String) -> String {
        var out = ""
        for part in parts {
            switch part {
            case .literal(let text): out += text
            case .field(let field): out += value(field)
            }
        }
        return out
    }
}

extension PrefixTemplate: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
