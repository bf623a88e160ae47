// What became of one setting or section, for the operator to read.

package struct FluentdNote: Sendable, Equatable {
    package enum Outcome: String, CaseIterable, Sendable {
        /// The job file says the same.
        case taken
        /// The job file has something near it; the note says what differs.
        case mapped
        /// Not given in the configuration, and Sluice's default differs from Fluentd's.
        case unset
        /// Has no effect on what arrives on the stream; the note says why.
        case ignored
        /// Not carried over although it matters; the note says what to do.
        case refused
    }

    package var outcome: Outcome
    /// Nil for what is not given.
    package var place: FluentdPlace?
    /// Section and key: `buffer flush_interval`, or a section: `<filter drupal.**>`.
    package var setting: String
    /// Never a secret.
    package var value: String?
    /// What the job file says instead: `linger: 1s`.
    package var jobFile: String?
    package var text: String

    init(
        _ outcome: Outcome, _ place: FluentdPlace?, _ setting: String, value: String? = nil, jobFile: String? = nil,
        _ text: String
    ) {
        self.outcome = outcome
        self.place = place
        self.setting = setting
        self.value = value
        self.jobFile = jobFile
        self.text = text
    }
}
