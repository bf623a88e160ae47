// From text to YAML nodes with their places. Yams stops at the first group that names a key twice; to find the other
// problems as well, the second key is reported, renamed and the text composed again.

import Yams

/// More duplicates than this in one file are reported after the first are mended.
private let duplicatesMax = 50

/// The root of the only document in `text`; nil after a report.
func composeDocument(_ text: String, reader: JobFileReader) -> Node? {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for attempt in 0..<duplicatesMax {
        do {
            if let root = try Yams.compose(yaml: lines.joined(separator: "\n")) { return root }
            reader.add(.start, key: "", "the file is empty", remedy: "begin with `job: archive` or `job: ship`")
            return nil
        } catch YamlError.duplicatedKeysInMapping(let names, let context) {
            let first = Place(line: context.mark.line, column: context.mark.column)
            let name = names.first ?? ""
            let second = secondPlace(of: name, first: first, in: lines)
            reader.add(
                second ?? first, key: name, "is given twice" + (second == nil ? "" : ", first on line \(first.line)"),
                remedy: "keep one of the two")
            guard let second else { return nil }
            reader.settle(second)
            lines[second.line - 1] = rename(lines[second.line - 1], column: second.column, to: "duplicate-\(attempt)")
        } catch let error as YamlError {
            report(error, lines: lines, reader: reader)
            return nil
        } catch {
            reader.add(.start, key: "", "cannot be read as YAML: \(error)")
            return nil
        }
    }
    return nil
}

/// Looks down from the first use of a key for a line that names it again at the same indentation.
private func secondPlace(of name: String, first: Place, in lines: [String]) -> Place? {
    for (index, line) in lines.enumerated().dropFirst(first.line) {
        let indentation = line.prefix { $0 == " " }.unicodeScalars.count
        let content = line.dropFirst(indentation)
        if content.isEmpty || content.hasPrefix("#") { continue }
        if indentation < first.column - 1 { return nil }
        guard indentation == first.column - 1 else { continue }
        for written in [name, "\"\(name)\"", "'\(name)'"] where content.hasPrefix(written) {
            if content.dropFirst(written.count).drop(while: { $0 == " " }).first == ":" {
                return Place(line: index + 1, column: first.column)
            }
        }
    }
    return nil
}

private func rename(_ line: String, column: Int, to name: String) -> String {
    guard let colon = line.firstIndex(of: ":") else { return line }
    return String(line.prefix(column - 1)) + name + line[colon...]
}

private func report(_ error: YamlError, lines: [String], reader: JobFileReader) {
    let remedy =
        "indent with spaces, and put values in double quotes that begin with one of ! { [ & * % @ or hold \": \""
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
        .composer(let context, let problem, let mark, _):
        let place = Place(line: mark.line, column: mark.column)
        if problem.contains("another document") {
            reader.add(place, key: "", "a second document begins here", remedy: "one file holds one job")
            return
        }
        let detail = context.map { " (\($0.text) that begins on line \($0.mark.line))" } ?? ""
        let tab = lines.indices.contains(mark.line - 1) && lines[mark.line - 1].contains("\t")
        reader.add(
            place, key: "", "not valid YAML: \(problem)\(detail)",
            remedy: tab ? "there is a tab on this line: \(remedy)" : remedy)
    case .reader(let problem, let offset, _, let yaml):
        let before = yaml.prefix(offset ?? 0)
        let line = 1 + before.count { $0 == "\n" }
        reader.add(Place(line: line, column: 1), key: "", "not valid YAML: \(problem)", remedy: remedy)
    default:
        reader.add(.start, key: "", "cannot be read as YAML", remedy: remedy)
    }
}
