// credential_process of a profile: a program that prints credentials as JSON.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
// Runs without a shell; what it prints to standard error is never shown, as AWS asks.

struct ProcessSource: CredentialSource {
    /// An unattended run must not hang on a program that asks a question.
    static let timeout = Duration.seconds(60)
    static let outputBytesMax = 64 << 10

    var context: SourceContext
    var profileName: String

    func load() async throws -> SourceOutcome {
        guard let setting = context.configuration.profile(profileName)?.values["credential_process"],
            !setting.text.isEmpty
        else { return .absent("profile \(profileName) has no credential_process") }
        let place = "\(setting.file):\(setting.line)"
        guard let arguments = ShellWords.split(setting.text), let program = arguments.first else {
            throw error("the command at \(place) has an open quote", hint: "quote arguments as in a POSIX shell")
        }
        // The name only: arguments may hold secrets.
        let output = try await run(arguments, program: program, place: place)
        guard output.ending == .exited(0) else {
            let ending =
                switch output.ending {
                case .exited(let status): "ended with status \(status)"
                case .signalled(let signal): "was killed by signal \(signal)"
                }
            throw error(
                "\(program) \(ending); its \(output.standardErrorBytes) bytes of standard error are not shown",
                hint: "run the credential_process of \(place) by hand, as the user that runs sluice")
        }
        do {
            let document = try CredentialDocument(json: output.standardOutput)
            guard document.version == 1 else {
                let version = document.version.map { "Version \($0)" } ?? "no Version"
                throw CredentialDocument.Problem(text: "it has \(version), and only Version 1 is known")
            }
            return .found(
                try document.credentials(source: sourceName, tokenKey: .sessionToken, isTemporary: false))
        } catch let problem as CredentialDocument.Problem {
            throw error("what \(program) printed is not usable: \(problem.text)")
        }
    }

    private func run(_ arguments: [String], program: String, place: String) async throws -> ProcessOutput {
        do {
            return try await context.environment.runProcess(
                ProcessCommand(
                    arguments: arguments, variables: context.environment.variables, timeout: Self.timeout,
                    outputBytesMax: Self.outputBytesMax))
        } catch let failure as ProcessFailure {
            switch failure {
            case .cannotStart(let message):
                throw error(
                    "\(program) cannot be started: \(message)",
                    hint: "check the credential_process at \(place); it is run without a shell")
            case .timedOut:
                throw error(
                    "\(program) did not end within \(Self.timeout.components.seconds) s and was killed",
                    hint: "it must not ask questions: there is nobody to answer", isTransient: true)
            case .outputTooLarge:
                throw error("\(program) printed more than \(Self.outputBytesMax) bytes")
            case .system(let message):
                throw error("\(program) could not be run: \(message)", isTransient: true)
            }
        }
    }

    private var sourceName: String { "credential_process of profile \(profileName)" }

    private func error(_ cause: String, hint: String? = nil, isTransient: Bool = false) -> CredentialsError {
        CredentialsError(source: sourceName, cause: cause, hint: hint, isTransient: isTransient)
    }
}
