// JSON whose bytes depend on the value alone: keys sorted, no spaces, no escaped slashes, one LF at the end.

package import Diagnostics
import FoundationEssentials

package enum CanonicalJSON {
    package static func encode(_ value: some Encodable, as subject: String) throws(DocumentError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value)) + [0x0A]
        } catch {
            throw DocumentError(operation: "write", subject: subject, cause: "\(error)")
        }
    }

    /// Reads a document whose `format_version` is at most `versionMax`.
    package static func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8], versionMax: Int, as subject: String
    ) throws(DocumentError) -> T {
        let data = Data(bytes)
        do {
            let version = try JSONDecoder().decode(VersionOnly.self, from: data).version
            guard (1...versionMax).contains(version) else {
                throw DocumentError(
                    operation: "read", subject: subject,
                    cause: "it has format version \(version), this program knows versions up to \(versionMax)",
                    hint: "use a newer sluice")
            }
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DocumentError {
            throw error
        } catch {
            throw DocumentError(operation: "read", subject: subject, cause: describe(error))
        }
    }

    /// Reads a document of a form that others laid down, which has no version.
    package static func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8], as subject: String
    ) throws(DocumentError) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw DocumentError(operation: "read", subject: subject, cause: describe(error))
        }
    }

    private struct VersionOnly: Decodable {
        var version: Int
        enum CodingKeys: String, CodingKey { case version = "format_version" }
    }

    private static func describe(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "the key \(key.stringValue) is missing in \"\(path(context))\""
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return "\"\(path(context))\" has another type than it should"
        case DecodingError.dataCorrupted(let context):
            return context.codingPath.isEmpty ? "it is not JSON" : "\"\(path(context))\": \(context.debugDescription)"
        default: return "\(error)"
        }
    }
}

/// A manifest, marker or stored plan that cannot be read.
package struct DocumentError: DiagnosticError, Equatable {
    package var operation: String
    package var subject: String
    package var cause: String
    package var hint: String?

    package init(operation: String, subject: String, cause: String, hint: String? = nil) {
        self.operation = operation
        self.subject = subject
        self.cause = cause
        self.hint = hint
    }

    package var diagnostic: Diagnostic {
        Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
    }
    package var exitCode: ExitCode { .stateOrIdentity }
    package var isTransient: Bool { false }
}
