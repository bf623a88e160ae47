import AWS
import CivilTime
import Synchronization
import Testing

struct ProcessSourceTests {
    private static let config = "[default]\ncredential_process = /opt/creds --token PLANTED-arg 'two words'\n"

    private static func machine(
        _ text: String, ending: ProcessOutput.Ending = .exited(0), config: String = config
    ) -> FakeMachine {
        FakeMachine(
            ["PATH": "/bin"], config: config,
            programs: { _ in
                ProcessOutput(ending: ending, standardOutput: Array(text.utf8), standardErrorBytes: 12)
            })
    }

    private static func json(_ fields: String) -> String {
        #"{"Version":1,"AccessKeyId":"AKIDP","SecretAccessKey":"PLANTED-key""# + fields + "}"
    }

    @Test func whatTheProgramPrintsIsUsed() async throws {
        let machine = Self.machine(
            Self.json(#","SessionToken":"PLANTED-t","Expiration":"2026-01-31T13:00:00Z","Extra":[1]"#))
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "AKIDP" && found.secretAccessKey.revealed == "PLANTED-key")
        #expect(found.sessionToken?.revealed == "PLANTED-t")
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 3_600))
        let command = try #require(machine.commands.first)
        #expect(command.arguments == ["/opt/creds", "--token", "PLANTED-arg", "two words"])
        #expect(command.variables == ["PATH": "/bin"])
    }

    @Test func withoutExpirationTheProgramRunsOnce() async throws {
        let machine = Self.machine(Self.json(""))
        let chain = try machine.chain()
        for _ in 0..<3 {
            #expect(try await chain.credentials().sessionToken == nil)
            machine.turnClock(by: .seconds(86_400))
        }
        #expect(machine.commands.count == 1)
    }

    private static func refusal(
        _ name: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String, _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(
            name: name, machine: machine, source: "credential_process of profile default", says: says,
            isTransient: isTransient)
    }

    static let refusals: [Refusal] = [
        refusal("not JSON", { machine("PLANTED\n") }, "not a JSON object"),
        refusal("empty", { machine("") }, "not a JSON object"),
        refusal("array", { machine("[\"PLANTED\"]") }, "not a JSON object"),
        refusal("no version", { machine(#"{"AccessKeyId":"A","SecretAccessKey":"PLANTED"}"#) }, "no Version"),
        refusal("version 2", { machine(#"{"Version":2,"AccessKeyId":"A","SecretAccessKey":"PLANTED"}"#) }, "Version 2"),
        refusal(
            "version as text", { machine(#"{"Version":"1","SecretAccessKey":"PLANTED"}"#) },
            "Version has the wrong type"),
        refusal("no id", { machine(#"{"Version":1,"SecretAccessKey":"PLANTED"}"#) }, "no AccessKeyId"),
        refusal(
            "no secret", { machine(#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":""}"#) }, "no SecretAccessKey"),
        refusal("odd expiration", { machine(json(#","Expiration":"PLANTED""#)) }, "Expiration is not"),
        refusal("expired", { machine(json(#","Expiration":"2026-01-31T11:59:59Z""#)) }, "have expired"),
        refusal("status 3", { machine("PLANTED", ending: .exited(3)) }, "/opt/creds ended with status 3; its 12 bytes"),
        refusal("signal", { machine("PLANTED", ending: .signalled(9)) }, "killed by signal 9"),
        refusal(
            "open quote", { machine("", config: "[default]\ncredential_process = /opt/creds 'PLANTED\n") },
            "/home/op/.aws/config:2 has an open quote"
        ),
    ]

    private static func failing(_ failure: ProcessFailure, _ says: String, _ isTransient: Bool = false) -> Refusal {
        refusal(says, { FakeMachine(config: config, programs: { _ in throw failure }) }, says, isTransient)
    }

    static let failures: [Refusal] = [
        failing(.timedOut, "did not end within 60 s", true),
        failing(.outputTooLarge, "more than 65536 bytes"),
        failing(.cannotStart("No such file or directory"), "No such file or directory"),
        failing(.system("Too many open files"), "Too many open files", true),
    ]

    @Test(arguments: refusals + failures) func badProgramsAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }
}
