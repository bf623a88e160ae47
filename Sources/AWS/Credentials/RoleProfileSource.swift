// A profile with `role_arn`: the role is assumed with the credentials of `source_profile` (which may be a role again)
// or of `credential_source`. https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
import CivilTime

struct RoleProfileSource: CredentialSource {
    /// Longest chain of source profiles.
    static let chainMax = 10

    var context: SourceContext
    var profileName: String
    /// The profiles that led here, this one last.
    var visited: [String]

    init(context: SourceContext, profileName: String, visited: [String] = []) {
        self.context = context
        self.profileName = profileName
        self.visited = visited + [profileName]
    }

    /// A profile with a token file as well is one for web identity.
    static func applies(to profile: ConfigurationProfile) -> Bool {
        profile.text("role_arn") != nil && profile.text("web_identity_token_file") == nil
    }

    func load() async throws -> SourceOutcome {
        guard let profile = context.configuration.profile(profileName), Self.applies(to: profile),
            let role = profile.text("role_arn")
        else { return .absent("profile \(profileName) has no role_arn") }
        if profile.text("mfa_serial") != nil {
            throw error(
                "it has mfa_serial, and nobody is there to type a code in an unattended run",
                hint: "use a role whose trust policy does not ask for MFA, or a credential_process")
        }
        let settings = RoleSettings(source: sourceName)
        let request = STSClient.RoleRequest(
            roleARN: try settings.roleARN(role),
            sessionName: try settings.sessionName(profile.text("role_session_name"), now: context.time.now()),
            externalID: profile.text("external_id"),
            durationSeconds: try settings.duration(profile.text("duration_seconds")))
        let keys = try await sourceCredentials(profile)
        let sts = STSClient(
            http: context.http, endpoint: try context.endpoint(.sts, region: try context.stsRegion()))
        return .found(try await sts.assumeRole(request, signedWith: keys, source: sourceName))
    }

    private func sourceCredentials(_ profile: ConfigurationProfile) async throws -> Credentials {
        switch (profile.text("source_profile"), profile.text("credential_source")) {
        case (nil, nil):
            throw error("it has role_arn but neither source_profile nor credential_source", hint: "add one of them")
        case (.some, .some):
            throw error("it has both source_profile and credential_source", hint: "keep one of them")
        case (nil, let name?):
            return try await credentials(ofSource: name)
        case (let name?, nil):
            return try await credentials(ofProfile: name)
        }
    }

    private func credentials(ofSource name: String) async throws -> Credentials {
        let source: any CredentialSource =
            switch name.lowercased() {
            case "environment": EnvironmentSource(context: context)
            case "ec2instancemetadata": InstanceMetadataSource(context: context)
            case "ecscontainer": ContainerSource(context: context)
            default:
                throw error(
                    "its credential_source is not known", hint: "write Environment, Ec2InstanceMetadata or EcsContainer"
                )
            }
        switch try await source.load() {
        case .found(let credentials): return credentials
        case .absent(let reason): throw error("its credential_source \(name) has none: \(reason)")
        }
    }

    private func credentials(ofProfile name: String) async throws -> Credentials {
        guard let profile = context.configuration.profile(name) else {
            throw error("its source_profile \(name) does not exist" + context.configuration.unreadableNote)
        }
        let hasKeys = profile.text("aws_access_key_id") != nil || profile.text("aws_secret_access_key") != nil
        if visited.contains(name) {
            // A profile may name itself, to assume its role with its own keys.
            guard name == profileName, hasKeys else {
                throw error(
                    "its source profiles form a loop: " + (visited + [name]).joined(separator: " → "),
                    hint: "let one of them have keys of its own")
            }
        }
        guard visited.count < Self.chainMax else {
            throw error("its chain of source profiles is longer than \(Self.chainMax)")
        }
        if !hasKeys, Self.applies(to: profile) {
            let next = RoleProfileSource(context: context, profileName: name, visited: visited)
            if case .found(let credentials) = try await next.load() { return credentials }
        }
        var reasons: [String] = []
        for source in CredentialOrder.profileSources(context, profileName: name, usesVariables: false) {
            switch try await source.load() {
            case .found(let credentials): return credentials
            case .absent(let reason): reasons.append(reason)
            }
        }
        throw error("its source_profile \(name) has no credentials: \(reasons.joined(separator: "; "))")
    }

    private var sourceName: String { "profile \(profileName)" }

    private func error(_ cause: String, hint: String? = nil) -> CredentialsError {
        CredentialsError(source: sourceName, cause: cause, hint: hint)
    }
}
