// What happens while a run waits: answers from the stream, changes of files, a request to end. Many post, one waits.
import CivilTime
import Synchronization

final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var waiter: CheckedContinuation<Void, Never>?
        var isWoken = false
        /// Wakes at `deadline`. It outlives the wait that it was made for: most waits end with an answer, and a new
        /// timer for each would cost as much as a tenth of a request.
        var timer: (deadline: UInt64, task: Task<Void, Never>)?
    }
    private let state = Mutex(State())

    deinit { state.withLock { $0.timer?.task.cancel() } }

    func post(_ message: Message) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.messages.append(message)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Ends a wait without a message.
    func wake() { wake(timer: nil) }

    private func wake(timer deadline: UInt64?) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let deadline, state.timer?.deadline == deadline { state.timer = nil }
            state.isWoken = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Everything that was posted; waits for it, but not beyond `deadline` (monotonic nanoseconds; nil: for ever).
    /// May come back early with nothing.
    func take(until deadline: UInt64?, time: any TimeSource) async -> [Message] {
        if let now = takeNow() { return now }
        if let deadline {
            let now = time.monotonicNanoseconds()
            guard deadline > now else {
                // Others get their turn even when there is no time to wait.
                await Task.yield()
                return takeNow() ?? []
            }
            setTimer(deadline, .nanoseconds(Int64(clamping: deadline - now)), time)
        }
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.messages.isEmpty || state.isWoken { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { state in
            state.isWoken = false
            defer { state.messages.removeAll() }
            return state.messages
        }
    }

    /// Makes sure that something wakes by `deadline`.
    private func setTimer(_ deadline: UInt64, _ wait: Duration, _ time: any TimeSource) {
        state.withLock { state in
            if let timer = state.timer, timer.deadline <= deadline { return }
            state.timer?.task.cancel()
            let task = Task { [weak self] in
                try? await time.sleep(for: wait)
                if !Task.isCancelled { self?.wake(timer: deadline) }
            }
            state.timer = (deadline, task)
        }
    }

    private func takeNow() -> [Message]? {
        state.withLock { state in
            guard !state.messages.isEmpty else { return nil }
            state.isWoken = false
            defer { state.messages.removeAll() }
            return state.messages
        }
    }
}
