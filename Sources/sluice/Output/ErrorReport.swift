// An error as the operator reads it, on standard error: what was being done, to what, what came back, what to do.

import CivilTime
import Diagnostics
import Jobs

struct ErrorReport {
    let console: Console
    let format: LogFormat
    let time: any TimeSource
    /// Another run that holds the job is no news to who runs it every few minutes.
    var hidesLockedJob = false

    /// Prints `error` and gives the status to end with.
    func print(_ error: any Error) -> Diagnostics.ExitCode {
        if let file = error as? JobFileError {
            for problem in file.problems { print(problem.diagnostic(path: file.path), code: file.exitCode) }
            return file.exitCode
        }
        if let known = error as? any DiagnosticError {
            print(known.diagnostic, code: known.exitCode)
            return known.exitCode
        }
        let fault = Diagnostic(
            operation: "run", subject: "", cause: "unexpected \(type(of: error)): \(error)",
            hint: "this is a fault in sluice; please report it with the command and the log")
        print(fault, code: .internalFault)
        return .internalFault
    }

    func print(_ diagnostic: Diagnostic, code: Diagnostics.ExitCode) {
        if code == .jobLocked, hidesLockedJob { return }
        switch format {
        case .text:
            console.line("sluice: " + diagnostic.summary)
            if let hint = diagnostic.hint { console.line("  hint: " + escapeControlCharacters(hint)) }
        case .json:
            var object = [
                "time": LogLine.timeText(time.now()), "level": "error", "message": diagnostic.summary,
                "operation": diagnostic.operation, "subject": diagnostic.subject, "cause": diagnostic.cause,
                "exit_code": "\(code.rawValue)",
            ]
            object["hint"] = diagnostic.hint
            console.line(JSONText.line(object))
        }
    }
}

extension JobFileProblem {
    func diagnostic(path: String) -> Diagnostic {
        Diagnostic(
            operation: "read job file", subject: line == 0 ? path : "\(path):\(line):\(column)",
            cause: key.isEmpty ? message : "\(key): \(message)", hint: remedy)
    }
}
