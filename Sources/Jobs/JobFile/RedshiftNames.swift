// What names of Redshift may look like in a job file. Narrower than Redshift itself where that keeps statements plain:
// no name needs escaping between quotes, and letter case never matters. Pure.

enum RedshiftNames {
    /// Standard identifiers of at most 127 bytes, lower case (Redshift guide, "Names and identifiers").
    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count <= 127 && text.wholeMatch(of: /[a-z_][a-z0-9_]*/) != nil
    }

    static func isDatabase(_ text: String) -> Bool {
        text.utf8.count <= 127 && text.wholeMatch(of: /[a-z_][a-z0-9_.@+\-]*/) != nil
    }

    /// `DbUser` of the Data API, with the prefixes `IAM:` and `IAMR:` of federated users.
    static func isUser(_ text: String) -> Bool {
        text.utf8.count <= 128 && text.wholeMatch(of: /[A-Za-z0-9_.@:+$\-]+/) != nil
    }

    /// `ClusterIdentifier` (Redshift API, CreateCluster).
    static func isCluster(_ text: String) -> Bool {
        text.utf8.count <= 63 && text.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil
    }

    /// `workgroupName` (Redshift Serverless API, CreateWorkgroup).
    static func isWorkgroup(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9\-]{3,64}/) != nil }

    static func isSecretARN(_ text: String) -> Bool {
        text.utf8.count <= 2_048
            && text.wholeMatch(of: /arn:aws[a-z\-]*:secretsmanager:[a-z0-9\-]+:[0-9]{12}:secret:[A-Za-z0-9\/_+=.@!\-]+/)
                != nil
    }

    /// One role ARN, or several joined by commas (Redshift guide, "Chaining IAM roles").
    static func isRoleChain(_ text: String) -> Bool {
        let roles = text.split(separator: ",", omittingEmptySubsequences: false)
        return (1...10).contains(roles.count)
            && roles.allSatisfy {
                $0.utf8.count <= 640
                    && $0.wholeMatch(of: /arn:aws[a-z\-]*:iam::[0-9]{12}:role\/[A-Za-z0-9_+=,.@\/\-]+/) != nil
            }
    }

    static func isJSONKey(_ text: String) -> Bool {
        guard text.hasSuffix(".json"), text.utf8.count <= 1_000 else { return false }
        return text.wholeMatch(of: /([A-Za-z0-9_.=\-]+\/)*[A-Za-z0-9_.=\-]+/) != nil
            && !text.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }
}
