// Structured data as JSON text: `{"id":{"name":"value"}}`. A name that comes twice in an element, which RFC 5424
// section 6.3.3 allows, becomes an array; an id that comes twice, which it forbids, is one object. The text is cut
// between parameters, so that it is JSON at any length.

final class StructuredDataWriter {
    private struct Parameter {
        var element: Int
        var name: Bytes
        var value: Bytes
        var isWritten = false
    }

    /// More than any real message has; keeps the search for names that come twice short.
    static let parameterCountMax = 512
    static let elementCountMax = 64

    private var parameters: [Parameter] = []
    private var elements: [Bytes] = []
    private let text = RowBuffer(capacity: 1_024)
    private let byteCountMax = TextColumn.structuredData.byteCountMax

    /// The JSON text of checked elements, valid until the next call; empty when nothing is left of them.
    func json(elements data: Bytes) -> (text: Bytes, outcome: TextOutcome) {
        // One access for all of the work: the closure below would check each of its own.
        var outcome = Self.collect(data, &elements, &parameters)
        text.reset()
        guard !elements.isEmpty else { return (.none, outcome) }
        text.put(byte: Ascii.openBrace)
        for element in elements.indices {
            let before = text.count
            if element > 0 { text.put(",") }
            outcome.formUnion(putString(elements[element]))
            text.put(":{")
            outcome.formUnion(putParameters(of: element))
            text.put("}")
            // One byte for the brace that closes the text.
            if text.count >= byteCountMax {
                text.cut(to: before)
                outcome.insert(.cut)
                break
            }
        }
        text.put(byte: Ascii.closeBrace)
        return (text.bytes, outcome)
    }

    private static func collect(
        _ data: Bytes, _ elements: inout [Bytes], _ parameters: inout [Parameter]
    ) -> TextOutcome {
        parameters.removeAll(keepingCapacity: true)
        elements.removeAll(keepingCapacity: true)
        var outcome: TextOutcome = []
        var i = 0
        while i < data.count, data[i] == Ascii.openBracket {
            let known = parameters.count
            var end: Int?
            if let nameEnd = StructuredDataScanner.endOfName(data, at: i + 1) {
                let id = data.part(i + 1, nameEnd)
                let element = elements.firstIndex { $0.equals(id) } ?? elements.count
                var isCut = element == elementCountMax
                end = StructuredDataScanner.endOfElement(data, at: i) { name, value in
                    if element < elementCountMax, parameters.count < parameterCountMax {
                        parameters.append(Parameter(element: element, name: name, value: value))
                    } else {
                        isCut = true
                    }
                }
                if end != nil, element == elements.count, element < elementCountMax { elements.append(id) }
                if end != nil, isCut { outcome.insert(.cut) }
            }
            if end == nil {
                parameters.removeLast(parameters.count - known)
                end = StructuredDataScanner.endOfDamagedElement(data, at: i)
            }
            i = end ?? data.count
        }
        return outcome
    }

    private func putParameters(of element: Int) -> TextOutcome {
        var outcome: TextOutcome = []
        var isFirst = true
        for i in parameters.indices where parameters[i].element == element && !parameters[i].isWritten {
            let before = text.count
            if !isFirst { text.put(",") }
            outcome.formUnion(putString(parameters[i].name))
            text.put(":")
            let isArray = parameters[(i + 1)...].contains {
                $0.element == element && $0.name.equals(parameters[i].name)
            }
            if isArray { text.put("[") }
            outcome.formUnion(putValue(parameters[i].value))
            if isArray {
                for j in parameters.indices[(i + 1)...]
                where parameters[j].element == element && parameters[j].name.equals(parameters[i].name) {
                    parameters[j].isWritten = true
                    let beforeItem = text.count
                    text.put(",")
                    outcome.formUnion(putValue(parameters[j].value))
                    if text.count + 3 >= byteCountMax {
                        text.cut(to: beforeItem)
                        outcome.insert(.cut)
                    }
                }
                text.put("]")
            }
            // Room for the braces that close element and text.
            if text.count + 2 > byteCountMax {
                text.cut(to: before)
                outcome.insert(.cut)
                return outcome
            }
            isFirst = false
        }
        return outcome
    }

    private func putString(_ string: Bytes) -> TextOutcome {
        text.put(byte: Ascii.quote)
        let outcome = text.put(text: string, byteCountMax: byteCountMax)
        text.put(byte: Ascii.quote)
        return outcome
    }

    /// The value without its escapes: a backslash counts only before `"`, `\` and `]` (section 6.3.3).
    private func putValue(_ value: Bytes) -> TextOutcome {
        var outcome: TextOutcome = []
        text.put(byte: Ascii.quote)
        var runStart = 0
        var i = value.place(of: Ascii.backslash, from: 0)
        while i + 1 < value.count {
            let next = value[i + 1]
            if next == Ascii.quote || next == Ascii.backslash || next == Ascii.closeBracket {
                outcome.formUnion(text.put(text: value.part(runStart, i), byteCountMax: byteCountMax))
                runStart = i + 1
            }
            i = value.place(of: Ascii.backslash, from: i + 2)
        }
        outcome.formUnion(text.put(text: value.part(from: runStart), byteCountMax: byteCountMax))
        text.put(byte: Ascii.quote)
        return outcome
    }
}
