import Batching
import Foundation

/// Small JSON in text columns.
enum StoredJSON {
    static func encode(_ value: some Encodable) throws -> String {
        String(decoding: try CanonicalJSON.encode(value, as: "state").dropLast(), as: UTF8.self)
    }

    static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw DocumentError(operation: "read", subject: "state", cause: "a column holds \"\(text.prefix(100))\"")
        }
    }
}
