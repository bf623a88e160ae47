import HTTP
import Synchronization

/// Answers in order; the last one is repeated.
final class Script: Sendable {
    private let answers: Mutex<[HTTPResponse]>
    init(_ answers: [HTTPResponse]) { self.answers = Mutex(answers) }
    func next() -> HTTPResponse {
        answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }
}
