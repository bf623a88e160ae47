// What every job tells of its runs, under the same names.

import CivilTime

package enum RunMetrics {
    /// - Parameters:
    ///   - command: `archive` or `ship`.
    ///   - labels: of every series, job and stream among them.
    package static func families(
        _ ledger: RunLedger, command: String, labels: [(name: String, value: String)]
    ) -> [MetricFamily] {
        var success = MetricFamily(
            "sluice_\(command)_last_success_timestamp_seconds", .gauge,
            help: "When a run last ended with exit status 0.")
        var exit = MetricFamily(
            "sluice_run_exit_code", .gauge, help: "Exit status of the last run that ended; 128 + n after signal n.")
        var started = MetricFamily("sluice_run_start_timestamp_seconds", .gauge, help: "When the last run began.")
        var ended = MetricFamily(
            "sluice_run_end_timestamp_seconds", .gauge,
            help: "When a run last ended; older than the start while a run works, and after it was killed.")
        var runs = MetricFamily(
            "sluice_runs_total", .counter, help: "Runs by exit status; killed counts those that did not end.")
        let labels = labels + [("command", command)]
        if let time = ledger.lastSuccess { success.add(seconds(time), labels.dropLast()) }
        if let run = ledger.lastRun { started.add(seconds(run.started), labels) }
        if let run = ledger.lastEnded, let end = run.ended, let code = run.exitCode {
            exit.add(Int(code), labels)
            ended.add(seconds(end), labels)
        }
        for (code, count) in ledger.runsByExit.sorted(by: { $0.key < $1.key }) {
            runs.add(count, labels + [("exit_code", code)])
        }
        return [success, exit, started, ended, runs]
    }

    static func seconds(_ time: Timestamp) -> Double { Double(time.microseconds) / 1e6 }
}
