import AWS
import CivilTime
import Diagnostics
import HTTP
import Testing

private let id = "d9b6c0c9-0747-4bf4-b142-e8883122f766"
private let cluster = RedshiftDataTarget(.cluster("prod-1", databaseUser: "loader"), database: "logs")
private let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:x-AbCdEf"
private let taken = ScriptedServer.Step.json(#"{"Id":"\#(id)","CreatedAt":1.7E9,"Database":"logs"}"#)

extension Bench {
    fileprivate var data: RedshiftDataClient { RedshiftDataClient(client: client) }
    fileprivate static func redshift(_ steps: [ScriptedServer.Step]) -> Bench {
        Bench(steps, service: "redshift-data")
    }
}

struct RedshiftDataTests {
    @Test func aStatementCarriesTargetTokenAndServiceName() async throws {
        let bench = Bench.redshift([taken])
        let statement = try await bench.data.executeStatement("select 1", on: cluster, name: "n", clientToken: "t")
        #expect(statement == SubmittedStatement(id: id, createdAt: Timestamp(seconds: 1_700_000_000)))
        let request = bench.server.requests[0]
        #expect(request.target.url == "https://redshift-data.us-east-1.amazonaws.com/")
        #expect(request.header("X-Amz-Target") == "RedshiftData.ExecuteStatement")
        #expect(request.header("Content-Type") == "application/x-amz-json-1.1")
        #expect(request.header("authorization")?.contains("/us-east-1/redshift-data/aws4_request, ") == true)
        #expect(
            request.bodyText
                == #"{"ClusterIdentifier":"prod-1","DbUser":"loader","Database":"logs","Sql":"select 1","#
                + #""StatementName":"n","ClientToken":"t"}"#)
    }

    @Test(arguments: [
        (
            RedshiftDataTarget.Place.clusterWithSecret("c", secretARN: secret),
            #""ClusterIdentifier":"c","SecretArn":"\#(secret)","#
        ),
        (.workgroup("www", secretARN: nil), #""WorkgroupName":"www","#),
        (.workgroup("www", secretARN: secret), #""WorkgroupName":"www","SecretArn":"\#(secret)","#),
    ])
    func eachWayToLogInIsWritten(place: RedshiftDataTarget.Place, json: String) async throws {
        let bench = Bench.redshift([taken])
        let target = RedshiftDataTarget(place, database: "d")
        _ = try await bench.data.batchExecuteStatement(["lock \"a\"", "select 2"], on: target, clientToken: "t")
        #expect(bench.server.requests[0].header("X-Amz-Target") == "RedshiftData.BatchExecuteStatement")
        #expect(
            bench.server.requests[0].bodyText
                == #"{\#(json)"Database":"d","Sqls":["lock \"a\"","select 2"],"ClientToken":"t"}"#)
    }

    @Test func aBatchThatHasFailedIsReadWithItsParts() async throws {
        let bench = Bench.redshift([
            .json(
                #"{"Id":"\#(id)","Status":"FAILED","Error":"ERROR: x","CreatedAt":1.5,"RedshiftPid":42,"#
                    + #""RedshiftQueryId":0,"ResultRows":-1,"HasResultSet":false,"SubStatements":["#
                    + #"{"Id":"\#(id):1","Status":"FINISHED","RedshiftQueryId":7,"ResultRows":0,"Error":""},"#
                    + #"{"Id":"\#(id):2","Status":"FAILED","Error":"ERROR: x","RedshiftQueryId":-1,"ResultRows":-1},"#
                    + #"{"Id":"\#(id):3","Status":"ABORTED"}]}"#)
        ])
        let found = try await bench.data.describeStatement(id, on: cluster)
        #expect(
            found
                == StatementDescription(
                    id: id, status: .failed, error: "ERROR: x", createdAt: Timestamp(milliseconds: 1_500),
                    sessionID: 42,
                    parts: [
                        .init(id: id + ":1", status: .finished, queryID: 7, rows: 0),
                        .init(id: id + ":2", status: .failed, error: "ERROR: x"),
                        .init(id: id + ":3", status: .aborted),
                    ]))
        #expect(bench.server.requests[0].bodyText == #"{"Id":"\#(id)"}"#)
    }

    @Test func allPagesOfAResultAreRead() async throws {
        let bench = Bench.redshift([
            .json(#"{"Records":[[{"stringValue":"a"},{"longValue":1}]],"TotalNumRows":2,"NextToken":"more"}"#),
            .json(#"{"Records":[[{"isNull":true},{"booleanValue":true}],[{"doubleValue":1.5}]],"NextToken":""}"#),
        ])
        var rows: [[StatementField]] = []
        try await bench.data.getStatementResult(id, on: cluster) { rows.append($0) }
        #expect(rows == [[.text("a"), .integer(1)], [.null, .boolean(true)], [.other]])
        #expect(
            bench.server.requests.map(\.bodyText) == [
                #"{"Id":"\#(id)"}"#, #"{"Id":"\#(id)","NextToken":"more"}"#,
            ])
    }

    @Test func aResultWithoutEndIsRefusedAtTheLimit() async {
        let page = ScriptedServer.Step.json(#"{"Records":[],"NextToken":"t"}"#)
        let bench = Bench.redshift((0...RedshiftDataLimits.pagesMax).map { _ in page })
        let error = await failure { () async throws(AWSError) in
            try await bench.data.getStatementResult(id, on: cluster) { _ in }
        }
        #expect(error?.code == "TooManyPages")
        #expect(bench.server.stepsLeft == 1)
    }

    @Test func limitsAreCheckedBeforeAnythingIsSent() async throws {
        typealias Limits = RedshiftDataLimits
        let longest = String(repeating: "x", count: Limits.statementBytesMax)
        let token = String(repeating: "t", count: Limits.clientTokenLengthMax)
        let fits = Bench.redshift([taken])
        _ = try await fits.data.batchExecuteStatement(
            Array(repeating: "select 1", count: Limits.statementsMax - 1) + [longest], on: cluster, clientToken: token)
        for (statements, token, code) in [
            ([], "t", "TooManyStatements"),
            (Array(repeating: "select 1", count: Limits.statementsMax + 1), "t", "TooManyStatements"),
            ([longest + "x"], "t", "StatementTooLarge"), ([""], "t", "StatementTooLarge"),
            (["select 1"], token + "t", "InvalidClientToken"), (["select 1"], "", "InvalidClientToken"),
        ] {
            let bench = Bench.redshift([taken])
            let error = await failure { () async throws(AWSError) in
                try await bench.data.batchExecuteStatement(statements, on: cluster, clientToken: token)
            }
            #expect(error?.code == code)
            #expect(bench.server.requests.isEmpty)
        }
    }

    @Test(arguments: [
        ("ActiveStatementsExceededException", 400), ("ActiveSessionsExceededException", 400),
        ("ThrottlingException", 400), ("DatabaseConnectionException", 500), ("BatchExecuteStatementException", 500),
        ("InternalServerException", 500),
    ])
    func whatPassesIsTriedAgainWithTheSameToken(code: String, status: Int) async throws {
        let bench = Bench.redshift([.jsonError(code, status: status), .fail(.timeout), taken])
        _ = try await bench.data.batchExecuteStatement(["select 1"], on: cluster, clientToken: "t")
        let bodies = bench.server.requests.map(\.bodyText)
        #expect(bodies.count == 3)
        #expect(Set(bodies).count == 1)
    }

    @Test(arguments: [
        ("ValidationException", ExitCode.jobFileInvalid, "under `redshift:`"),
        ("ResourceNotFoundException", .stateOrIdentity, "under `redshift:`"),
        ("AccessDeniedException", .permission, "redshift:GetClusterCredentials on the database user"),
    ])
    func whatStaysIsSaidOnceWithTheRightExitCode(code: String, exit: ExitCode, hint: String) async {
        let bench = Bench.redshift([.jsonError(code)])
        let error = await failure { () async throws(AWSError) in
            try await bench.data.batchExecuteStatement(["select 1"], on: cluster, clientToken: "t")
        }
        #expect(error?.exitCode == exit)
        #expect(error?.hint?.contains(hint) == true)
        #expect(error?.isTransient == false)
        #expect(error?.subject == "cluster prod-1/logs")
        #expect(bench.server.requests.count == 1)
    }

    @Test func throttlingThatLastsIsATemporaryFailure() async {
        let bench = Bench.redshift((0..<3).map { _ in .jsonError("ActiveStatementsExceededException") })
        let error = await failure { () async throws(AWSError) in
            try await bench.data.executeStatement("select 1", on: cluster)
        }
        #expect(error?.exitCode == .temporary)
        #expect(error?.hint?.contains("too many statements") == true)
    }

    @Test(arguments: [#"{}"#, #"{"Id":"","CreatedAt":1}"#, #"{"Id":"x"}"#, "not json"])
    func anAnswerThatSaysTooLittleIsNotBelieved(body: String) async {
        let bench = Bench.redshift((0..<3).map { _ in .json(body) })
        let error = await failure { () async throws(AWSError) in
            try await bench.data.executeStatement("select 1", on: cluster)
        }
        #expect(error?.category == .malformed)
    }

    @Test func aStatusThatIsNoneIsNotBelieved() async {
        let bench = Bench.redshift((0..<3).map { _ in .json(#"{"Id":"x","Status":"RESTING"}"#) })
        let error = await failure { () async throws(AWSError) in
            try await bench.data.describeStatement("x", on: cluster)
        }
        #expect(error?.category == .malformed)
    }
}
