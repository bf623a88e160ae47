import AWS
import CivilTime
import HTTP
import Synchronization
import Testing

struct CredentialRefreshTests {
    /// A container endpoint whose answers are numbered; each set of keys lives `lifetime`.
    private final class Endpoint: Sendable {
        private let state = Mutex((count: 0, isDown: false))
        let lifetime: Duration
        init(lifetime: Duration) { self.lifetime = lifetime }
        var count: Int { state.withLock { $0.count } }
        func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

        func answer(now: Timestamp) -> HTTPResponse {
            let (count, isDown) = state.withLock { state in
                state.count += 1
                return state
            }
            if isDown { return AWSTests.answer(404) }
            let end = RFC3339.text(now.adding(lifetime))
            return AWSTests.answer(
                200,
                #"{"AccessKeyId":"AK\#(count)","SecretAccessKey":"PLANTED","Token":"PLANTED","Expiration":"\#(end)"}"#)
        }
    }

    private func container(_ endpoint: Endpoint, answerDelay: Duration = .zero) -> FakeMachine {
        let box = Box()
        let machine = FakeMachine(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"], answerDelay: answerDelay) { _ in
            endpoint.answer(now: box.machine?.now() ?? noon)
        }
        box.machine = machine
        return machine
    }

    /// Lets the network of a machine look at that machine's clock.
    private final class Box: Sendable {
        private let held = Mutex<FakeMachine?>(nil)
        var machine: FakeMachine? {
            get { held.withLock { $0 } }
            set { held.withLock { $0 = newValue } }
        }
    }

    @Test func aHundredCallersShareOneFetch() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        let chain = try container(endpoint, answerDelay: .milliseconds(100)).chain()
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<100 { group.addTask { try await chain.credentials().accessKeyID } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids == ["AK1"])
        #expect(endpoint.count == 1)
    }

    @Test func aHundredCallersShareOneFailureAndTheNextCallTriesAgain() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        endpoint.setDown(true)
        let chain = try container(endpoint, answerDelay: .milliseconds(500)).chain()
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { (try? await chain.credentials()) == nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 100)
        // A caller that comes after the failure starts a fetch of its own; on a busy machine a few may.
        #expect(endpoint.count <= 5)
        endpoint.setDown(false)
        _ = try await chain.credentials()
    }

    @Test func aCancelledCallerDoesNotEndTheFetchOfTheOthers() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        let chain = try container(endpoint, answerDelay: .milliseconds(50)).chain()
        let cancelled = Task { try await chain.credentials() }
        cancelled.cancel()
        #expect(try await chain.credentials().accessKeyID == "AK1")
        _ = try? await cancelled.value
        #expect(endpoint.count == 1)
    }

    @Test func credentialsAreKeptUntilAQuarterOfAnHourBeforeTheirEnd() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        let machine = container(endpoint)
        let chain = try machine.chain()
        #expect(try await chain.credentials().accessKeyID == "AK1")
        machine.turnClock(by: .seconds(2_700))
        #expect(try await chain.credentials().accessKeyID == "AK1")
        machine.turnClock(by: .microseconds(1))
        #expect(try await chain.credentials().accessKeyID == "AK2")
        #expect(endpoint.count == 2)
    }

    @Test func aFailedRefreshKeepsTheOldOnesWhileTenMinutesAreLeft() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        let machine = container(endpoint)
        let chain = try machine.chain()
        _ = try await chain.credentials()
        endpoint.setDown(true)
        machine.turnClock(by: .seconds(2_800))
        #expect(try await chain.credentials().accessKeyID == "AK1")
        #expect(endpoint.count == 2)
        #expect(machine.log.count == 1 && machine.log[0].contains("container credentials"))
        // Not asked again at once, but a minute later.
        #expect(try await chain.credentials().accessKeyID == "AK1")
        #expect(endpoint.count == 2)
        machine.turnClock(by: .seconds(60))
        #expect(try await chain.credentials().accessKeyID == "AK1")
        #expect(endpoint.count == 3)
        // 10 minutes before the end the failure is told.
        machine.turnClock(by: .seconds(3_600 - 2_860 - 600) + .microseconds(1))
        await #expect(throws: CredentialsError.self) { try await chain.credentials() }
        endpoint.setDown(false)
        #expect(try await chain.credentials().accessKeyID == "AK5")
    }

    @Test func credentialsThatAreShortByNatureAreNotFetchedForEveryCall() async throws {
        let endpoint = Endpoint(lifetime: .seconds(300))
        let machine = container(endpoint)
        let chain = try machine.chain()
        for _ in 0..<50 { #expect(try await chain.credentials().accessKeyID == "AK1") }
        machine.turnClock(by: .seconds(60))
        for _ in 0..<50 { #expect(try await chain.credentials().accessKeyID == "AK2") }
        #expect(endpoint.count == 2)
    }

    @Test func credentialsAreNeverGivenOutPastTheirEnd() async throws {
        let endpoint = Endpoint(lifetime: .seconds(10))
        let machine = container(endpoint)
        let chain = try machine.chain()
        _ = try await chain.credentials()
        machine.turnClock(by: .seconds(10))
        #expect(try await chain.credentials().accessKeyID == "AK2")
    }

    @Test func rejectedCredentialsAreFetchedAnewOnce() async throws {
        let endpoint = Endpoint(lifetime: .seconds(3_600))
        let chain = try container(endpoint).chain()
        let first = try await chain.credentials()
        // Many requests were sent with the same keys, and each one reports them.
        for _ in 0..<10 {
            await chain.invalidate(first)
            #expect(try await chain.credentials().accessKeyID == "AK2")
        }
        #expect(endpoint.count == 2)
    }

    @Test func changedFilesCountAfterARejection() async throws {
        let text = "[default]\naws_access_key_id = AKID\naws_secret_access_key = PLANTED\n"
        let machine = FakeMachine(credentials: text)
        let chain = try machine.chain()
        let first = try await chain.credentials()
        machine.turnClock(by: .seconds(1))
        machine.write("/home/op/.aws/credentials", text.replacing("AKID", with: "AKNEW"))
        #expect(try await chain.credentials().accessKeyID == "AKID")
        await chain.invalidate(first)
        #expect(try await chain.credentials().accessKeyID == "AKNEW")
    }

    // MARK: Static stability of the instance metadata

    private final class Instance: Sendable {
        let isDown = Mutex(false)
        let asked = Mutex(0)
        let end: Timestamp
        init(end: Timestamp) { self.end = end }
        func machine() -> FakeMachine {
            FakeMachine { [self] request throws(HTTPTransportError) in
                if isDown.withLock({ $0 }) { throw unreachable(request, .timeout) }
                if request.method == "PUT" {
                    asked.withLock { $0 += 1 }
                    return answer(200, "PLANTED")
                }
                if request.target.path.hasSuffix("/") { return answer(200, "role") }
                return answer(
                    200,
                    #"{"Code":"Success","AccessKeyId":"AKI","SecretAccessKey":"PLANTED","Token":"PLANTED","Expiration":"\#(RFC3339.text(end))"}"#
                )
            }
        }
    }

    @Test func expiredKeysOfAnInstanceAreUsedOnAndAskedForInAWhile() async throws {
        let instance = Instance(end: noon.adding(.seconds(-3_600)))
        let machine = instance.machine()
        let chain = try machine.chain()
        for _ in 0..<5 { #expect(try await chain.credentials().accessKeyID == "AKI") }
        #expect(instance.asked.withLock { $0 } == 1)
        #expect(machine.log.count == 1)
        // The random number of the tests is 0.5: two minutes and half of eight.
        machine.turnClock(by: .seconds(359))
        _ = try await chain.credentials()
        #expect(instance.asked.withLock { $0 } == 1)
        machine.turnClock(by: .seconds(1))
        _ = try await chain.credentials()
        #expect(instance.asked.withLock { $0 } == 2)
    }

    @Test func keysOfAnInstanceAreUsedOnWhileItDoesNotAnswer() async throws {
        let instance = Instance(end: noon.adding(.seconds(3_600)))
        let machine = instance.machine()
        let chain = try machine.chain()
        _ = try await chain.credentials()
        instance.isDown.withLock { $0 = true }
        for seconds in [2_800, 400, 400, 3_600] {
            machine.turnClock(by: .seconds(seconds))
            #expect(try await chain.credentials().accessKeyID == "AKI")
        }
        #expect(machine.log.count == 4)
        #expect(!machine.log.joined().contains(plant))
        // A service that says no ends it.
        await chain.invalidate(try await chain.credentials())
        await #expect(throws: CredentialsError.self) { try await chain.credentials() }
    }

    @Test func keysThatEndSoonAreAskedForBeforeTheyEnd() async throws {
        let instance = Instance(end: noon.adding(.seconds(300)))
        let machine = instance.machine()
        let chain = try machine.chain()
        _ = try await chain.credentials()
        machine.turnClock(by: .seconds(149))
        _ = try await chain.credentials()
        #expect(instance.asked.withLock { $0 } == 1)
        machine.turnClock(by: .seconds(1))
        _ = try await chain.credentials()
        #expect(instance.asked.withLock { $0 } == 2)
    }
}
