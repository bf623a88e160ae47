/// aws_access_key_id, aws_secret_access_key and aws_session_token (or aws_security_token) of a profile in one of the
/// two files. One key without the other is an error.
struct StaticProfileSource: CredentialSource {
    enum File { case credentials, config }

    var context: SourceContext
    var profileName: String
    var file: File

    func load() async throws -> SourceOutcome {
        let configuration = context.configuration
        let (profile, path) =
            switch file {
            case .credentials: (configuration.credentialsProfiles[profileName], configuration.credentialsPath)
            case .config: (configuration.configProfiles[profileName], configuration.configPath)
            }
        guard let profile else { return .absent("\(path) has no profile \(profileName)") }
        let id = profile.text("aws_access_key_id")
        let key = profile.text("aws_secret_access_key")
        guard id != nil || key != nil else { return .absent("\(path) has no keys for profile \(profileName)") }
        guard let id, let key else {
            let (present, missing) =
                id == nil
                ? ("aws_secret_access_key", "aws_access_key_id") : ("aws_access_key_id", "aws_secret_access_key")
            let line = profile.values[present].map { ":\($0.line)" } ?? ""
            throw CredentialsError(
                source: "profile \(profileName)", cause: "\(path)\(line) has \(present) but no \(missing)",
                hint: "add \(missing) to the same section")
        }
        let token = profile.text("aws_session_token") ?? profile.text("aws_security_token")
        return .found(
            Credentials(
                accessKeyID: id, secretAccessKey: Secret(key), sessionToken: token.map { Secret($0) },
                source: "profile \(profileName)"))
    }
}
