// How many of the captured lines are split rightly. The bounds are the project's promise; the figures printed are
// those of ARCHITECTURE.md.

import CivilTime
import Testing

@testable import Records

@Suite struct CapturedLinesTests {
    private let format: DrupalFormat
    private let arrival = Timestamp(seconds: 1_795_390_000)

    init() throws { format = try DrupalFormat(TransformSettings.defaultDrupalFormat) }

    /// What became of the complete records of one file.
    private struct Figures: CustomStringConvertible {
        var count = 0
        var ok = 0
        var okWrong = 0
        var ambiguous = 0
        var ambiguousRight = 0
        /// The line ends before the message, and all that it says is right.
        var partialRight = 0
        var other = 0

        var right: Int { ok - okWrong + ambiguousRight + partialRight }

        var description: String {
            func percent(_ part: Int) -> String { "\(Double(part * 10_000 / max(count, 1)) / 100) %" }
            return "\(count) records: ok \(ok) (\(percent(ok))), \(okWrong) of them wrong; ambiguous \(ambiguous), "
                + "\(ambiguousRight) of them right; partial \(partialRight); other \(other); "
                + "right \(right) (\(percent(right)))"
        }
    }

    @Test(arguments: CapturedFile.all)
    func capturedRecordsAreSplitAsPromised(file: CapturedFile) throws {
        let lines = try file.lines()
        var figures = Figures()
        for call in try file.calls() {
            figures.count += 1
            let line = lines[call.line - 1]
            let truth = call.firstLine(file.filter)
            switch split(line) {
            case .ok(let values):
                figures.ok += 1
                if values != truth {
                    figures.okWrong += 1
                    print("wrong in \(file), line \(call.line): \(String(decoding: line.message, as: UTF8.self))")
                }
            case .ambiguous(let values):
                figures.ambiguous += 1
                if values == truth { figures.ambiguousRight += 1 }
            case .partial(let values):
                let isRight = truth.count < 9 && values == truth + Array(repeating: [], count: 9 - truth.count)
                if isRight { figures.partialRight += 1 } else { figures.other += 1 }
            case .none:
                figures.other += 1
            }
        }
        print("\(file): \(figures)")
        #expect(figures.count > 1_000)
        #expect(figures.ok * 100 >= figures.count * 94)
        #expect(figures.okWrong * 1_000 <= figures.ok)
        #expect(figures.right * 100 >= figures.count * 97)
    }

    @Test(arguments: CapturedFile.all)
    func furtherLinesOfAMessageHaveNoFields(file: CapturedFile) throws {
        let lines = try file.lines()
        var pieces = 0
        var forged = 0
        var unseen = 0
        for call in try file.calls() where call.lineCount > 1 {
            for line in lines[call.line..<call.line + call.lineCount - 1] {
                pieces += 1
                switch split(line) {
                case .none: break
                case .ambiguous: forged += 1
                // A whole entry in a message gives itself away by its time only.
                case .ok: unseen += 1
                case .partial(let values): Issue.record("\(file): partial \(values)")
                }
            }
        }
        print("\(file): \(pieces) further lines; forged entries among them: \(forged) ambiguous, \(unseen) not seen")
        #expect(pieces > 100)
        // With PHP's `raw` filter the forged line brings a header, and so a time, of its own.
        if file.filter == .noControl { #expect(unseen * 500 <= pieces) }
    }

    private enum Outcome {
        case ok([[UInt8]])
        case ambiguous([[UInt8]])
        case partial([[UInt8]])
        case none
    }

    private func split(_ line: Line) -> Outcome {
        line.message.withUnsafeBytes { message in
            switch format.split(message, reference: arrival, headerSecond: line.headerSecond) {
            case .ok(let fields): .ok(fields.values)
            case .ambiguous(let fields): .ambiguous(fields.values)
            case .partial(let fields): .partial(fields.values)
            case .notDrupal, .continuation: .none
            }
        }
    }
}
