// Fluentd's position file: a line for each file, `path TAB position TAB inode`, both numbers in 16 hexadecimal digits
// (fluentd, in_tail/position_file.rb). Pure.

/// How far Fluentd had read one file.
package struct FluentdPosition: Sendable, Equatable {
    /// As `in_tail` names the file.
    package var path: String
    /// Nil when Fluentd had given the file up.
    package var offset: Int?
    /// 0 when the file was not there yet.
    package var inode: UInt64
    package var place: FluentdPlace
}

package struct FluentdPositionList: Sendable, Equatable {
    package var positions: [FluentdPosition] = []
    /// Lines that are none, and why.
    package var problems: [Problem] = []
    /// When the file was written last: nanoseconds since 1970.
    package var modified: Int

    package struct Problem: Sendable, Equatable {
        package var place: FluentdPlace
        package var text: String
    }

    /// Written in place of the position of a file that is watched no more.
    private static let unwatched = UInt64.max
    private static let hexDigitsMax = 16

    /// - Parameter keyedByInode: `follow_inodes`: a path may have several files. Else, and in either case for what
    ///   has the same key, the last line counts.
    init(_ bytes: [UInt8], path: String, modified: Int, keyedByInode: Bool) {
        self.modified = modified
        var last: [String: Int] = [:]
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty { continue }
            let place = FluentdPlace(file: path, line: index + 1)
            switch Self.parse(line, place) {
            case .failure(let problem): problems.append(problem)
            case .success(let position):
                let key = keyedByInode ? "\(position.inode)" : position.path
                if let before = last[key] {
                    positions[before] = position
                } else {
                    last[key] = positions.count
                    positions.append(position)
                }
            }
        }
    }

    private enum Parsed {
        case success(FluentdPosition)
        case failure(Problem)
    }

    private static func parse(_ line: ArraySlice<UInt8>, _ place: FluentdPlace) -> Parsed {
        func failure(_ text: String) -> Parsed { .failure(Problem(place: place, text: text)) }
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        guard fields.count == 3, !fields[0].isEmpty else {
            return failure("is damaged: path, position and inode between tabs are expected")
        }
        guard let path = String(validating: fields[0], as: UTF8.self) else {
            return failure("holds a path that is not UTF-8")
        }
        guard let offset = number(fields[1]), let inode = number(fields[2]) else {
            return failure("is damaged: position and inode have up to \(hexDigitsMax) hexadecimal digits")
        }
        if offset == unwatched {
            return .success(FluentdPosition(path: path, offset: nil, inode: inode, place: place))
        }
        guard let offset = Int(exactly: offset) else { return failure("is damaged: no file is that long") }
        return .success(FluentdPosition(path: path, offset: offset, inode: inode, place: place))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...hexDigitsMax).contains(digits.count), digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Reads a position file from disk.
    package static func read(path: String, keyedByInode: Bool) throws(FluentdConfigError) -> FluentdPositionList {
        let bytes = try FluentdDisk.read(path, bytesMax: FluentdDisk.positionBytesMax)
        let modified = FileFacts(path: path)?.modified ?? 0
        return FluentdPositionList(bytes, path: path, modified: modified, keyedByInode: keyedByInode)
    }
}
