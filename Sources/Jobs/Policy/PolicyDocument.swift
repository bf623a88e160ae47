// An IAM policy as a value and as the JSON that IAM takes. Order is fixed: two equal jobs give equal text.

package import AWS
import Foundation

package struct PolicyDocument: Encodable, Equatable, Sendable {
    package static let version = "2012-10-17"
    /// Characters of a managed policy without white space
    /// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
    package static let charactersMax = 6_144

    package var statements: [PolicyStatement]

    package init(statements: [PolicyStatement]) { self.statements = statements }

    package var actions: Set<Permission> { Set(statements.flatMap(\.actions)) }

    /// Indented, for people and for `aws iam create-policy --policy-document`.
    package var json: String { encoded([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) }

    /// As IAM counts it.
    package var characterCount: Int { encoded([.sortedKeys, .withoutEscapingSlashes]).count }

    private func encoded(_ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        guard let data = try? encoder.encode(self) else { preconditionFailure("a policy holds only text") }
        return String(decoding: data, as: UTF8.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.version, forKey: .version)
        try container.encode(statements, forKey: .statement)
    }

    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case statement = "Statement"
    }
}

/// One `Allow`.
package struct PolicyStatement: Encodable, Equatable, Sendable {
    /// Letters and digits, unlike any other in the document.
    package var sid: String
    package var actions: [Permission]
    /// ARNs, with `*` for the rest of a key.
    package var resources: [String]
    /// Operator to condition key to values.
    package var conditions: [String: [String: [String]]]

    package init(
        sid: String, actions: Set<Permission>, resources: [String], conditions: [String: [String: [String]]] = [:]
    ) {
        self.sid = sid
        self.actions = actions.sorted()
        self.resources = resources
        self.conditions = conditions
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sid, forKey: .sid)
        try container.encode("Allow", forKey: .effect)
        try container.encode(actions.map(\.rawValue), forKey: .action)
        try container.encode(resources, forKey: .resource)
        guard !conditions.isEmpty else { return }
        try container.encode(conditions.mapValues { $0.mapValues(OneOrMany.init) }, forKey: .condition)
    }

    /// A lone value stands without brackets, as AWS writes it; some readers of policies insist.
    private struct OneOrMany: Encodable {
        let values: [String]

        init(_ values: [String]) { self.values = values }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if values.count == 1 { try container.encode(values[0]) } else { try container.encode(values) }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case sid = "Sid"
        case effect = "Effect"
        case action = "Action"
        case resource = "Resource"
        case condition = "Condition"
    }
}
