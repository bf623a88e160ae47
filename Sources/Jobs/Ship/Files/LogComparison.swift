// Whether two files hold the same log: one is a copy or the gzip form of the other, perhaps with a little less or more
// at its end. Compares the beginnings, and the bytes before the place up to which both go.

enum LogComparison {
    /// Fewer bytes say nothing, unless they are all there is.
    static let comparedBytesMin = 256

    /// True for gzip data that ends too early and before it says anything.
    static func isTooShort(_ file: ListedFile) -> Bool {
        guard let source = try? SourceFile(path: file.path), let log = try? InflatedLog(source) else { return true }
        do throws(ShipError) {
            _ = try log.skip(comparedBytesMin)
            return false
        } catch {
            return true
        }
    }

    /// How much of a log a copy of it holds; nil when `file` is no such copy.
    ///
    /// - Parameters:
    ///   - source: the log, which is whole: a copy is not longer.
    ///   - marks: how the log grew.
    ///   - file: a rotated form, plain or gzip.
    static func copiedLength(_ source: SourceFile, _ marks: LogMarks, _ file: ListedFile) -> Int? {
        // In this order: the log may grow, and be copied, in between.
        guard let other = try? SourceFile(path: file.path), let facts = try? source.look() else { return nil }
        let (head, tail, length) =
            file.path.hasSuffix(RotationNames.gzipSuffix)
            ? inflated(other, upTo: facts.size + 1) : plain(other, upTo: facts.size + 1)
        guard length > 0, length <= facts.size else { return nil }
        if length < comparedBytesMin {
            // The first words of a line are alike in many logs: the time must be right, too.
            let modified = other.facts.modified
            let fits =
                length == facts.size
                ? modified >= facts.modified - LogMarks.clockSlackNanoseconds
                : marks.allowCopy(length: length, modified: modified)
            guard fits else { return nil }
        }
        let headBytes = min(FilePosition.headBytesMax, length)
        let tailBytes = min(FilePosition.tailBytesMax, length)
        guard (try? source.bytes(at: 0, count: headBytes)) == head,
            (try? source.bytes(at: length - tailBytes, count: tailBytes)) == tail
        else { return nil }
        return length
    }

    private static func plain(_ file: SourceFile, upTo limit: Int) -> (head: [UInt8], tail: [UInt8], length: Int) {
        let length = min(file.facts.size, limit)
        let tailBytes = min(FilePosition.tailBytesMax, length)
        guard let head = try? file.bytes(at: 0, count: min(FilePosition.headBytesMax, length)),
            let tail = try? file.bytes(at: length - tailBytes, count: tailBytes)
        else { return ([], [], 0) }
        return (head, tail, length)
    }

    /// What can be unpacked of it: the file may still be growing.
    private static func inflated(_ file: SourceFile, upTo limit: Int) -> (head: [UInt8], tail: [UInt8], length: Int) {
        var (head, tail, length): ([UInt8], [UInt8], Int) = ([], [], 0)
        guard let log = try? InflatedLog(file) else { return (head, tail, 0) }
        _ = try? log.skip(limit) { bytes in
            if head.count < FilePosition.headBytesMax {
                head += bytes.prefix(FilePosition.headBytesMax - head.count)
            }
            tail += bytes
            if tail.count > FilePosition.tailBytesMax { tail.removeFirst(tail.count - FilePosition.tailBytesMax) }
            length += bytes.count
        }
        return (head, tail, length)
    }
}
