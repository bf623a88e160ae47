/// Columns that line up, two blanks apart; no blanks at the end of a line. Pure.
enum TextTable {
    /// - Parameters:
    ///   - rows: the first is the heading; all have the same number of cells.
    ///   - leftAligned: indices of columns that hold names; the others hold numbers.
    static func lines(_ rows: [[String]], leftAligned: Set<Int>) -> [String] {
        guard let heading = rows.first else { return [] }
        let widths = heading.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return leftAligned.contains(column) ? cell + space : space + cell
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
