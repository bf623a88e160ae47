/// The few elements that are read from the XML of STS; a missing or empty one is nil.
struct STSAnswer {
    private let root: XMLElement?

    init(_ body: [UInt8]) { root = XMLElement.parse(body) }

    /// `<Error><Code>`.
    var errorCode: String? { text("Code", of: "Error") }
    /// `<Error><Message>`.
    var errorMessage: String? { text("Message", of: "Error") }

    /// One element of `<Credentials>`.
    func credential(_ name: String) -> String? { text(name, of: "Credentials") }

    private func text(_ name: String, of parent: String) -> String? {
        guard let text = root?.firstDescendant(parent)?.childText(name).map({ trimmed($0) }), !text.isEmpty else {
            return nil
        }
        return text
    }
}
