// SIGTERM, SIGINT and SIGHUP: the first asks the job for an ordered end, the second ends the process at once.

import Glibc
import Jobs

enum StopSignals {
    /// The handler can reach nothing but globals; it touches one atomic and calls `_exit`, both safe in a handler.
    private static let stop = StopSignal()

    /// Installs the handlers and gives what they set. A signal that was ignored at the start (nohup, a shell's
    /// background job) stays ignored.
    static func install() -> StopSignal {
        // Made here, before a handler can run.
        let signal = stop
        for number in [SIGTERM, SIGINT, SIGHUP] {
            var before = sigaction()
            sigaction(number, nil, &before)
            if isIgnored(before) { continue }
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                if StopSignals.stop.requested != nil { _exit(128 + number) }
                StopSignals.stop.request(signal: number)
            }
            action.sa_flags = SA_RESTART
            sigemptyset(&action.sa_mask)
            sigaction(number, &action, nil)
        }
        return signal
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
