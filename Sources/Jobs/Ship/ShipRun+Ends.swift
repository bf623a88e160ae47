// The ends of a run, and what it tells of itself on the way.
import AWS
import CivilTime
import Diagnostics

extension ShipRun {
    func checkForEnd(_ sender: ShipSender) throws {
        if let until = drainsUntil {
            if now >= until { throw EarlyEnd.outOfTime }
            return
        }
        if sender.fatal != nil {
            drainsUntil = now &+ Self.lastAnswersTime
        } else if dependencies.stop.requested != nil || Task.isCancelled {
            dependencies.notifier.notify("STOPPING=1")
            drainsUntil = now &+ file.grace.nanoseconds
            if file.grace == .zero { throw EarlyEnd.outOfTime }
        } else if mode == .once, let runTime = file.limits.runTime, now &- startedNanoseconds >= runTime.nanoseconds {
            throw EarlyEnd.outOfTime
        }
    }

    func end(_ error: any Error) {
        switch error {
        case EarlyEnd.outOfTime: report.moreWaiting = true
        case EarlyEnd.failed(let diagnostic, let code):
            report.problem = diagnostic
            raise(code)
        default:
            let (diagnostic, code) = describe(error, during: "ship", of: file.name)
            report.problem = diagnostic
            report.moreWaiting = true
            raise(code)
        }
    }

    /// The account at the end of the run, whatever ended it.
    func finish(_ reader: ShipReader, _ sender: ShipSender, _ positions: PositionFile) {
        finishFiles(reader.logs)
        do {
            if hasUnsaved || sender.hasNews || hasNewFiles { try save(reader, positions) }
        } catch {
            let (diagnostic, code) = describe(error, during: "save positions", of: file.name)
            if report.problem == nil { report.problem = diagnostic }
            raise(code)
        }
        if let fatal = sender.fatal {
            report.problem = fatal.diagnostic
            report.moreWaiting = true
            raise(fatal.exitCode)
        }
        if !sender.queue.isEmpty || mode == .once && reader.isDue(now: now, isFull: 0) { report.moreWaiting = true }
        if report.moreWaiting { raise(.temporary) }
        if mode == .once {
            if report.moreWaiting { report.signal = dependencies.stop.requested }
        } else if report.exitCode == .done {
            // A service ends by a signal, and well if it got rid of what it had read.
            reader.lookAtAll(now: now)
            report.moreWaiting = reader.pendingBytes > 0
        }
        let problems = reader.logs.problems.sorted { $0.key < $1.key }.map(\.value)
        for problem in problems + reader.problems {
            if report.problem == nil { report.problem = problem.diagnostic }
            raise(problem.exitCode)
        }
        account(reader)
        if report.deadLetters > 0 { raise(.damage) }
    }

    private func raise(_ code: ExitCode) { report.exitCode = ExitCode.mostUrgent([report.exitCode, code]) }

    private func account(_ reader: ShipReader) {
        report.unmatchedLines = reader.unmatchedLines
        report.files = reader.logs.files.map { file in
            var account = file.account
            account.path = file.currentPath
            account.storedOffset = file.phase == .finished ? account.storedOffset : file.ledger.storedOffset
            account.state =
                switch file.phase {
                case .live: .open
                case .rotated, .settling: .rotated
                case .finished: .finished
                case .lost: .lost
                }
            return account
        }
        for lost in reader.logs.missing {
            var account = ShipReport.File(
                path: lost.position.path, from: lost.position.offset, size: lost.position.sizeSeen)
            account.generation = lost.position.generation
            account.suspectedLost = lost.bytes
            account.state = .lost
            report.files.append(account)
        }
    }

    func tell(_ reader: ShipReader, _ sender: ShipSender) {
        let time = now
        if let watchdog = dependencies.notifier.watchdog, time >= nextWatchdog {
            dependencies.notifier.notify("WATCHDOG=1")
            nextWatchdog = time &+ watchdog.nanoseconds / 2
        }
        var snapshot = ProgressSnapshot()
        snapshot.records = report.records
        snapshot.recordBytes = reader.logs.files.reduce(0) { $0 + $1.account.bytesStored }
        snapshot.elapsed = .nanoseconds(Int64(time &- startedNanoseconds))
        dependencies.events.progress(snapshot)
        guard time >= nextStatus else { return }
        nextStatus = time &+ Self.statusInterval
        let unread = reader.logs.files.reduce(0) { $0 + ($1.isReadable ? $1.unreadBytes : 0) }
        dependencies.notifier.notify(
            "STATUS=\(reader.logs.files.count(where: \.isReadable)) files, \(report.records) records stored, "
                + "\(sender.queue.waitingCount) to be sent again, \(unread) bytes unread")
        guard notes != nil else { return }
        account(reader)
        notes?.publish(report, unreadBytes: unread)
    }
}
