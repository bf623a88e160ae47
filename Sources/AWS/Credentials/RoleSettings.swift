// The settings that both ways of assuming a role share, checked before STS sees them.
import CivilTime

struct RoleSettings {
    /// The bounds of AssumeRole's DurationSeconds.
    private static let durations = 900...43_200

    /// For messages: `profile web`.
    var source: String

    func duration(_ text: String?) throws(CredentialsError) -> Int? {
        guard let text else { return nil }
        guard let seconds = Int(text), Self.durations.contains(seconds) else {
            throw CredentialsError(
                source: source,
                cause:
                    "duration_seconds is not a number from \(Self.durations.lowerBound) to \(Self.durations.upperBound)"
            )
        }
        return seconds
    }

    /// The given name, or one made from the time. It shows in CloudTrail.
    func sessionName(_ text: String?, now: Timestamp) throws(CredentialsError) -> String {
        guard let text else { return "sluice-\(now.seconds)" }
        let isValid =
            (2...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "_=,.@-+".utf8.contains(byte)
            }
        guard isValid else {
            throw CredentialsError(
                source: source,
                cause: "the role session name is not 2 to 64 letters, digits or characters of _=,.@-+")
        }
        return text
    }

    /// Catches a name where an ARN belongs before STS answers with less clear words.
    func roleARN(_ text: String) throws(CredentialsError) -> String {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "iam", parts[5].hasPrefix("role/") else {
            throw CredentialsError(
                source: source, cause: "the role ARN is not one",
                hint: "write it like arn:aws:iam::123456789012:role/name")
        }
        return text
    }
}
