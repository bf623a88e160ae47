// The order in which sources are asked, that of botocore's create_credential_resolver: environment, role of the
// profile, web identity, SSO, credentials file, login session, credential_process, config file, container, instance.

enum CredentialOrder {
    static func sources(_ context: SourceContext) -> [any CredentialSource] {
        let profileName = context.configuration.profileName
        let before: [any CredentialSource] = [
            EnvironmentSource(context: context), RoleProfileSource(context: context, profileName: profileName),
        ]
        let after: [any CredentialSource] = [
            ContainerSource(context: context), InstanceMetadataSource(context: context),
        ]
        return before + profileSources(context, profileName: profileName, usesVariables: true) + after
    }

    /// What a profile can hold besides a role.
    static func profileSources(
        _ context: SourceContext, profileName: String, usesVariables: Bool
    ) -> [any CredentialSource] {
        [
            WebIdentitySource(context: context, profileName: profileName, usesVariables: usesVariables),
            SSOSource(context: context, profileName: profileName),
            StaticProfileSource(context: context, profileName: profileName, file: .credentials),
            LoginSessionSource(context: context, profileName: profileName),
            ProcessSource(context: context, profileName: profileName),
            StaticProfileSource(context: context, profileName: profileName, file: .config),
        ]
    }

    /// The credentials of the first source that has any. A source that is configured but fails ends the search.
    static func resolve(_ context: SourceContext) async throws -> Credentials {
        var reasons: [String] = []
        for source in sources(context) {
            switch try await source.load() {
            case .found(let credentials): return credentials
            case .absent(let reason): reasons.append(reason)
            }
        }
        throw CredentialsError(
            source: "", cause: "none found; tried: \(reasons.joined(separator: "; "))",
            hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with AWS_PROFILE, or attach a role")
    }
}

/// `login_session` of `aws login` (2025): refused with a clear message instead of being passed over.
struct LoginSessionSource: CredentialSource {
    var context: SourceContext
    var profileName: String

    func load() async throws -> SourceOutcome {
        guard context.configuration.profile(profileName)?.text("login_session") != nil else {
            return .absent("profile \(profileName) has no login_session")
        }
        throw CredentialsError(
            source: "profile \(profileName)", cause: "login_session (aws login) is not supported",
            hint: "use SSO, a role, or `credential_process = aws configure export-credentials --profile \(profileName)`"
        )
    }
}
