import Batching
import CivilTime
import Redshift
import Testing

private let ledger = LoadLedger(table: TableName(schema: "public", table: "sluice_loads"), bucket: "acme-logs")

private func batch(_ name: String, arrival: Int64 = 0, objects: [(String, Int, Int)] = [("o", 10, 3)]) -> CopyBatch {
    CopyBatch(
        manifest: "c/commits/\(name).json", lastArrival: Timestamp(seconds: arrival),
        objects: objects.map {
            CopyBatch.Object(
                key: "data/\(name)-\($0.0)", bytes: $0.1, rows: $0.2, sha256: String(repeating: "a", count: 64))
        })
}

private func transaction(_ load: CopyManifest, role: String = "arn:aws:iam::111122223333:role/r") -> LoadTransaction {
    LoadTransaction(
        load: load, ledger: ledger,
        copy: CopyStatement(
            table: .standard, manifestURL: "s3://acme-logs/m", jsonPathsURL: "s3://acme-logs/p", roleARN: role))
}

@Suite struct LoadGroupTests {
    @Test func aFewLargeLoadsAreMadeOldestFirst() {
        let batches = [batch("c", arrival: 3), batch("a", arrival: 1), batch("b", arrival: 2)]
        let limits = LoadLimits(objectsMax: 2, bytesMax: 1_000, ledgerBytesMax: 10_000)
        let loads = LoadGroups.loads(batches, ledger: ledger, limits: limits)
        #expect(
            loads.map { $0.batches.map(\.manifest) } == [
                ["c/commits/a.json", "c/commits/b.json"], ["c/commits/c.json"],
            ])
        #expect(LoadGroups.loads(batches.reversed(), ledger: ledger, limits: limits) == loads)
        #expect(LoadGroups.loads([], ledger: ledger).isEmpty)
    }

    @Test func eachLimitCutsAtItselfAndNotBefore() {
        let batches = (0..<4).map { batch("b\($0)", arrival: Int64($0)) }
        func sizes(_ change: (inout LoadLimits) -> Void) -> [Int] {
            var limits = LoadLimits.standard
            change(&limits)
            return LoadGroups.loads(batches, ledger: ledger, limits: limits).map(\.batches.count)
        }
        let row = transaction(CopyManifest([batches[0]])).statements[1].utf8.count
        let two = transaction(CopyManifest(Array(batches[0..<2]))).statements[1].utf8.count - row
        #expect(sizes { _ in } == [4])
        #expect(sizes { $0.objectsMax = 4 } == [4])
        #expect(sizes { $0.objectsMax = 3 } == [3, 1])
        #expect(sizes { $0.bytesMax = 40 } == [4])
        #expect(sizes { $0.bytesMax = 39 } == [3, 1])
        #expect(sizes { $0.ledgerBytesMax = 4 * two } == [4])
        #expect(sizes { $0.ledgerBytesMax = 4 * two - 1 } == [3, 1])
    }

    @Test func aBatchBeyondTheLimitsIsALoadOfItsOwn() {
        let large = batch("b", arrival: 2, objects: (0..<5).map { ("o\($0)", 10, 1) })
        let loads = LoadGroups.loads(
            [batch("a", arrival: 1), large, batch("c", arrival: 3)], ledger: ledger,
            limits: LoadLimits(objectsMax: 3, bytesMax: 1_000, ledgerBytesMax: 10_000))
        #expect(loads.map(\.objects.count) == [1, 5, 1])
    }

    @Test func theLongestLedgerStatementFitsTheService() {
        let key = String(repeating: "k", count: 900)
        let batches = (0..<1_000).map { batch("\(key)\($0)", arrival: Int64($0)) }
        let loads = LoadGroups.loads(batches, ledger: ledger)
        #expect(loads.count > 10)
        for load in loads {
            #expect(transaction(load).statements.reduce(0) { $0 + $1.utf8.count } <= 100_000)
            #expect(ledger.loaded(of: load.batches.map(\.manifest)).utf8.count <= 100_000)
        }
    }
}

@Suite struct LoadTransactionTests {
    private let load = CopyManifest([batch("b", objects: [("o", 5, 2), ("p", 5, 4)]), batch("a")])

    @Test func theLedgerIsLockedFirstAndCountedLast() {
        let statements = transaction(load).statements
        #expect(statements.count == LoadTransaction.Step.allCases.count)
        #expect(statements[0] == #"LOCK "public"."sluice_loads""#)
        #expect(
            statements[1]
                == #"INSERT INTO "public"."sluice_loads" ("load_id", "manifest", "object_count", "row_count") VALUES "#
                + "('\(load.id)','s3://acme-logs/c/commits/a.json',1,3),"
                + "('\(load.id)','s3://acme-logs/c/commits/b.json',2,6)")
        #expect(
            statements[2]
                == #"SELECT 1 / CASE WHEN COUNT(*) = COUNT(DISTINCT "manifest") THEN 1 ELSE 0 END FROM "#
                + #""public"."sluice_loads" WHERE "manifest" IN (SELECT "manifest" FROM "public"."sluice_loads" "#
                + #"WHERE "load_id" = '\#(load.id)')"#)
        #expect(statements[3].hasPrefix(#"COPY "public"."drupal_log" ("#))
        #expect(statements[4] == "SELECT 1 / CASE WHEN PG_LAST_COPY_COUNT() = 9 THEN 1 ELSE 0 END")
    }

    @Test func theTokenIsToldByTheContentAndTheTry() {
        let token = transaction(load).token(target: "cluster a/d", attempt: 1)
        #expect(token.count == 64)
        let again = CopyManifest(load.batches.reversed())
        #expect(transaction(again).token(target: "cluster a/d", attempt: 1) == token)
        let others = [
            transaction(load).token(target: "cluster a/d", attempt: 2),
            transaction(load).token(target: "cluster b/d", attempt: 1),
            transaction(load, role: "arn:aws:iam::111122223333:role/s").token(target: "cluster a/d", attempt: 1),
            transaction(CopyManifest([batch("a")])).token(target: "cluster a/d", attempt: 1),
        ]
        #expect(Set(others + [token]).count == 5)
    }

    @Test func whatAKeyHoldsStaysInsideItsQuotes() {
        let odd = CopyManifest([batch("x'); DROP TABLE t; --\\")])
        let statement = transaction(odd).statements[1]
        #expect(statement.contains(#"'s3://acme-logs/c/commits/x''); DROP TABLE t; --\\.json'"#))
    }
}

@Suite struct LoadJudgeTests {
    private let load = CopyManifest([batch("a"), batch("b")])
    private var all: [String: String] { ["c/commits/a.json": load.id, "c/commits/b.json": load.id] }

    @Test(arguments: [LoadEnding.Status.finished, .failed, .aborted], [true, false])
    func theLedgerDecidesWhateverTheStatementIsSaidToBe(status: LoadEnding.Status, isOld: Bool) {
        let ending = LoadEnding(status: status, step: .copy, error: "connection lost", isOld: isOld)
        #expect(LoadJudge.judge(load, ending, entries: all) == .settled(.loaded))
        var other = all
        other["c/commits/b.json"] = "other"
        #expect(
            LoadJudge.judge(load, ending, entries: other)
                == .settled(.loadedElsewhere(["c/commits/a.json", "c/commits/b.json"])))
        #expect(
            LoadJudge.judge(load, ending, entries: ["c/commits/b.json": "other"])
                == .settled(.loadedElsewhere(["c/commits/b.json"])))
    }

    @Test(arguments: [LoadEnding.Status.finished, .failed, .aborted])
    func anEndingOfAnEarlierRunSaysNothingOfNow(status: LoadEnding.Status) {
        let ending = LoadEnding(status: status, step: .copy, error: "ERROR: Load into table 'x' failed", isOld: true)
        #expect(LoadJudge.judge(load, ending, entries: [:]) == .old)
    }

    @Test(arguments: [
        "ERROR: 1023 Detail: Serializable isolation violation on table", "ERROR: deadlock detected",
        "FATAL: connection limit exceeded", "ERROR: S3ServiceException:Please reduce your request rate.,Error SlowDown",
    ])
    func badLuckIsTriedAgain(error: String) {
        let ending = LoadEnding(status: .failed, step: .copy, error: error)
        #expect(LoadJudge.judge(load, ending, entries: [:]) == .unlucky)
    }

    @Test func aSecondTimeThatTheLedgerNoLongerShowsIsTriedAgain() {
        let ending = LoadEnding(status: .failed, step: .refuseSecondTime, error: "ERROR: Divide by zero")
        #expect(LoadJudge.judge(load, ending, entries: [:]) == .unlucky)
    }

    @Test(arguments: [
        (
            LoadTransaction.Step.copy, "ERROR: Load into table 't' failed. Check 'sys_load_error_detail' system table",
            LoadFailure.Kind.rows
        ),
        (.count, "ERROR: Divide by zero", .rows), (.copy, "ERROR: Cannot COPY into nonexistent table t", .missing),
        (.copy, "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied", .permission),
        (.ledger, "ERROR: permission denied for relation sluice_loads", .permission),
        (.lock, #"ERROR: relation "public.x" does not exist"#, .missing), (.copy, "ERROR: disk full", .other),
    ])
    func failuresAreToldApart(step: LoadTransaction.Step, error: String, kind: LoadFailure.Kind) {
        let ending = LoadEnding(status: .failed, step: step, error: error)
        #expect(
            LoadJudge.judge(load, ending, entries: [:])
                == .settled(.failed(LoadFailure(kind: kind, step: step, error: error))))
    }

    @Test func aFinishedStatementThatTheLedgerDoesNotShowIsAFailure() {
        guard case .settled(.failed(let failure)) = LoadJudge.judge(load, LoadEnding(status: .finished), entries: [:])
        else {
            Issue.record("it passed for loaded")
            return
        }
        #expect(failure.kind == .other)
    }
}
