import Documents

/// What is said of `${name}`: the reference leaves in place what it cannot replace, and says nothing.
extension Validator {
    /// How texts of a place are treated by the run.
    enum Texts {
        /// Names are replaced.
        case replaced
        /// Names are replaced, and what is left is the shell's or the program's own: only likely mistakes are told.
        case ofProgram
        /// Names are not replaced.
        case verbatim
    }

    /// Warns of names in the texts of an activity that nothing will replace.
    mutating func checkVariables(of activity: Value.Object, at pointer: Pointer) {
        check(activity["pauses"], .replaced, at: pointer.appending("pauses"))
        for name in ["name", "background"] { check(activity[name], .verbatim, at: pointer.appending(name)) }
        if let tolerance = activity["tolerance"] {
            checkVariables(ofTolerance: tolerance, at: pointer.appending("tolerance"))
        }
        guard let provider = activity["provider"]?.object else { return }
        let isProcess = provider["type"] == "process"
        let place = pointer.appending("provider")
        for (name, value) in provider {
            let texts: Texts =
                switch name {
                case "arguments": isProcess ? .ofProgram : .replaced
                case "url", "headers": .replaced
                case "timeout": isProcess ? .verbatim : .replaced
                default: .verbatim
                }
            check(value, texts, at: place.appending(name))
        }
    }

    private mutating func checkVariables(ofTolerance tolerance: Value, at pointer: Pointer) {
        guard let object = tolerance.object else {
            return check(tolerance, tolerance.array == nil ? .replaced : .verbatim, at: pointer)
        }
        // A probe as a tolerance is an activity, and looked at as one.
        guard object["type"] != "probe" else { return }
        for (name, value) in object {
            check(
                value, ["pattern", "path", "expect"].contains(name) ? .replaced : .verbatim,
                at: pointer.appending(name))
        }
    }

    /// Warns of names in the experiment's title.
    mutating func checkVariables(ofTitle title: Value?) {
        check(title, .replaced, at: Pointer(tokens: ["title"]))
    }

    private mutating func check(_ value: Value?, _ texts: Texts, at pointer: Pointer) {
        switch value {
        case .string(let text)?:
            for use in VariableUse.all(in: text) { check(use, texts, at: pointer) }
        case .array(let array)?:
            for (index, element) in array.enumerated() { check(element, texts, at: pointer.appending(index)) }
        case .object(let object)?:
            for (name, member) in object { check(member, texts, at: pointer.appending(name)) }
        case .null?, .bool?, .integer?, .largeInteger?, .real?, .date?, .bytes?, nil: break
        }
    }

    private mutating func check(_ use: VariableUse, _ texts: Texts, at pointer: Pointer) {
        let isDeclared = declaredNames.contains(use.name)
        switch texts {
        case .verbatim:
            guard isDeclared, use.isBraced else { return }
            add(
                .warning, "'\(use.text)' stands where no names are replaced: it stays as it is", pointer,
                remedy: "write the value itself")
        case .replaced, .ofProgram:
            guard use.isName else { return checkUnusable(use, texts, isDeclared: isDeclared, at: pointer) }
            guard !isDeclared else { return }
            let meant = nearestName(to: use.name)
            // What a shell or an address may mean by `$name` is nobody's mistake.
            guard meant != nil || use.isBraced && texts == .replaced else { return }
            add(
                .warning,
                "neither the configuration nor the secrets declare the variable '\(use.name)': '\(use.text)' stays as it is",
                pointer, remedy: meant.map { "did you mean '\($0)'?" } ?? remedy(for: use.name))
        }
    }

    /// Warns of names that no declaration helps.
    private mutating func checkUnusable(_ use: VariableUse, _ texts: Texts, isDeclared: Bool, at pointer: Pointer) {
        guard isDeclared || texts == .replaced else { return }
        let usable = String(use.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        add(
            .warning,
            "'\(use.text)' is never replaced: names are letters, digits and underscores, and begin with no digit",
            pointer, remedy: "call the variable '\(usable)'")
    }

    private func remedy(for name: String) -> String {
        "declare it under \"configuration\""
            + (isInEnvironment(name) ? ", as {\"type\": \"env\", \"key\": \"\(name)\"}" : "")
    }

    private func nearestName(to name: String) -> String? {
        let far = name.utf8.count < 4 ? 1 : 2
        return declaredNames.filter { Self.distance(name.lowercased(), $0.lowercased()) <= far }
            .min { (Self.distance(name, $0), $0) < (Self.distance(name, $1), $1) }
    }
}

/// A place in a text that looks like a variable.
struct VariableUse: Hashable {
    /// The name, without what marks it.
    let name: String
    /// Whether it is written `${name}`.
    let isBraced: Bool

    /// As it is written.
    var text: String { isBraced ? "${\(name)}" : "$\(name)" }

    /// Whether it is a name that can be replaced.
    var isName: Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
        return name.utf8.allSatisfy(Self.isPart)
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// All uses in a text: `$name`, and `${...}` with letters, digits and what people join words with.
    static func all(in text: String) -> [VariableUse] {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return [] }
        var uses: [VariableUse] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$"), let next = rest.first else { continue }
            // `$$` stands for `$`.
            if next == UInt8(ascii: "$") {
                rest.removeFirst()
                continue
            }
            let isBraced = next == UInt8(ascii: "{")
            let inside = isBraced ? rest.dropFirst() : rest
            let name = inside.prefix { isPart($0) || isBraced && " -./".utf8.contains($0) }
            guard !name.isEmpty, !isBraced || inside.dropFirst(name.count).first == UInt8(ascii: "}") else { continue }
            let use = VariableUse(name: String(decoding: name, as: UTF8.self), isBraced: isBraced)
            // `$1` and `^a{2}$` are not variables.
            guard isBraced || use.isName else { continue }
            if isBraced, name.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) { continue }
            uses.append(use)
            rest = inside.dropFirst(name.count)
        }
        return uses
    }
}
