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

    /// - Parameter file: a rotated form, plain or gzip.
    static func isSame(_ source: SourceFile, _ file: ListedFile) -> Bool {
        guard let size = try? source.look().size, let other = try? SourceFile(path: file.path) else { return false }
        let (head, tail, length) =
            file.path.hasSuffix(RotationNames.gzipSuffix) ? inflated(other, upTo: size) : plain(other, upTo: size)
        // The first words of a line are alike in many logs.
        guard length >= min(size, comparedBytesMin), length > 0 else { return false }
        let headBytes = min(FilePosition.headBytesMax, length)
        let tailBytes = min(FilePosition.tailBytesMax, length)
        return (try? source.bytes(at: 0, count: headBytes)) == head
            && (try? source.bytes(at: length - tailBytes, count: tailBytes)) == tail
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
