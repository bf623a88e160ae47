// One group of keys of a job file. It reports keys that it does not know; typed access is in Section+Values.swift.

import Yams

struct Section {
    /// Dotted path; empty for the top of the file.
    let path: String
    /// Where the group's own key stands.
    let place: Place
    let reader: JobFileReader
    private let entries: [String: (place: Place, node: Node)]
    /// True when the group itself has been reported: missing keys are then no news.
    private(set) var isBroken = false
    /// Known keys that an unknown one was probably meant to be: they are not reported as missing as well.
    private let misspelt: Set<String>

    init(path: String, place: Place, mapping: Node.Mapping?, known: [String: [String]], reader: JobFileReader) {
        self.path = path
        self.place = place
        self.reader = reader
        var entries: [String: (place: Place, node: Node)] = [:]
        var misspelt: Set<String> = []
        let pairs = mapping.map { $0.map { ($0.key, $0.value) } } ?? []
        for (keyNode, value) in pairs {
            let place = Place(keyNode)
            if reader.isSettled(place) { continue }
            guard case .scalar(let scalar) = keyNode else {
                reader.add(
                    place, key: path, "a key must be a plain word",
                    remedy: "write `name: value`")
                continue
            }
            let name = scalar.string
            if entries[name] != nil {
                reader.add(place, key: Self.join(path, name), "is given twice", remedy: "keep one of the two")
            } else if known[path]?.contains(name) == true {
                entries[name] = (place, value)
            } else {
                let meant = Self.reportUnknown(name, at: place, in: path, known: known, reader: reader)
                if let meant { misspelt.insert(meant) }
            }
        }
        self.entries = entries
        self.misspelt = misspelt
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func isMisspelt(_ name: String) -> Bool { misspelt.contains(name) }

    func key(_ name: String) -> String { Self.join(path, name) }

    func node(_ name: String) -> Node? { entries[name]?.node }

    /// Where the value of `name` stands, or the group when it is absent.
    func place(of name: String) -> Place { entries[name].map { Place($0.node) } ?? place }

    func has(_ name: String) -> Bool { entries[name] != nil }

    /// The group below `name`; without keys when it is absent or something else.
    /// - Parameter example: what to add when the group is missing; nil when it may be.
    func section(_ name: String, known: [String: [String]], example: String? = nil) -> Section {
        var section = Section(
            path: key(name), place: entries[name]?.place ?? place, mapping: entries[name]?.node.mapping, known: known,
            reader: reader)
        if let node = entries[name]?.node {
            guard node.mapping == nil else { return section }
            reader.add(
                Place(node), key: key(name), "a group of keys is expected here, not a \(describe(node))",
                remedy: "indent its keys below `\(name):`: \((known[key(name)] ?? []).joined(separator: ", "))")
            section.isBroken = true
        } else if let example {
            reportMissing(name, example: example)
            section.isBroken = true
        }
        return section
    }

    /// - Returns: the known key that was probably meant.
    private static func reportUnknown(
        _ name: String, at place: Place, in path: String, known: [String: [String]], reader: JobFileReader
    ) -> String? {
        let full = join(path, name)
        if let remedy = JobFileKeys.later[full] {
            reader.add(place, key: full, "this version of sluice does not have it", remedy: "take it out: \(remedy)")
            return nil
        }
        if JobFileKeys.looksSecret(name) {
            reader.add(place, key: full, "a job file has no such key", remedy: JobFileReader.credentialsRemedy)
            return nil
        }
        let here = known[path] ?? []
        if let near = nearestName(to: name, among: here) {
            reader.add(place, key: full, "unknown key", remedy: "did you mean `\(near)`?")
            return near
        }
        let elsewhere = known.filter { $0.key != path && $0.value.contains(name) }.keys.sorted()
        if let owner = elsewhere.first {
            let home = owner.isEmpty ? "at the top of the file" : "under `\(owner):`"
            reader.add(place, key: full, "unknown key here", remedy: "`\(name)` belongs \(home)")
            return nil
        }
        let remedy =
            name == "<<" ? "merge keys are not supported" : "known keys here: \(here.joined(separator: ", "))"
        reader.add(place, key: full, "unknown key", remedy: remedy)
        return nil
    }
}
