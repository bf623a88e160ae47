// What happens while a run waits: answers from the stream, changes of files, a request to end. Many post, one waits.
import CivilTime
import Synchronization

final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var waiter: CheckedContinuation<Void, Never>?
        var isWoken = false
    }
    private let state = Mutex(State())

    func post(_ message: Message) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.messages.append(message)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Ends a wait without a message.
    func wake() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isWoken = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Everything that was posted; waits for it, but not beyond `deadline` (monotonic nanoseconds; nil: for ever).
    func take(until deadline: UInt64?, time: any TimeSource) async -> [Message] {
        if let now = takeNow() { return now }
        let wait = deadline.map { deadline -> Duration in
            let now = time.monotonicNanoseconds()
            return .nanoseconds(Int64(deadline > now ? deadline - now : 0))
        }
        if let wait, wait <= .zero {
            // Others get their turn even when there is no time to wait.
            await Task.yield()
            return takeNow() ?? []
        }
        let timer = wait.map { wait in
            Task { [self] in
                try? await time.sleep(for: wait)
                if !Task.isCancelled { wake() }
            }
        }
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.messages.isEmpty || state.isWoken { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        timer?.cancel()
        return state.withLock { state in
            state.isWoken = false
            defer { state.messages.removeAll() }
            return state.messages
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
