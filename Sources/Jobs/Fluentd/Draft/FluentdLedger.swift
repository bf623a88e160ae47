// Keeps account of every setting of one source and one output: each is taken by whoever maps it, or is known to have
// no effect, or is refused. What must stay true: nothing is passed over without a note, and no secret gets into one.

struct FluentdLedger {
    enum Scope: String {
        case source, parse, match, buffer, format, inject
    }

    private struct Entry {
        var scope: Scope
        var setting: FluentdSetting
    }

    private var open: [Entry] = []
    private(set) var notes: [FluentdNote] = []

    mutating func add(_ note: FluentdNote) { notes.append(note) }

    /// Opens a section's settings. Fluentd lets the last of two settings of one name count.
    mutating func add(_ section: FluentdSection, as scope: Scope) {
        for (index, setting) in section.settings.enumerated() {
            if let later = section.settings[(index + 1)...].last(where: { $0.key == setting.key }) {
                notes.append(
                    FluentdNote(
                        .ignored, setting.place, "\(scope.rawValue) \(printable(setting.key))",
                        "is given again at \(later.place), which counts"))
            } else {
                open.append(Entry(scope: scope, setting: setting))
            }
        }
    }

    /// The setting of the first key that is there; it counts as seen, and is noted by whoever takes it.
    mutating func take(_ scope: Scope, _ keys: String...) -> FluentdSetting? {
        for key in keys {
            if let index = open.firstIndex(where: { $0.scope == scope && $0.setting.key == key }) {
                return open.remove(at: index).setting
            }
        }
        return nil
    }

    /// The setting of that key, which stays to be taken.
    func peek(_ scope: Scope, _ key: String) -> FluentdSetting? {
        open.first { $0.scope == scope && $0.setting.key == key }?.setting
    }

    /// Notes a setting that was taken.
    mutating func note(
        _ outcome: FluentdNote.Outcome, _ scope: Scope, _ setting: FluentdSetting, jobFile: String? = nil,
        _ text: String
    ) {
        let shown = Self.isSecret(setting) ? nil : setting.value.shown
        notes.append(
            FluentdNote(
                outcome, setting.place, "\(scope.rawValue) \(printable(setting.key))", value: shown, jobFile: jobFile,
                text))
    }

    /// Notes a default that differs.
    mutating func noteUnset(_ setting: String, jobFile: String, _ text: String) {
        notes.append(FluentdNote(.unset, nil, setting, jobFile: jobFile, text))
    }

    /// Everything that nobody took: without effect, for a known reason, or refused.
    mutating func close() {
        for entry in open {
            let key = entry.setting.key
            if let reason = fluentdIgnored(entry.scope, key) {
                note(.ignored, entry.scope, entry.setting, reason)
            } else if let advice = fluentdRefused(entry.scope, key) {
                notes.append(
                    FluentdNote(.refused, entry.setting.place, "\(entry.scope.rawValue) \(printable(key))", advice))
            } else {
                notes.append(
                    FluentdNote(
                        .refused, entry.setting.place, "\(entry.scope.rawValue) \(printable(key))",
                        "unknown setting: see whether it changes what the records hold"))
            }
        }
        open = []
    }

    /// By its name, or by what it looks like.
    static func isSecret(_ setting: FluentdSetting) -> Bool {
        JobFileKeys.looksSecret(setting.key)
            || setting.value.parts.contains { part in
                if case .text(let text) = part { return looksLikeAccessKey(text) }
                return false
            }
    }
}
