// A KMS key as AWS tools let people name it, and what stands for it in a policy. Pure.

/// Nil for the keys that AWS manages (`alias/aws/…`).
struct KMSKeyName: Equatable {
    /// As it was given.
    let text: String
    private let id: String
    private let region: String
    private let partition: String
    /// From an ARN.
    let account: String?
    /// A policy names keys, not aliases: an alias becomes a condition on all keys of the account.
    let alias: String?

    /// Takes an id, `alias/name`, or the ARN of either.
    init?(_ text: String, region: String, partition: String) {
        self.text = text
        var name = text
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 6, parts[0] == "arn" {
            (self.partition, self.region, account) = (parts[1], parts[3], parts[4])
            name = parts[5]
        } else {
            (self.partition, self.region, account) = (partition, region, nil)
        }
        guard !name.hasPrefix("alias/aws/") else { return nil }
        alias = name.hasPrefix("alias/") ? name : nil
        id = name.hasPrefix("alias/") ? "*" : name.hasPrefix("key/") ? String(name.dropFirst(4)) : name
    }

    func arn(account: String) -> String { "arn:\(partition):kms:\(region):\(account):key/\(id)" }
}
