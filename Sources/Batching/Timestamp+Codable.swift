// Instants in manifests, markers and stored plans: RFC 3339, UTC, at most six fraction digits, none that are zero.

package import CivilTime

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = InstantText.parse(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a UTC instant"))
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(InstantText.write(self))
    }
}

/// The one spelling that the project's own files use; anything else is not read.
enum InstantText {
    static func write(_ time: Timestamp) -> String {
        let time = min(max(time, CivilHour.earliest), CivilHour.latest)
        let civil = CivilHour(time)
        let ofHour = time.seconds - CivilHour.floor(time.seconds, by: 3_600) * 3_600
        let micros = time.microseconds - time.seconds * 1_000_000
        var text = "\(civil.date)T\(CivilHour.pad(civil.hour, 2))"
        text += ":\(CivilHour.pad(Int(ofHour / 60), 2)):\(CivilHour.pad(Int(ofHour % 60), 2))"
        if micros != 0 {
            let digits = CivilHour.pad(Int(micros), 6)
            text += "." + (micros % 1_000 == 0 ? String(digits.prefix(3)) : digits)
        }
        return text + "Z"
    }

    static func parse(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for index in range {
                guard bytes.indices.contains(index), (0x30...0x39).contains(bytes[index]) else { return nil }
                value = value * 10 + Int64(bytes[index] - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), (1...12).contains(month),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        let days = CivilHour.days(year: Int(year), month: Int(month)) + day - 1
        var micros = (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000
        switch bytes.count {
        case 20: break
        case 24: micros += (number(20..<23) ?? 0) * 1_000
        case 27: micros += number(20..<26) ?? 0
        default: return nil
        }
        let time = Timestamp(microseconds: micros)
        // Writing it again checks separators, ranges and digits in one go.
        return write(time) == text ? time : nil
    }
}
