// What names of jobs, streams, buckets and regions may look like. Pure; the rules' sources stand beside them.

enum Names {
    static func isJobName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == 0x2D }
    }

    /// `[a-zA-Z0-9_.-]{1,128}` (Kinesis API, StreamName).
    static func isStreamName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                isLower($0) || isUpper($0) || isDigit($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D
            }
    }

    /// `arn:aws*:kinesis:<region>:<12 digits>:stream/<name>` (Kinesis API, StreamARN).
    static func streamARN(_ text: String) -> (region: String, name: String)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "kinesis",
            isRegion(parts[3]), isAccount(parts[4]), parts[5].hasPrefix("stream/")
        else { return nil }
        let name = String(parts[5].dropFirst("stream/".count))
        return isStreamName(name) ? (parts[3], name) : nil
    }

    static func isAccount(_ text: String) -> Bool { text.utf8.count == 12 && text.utf8.allSatisfy(isDigit) }

    /// `us-east-1`, `us-gov-west-1`, `ap-southeast-7`: letters in parts, a number last. New regions need no new sluice.
    static func isRegion(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (3...5).contains(parts.count), let number = parts.last, (1...2).contains(number.utf8.count),
            number.utf8.allSatisfy(isDigit)
        else { return false }
        return parts.dropLast().allSatisfy { !$0.isEmpty && $0.utf8.count <= 16 && $0.utf8.allSatisfy(isLower) }
    }

    /// For "did you mean" only.
    static let knownRegions = [
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1",
        "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
        "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7", "ca-central-1", "ca-west-1",
        "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
        "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "cn-north-1",
        "cn-northwest-1", "us-gov-east-1", "us-gov-west-1",
    ]

    /// General purpose buckets (Amazon S3 User Guide, "General purpose bucket naming rules").
    static func isBucket(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (3...63).contains(bytes.count), let first = bytes.first, let last = bytes.last,
            isLower(first) || isDigit(first), isLower(last) || isDigit(last),
            bytes.allSatisfy({ isLower($0) || isDigit($0) || $0 == 0x2E || $0 == 0x2D }), !text.contains("..")
        else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let looksLikeAddress = labels.count == 4 && labels.allSatisfy { $0.utf8.allSatisfy(isDigit) }
        return !looksLikeAddress
    }

    /// A fixed key prefix: relative, ends with `/`, plain characters, no `.` or `..` and no empty part.
    static func isKeyPrefix(_ text: String) -> Bool {
        guard text.utf8.count <= 512, text.hasSuffix("/") else { return false }
        let parts = text.dropLast().split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy {
                    isLower($0) || isUpper($0) || isDigit($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E || $0 == 0x3D
                }
        }
    }

    /// `host[:port][/path]` of a site's base URL.
    static func isSiteKey(_ text: String) -> Bool {
        text.utf8.count <= 512 && text.wholeMatch(of: /(\[[0-9a-fA-F:.]+\]|[^\/ :]+)(:[0-9]+)?(\/[^ ]*)?/) != nil
    }

    /// An absolute path below the root, without `..`.
    static func isDirectory(_ text: String) -> Bool {
        guard text.hasPrefix("/"), text.utf8.count <= 1_024 else { return false }
        let parts = text.split(separator: "/")
        return !parts.isEmpty && !parts.contains("..")
    }

    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
