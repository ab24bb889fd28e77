public import Documents

/// Something that goes wrong, as data: what, on whom, how much.
///
/// Each family has a file of its own with its cases, its definitions and its way into a document. A fault says nothing of time: that is
/// ``ScheduledFault``'s.
public enum Fault: Hashable, Sendable {
    /// Something is wrong with the links between hosts.
    case link(LinkFault, FaultRoute)
    /// Something is wrong with how a host accepts connections, or is found.
    case listener(ListenerFault, FaultTarget)
    /// Something happens to a process, or to the node under it.
    case process(ProcessFault, FaultTarget)
    /// Something is wrong with a node's wall clock.
    case clock(ClockFault, FaultTarget)
    /// Something is wrong with a process' disk.
    case disk(DiskFault, FaultTarget)
    /// Something that only a service itself can do.
    case custom(CustomFault)

    /// What kind of fault it is.
    public var definition: FaultDefinition {
        guard let definition = FaultDefinition.named(kind) else { preconditionFailure("no definition of '\(kind)'") }
        return definition
    }

    /// The name of its kind, such as `network.cut`.
    public var kind: String {
        switch self {
        case .link(let fault, _): fault.kind
        case .listener(let fault, _): fault.kind
        case .process(let fault, _): fault.kind
        case .clock(let fault, _): fault.kind
        case .disk(let fault, _): fault.kind
        case .custom: CustomFault.definition.name
        }
    }

    /// What it was made of, by the names of its definition's parameters.
    public var arguments: Value.Object {
        switch self {
        case .link(let fault, let route): route.arguments.merging(fault.arguments)
        case .listener(let fault, let target): Self.arguments(target, fault.arguments)
        case .process(let fault, let target): Self.arguments(target, fault.arguments)
        case .clock(let fault, let target): Self.arguments(target, fault.arguments)
        case .disk(let fault, let target): Self.arguments(target, fault.arguments)
        case .custom(let fault): fault.arguments
        }
    }

    private static func arguments(_ target: FaultTarget, _ rest: Value.Object) -> Value.Object {
        (["service": .string(target.name)] as Value.Object).merging(rest)
    }

    // MARK: Documents

    /// As an object of a document: its kind under `fault`, and its arguments.
    public var document: Value.Object {
        (["fault": .string(kind)] as Value.Object).merging(arguments)
    }

    /// Reads a fault from an object of a document.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(_ document: Value.Object) throws(FaultError) {
        guard let name = document["fault"]?.string else { throw FaultError("'fault' names a kind of fault") }
        guard let definition = FaultDefinition.named(name) else {
            let known = FaultDefinition.all.map(\.name).joined(separator: ", ")
            throw FaultError("there is no fault '\(name)'; there are \(known)")
        }
        var arguments = document
        arguments["fault"] = nil
        self = try definition.fault(arguments)
    }
}

extension Fault: CustomStringConvertible {
    /// The fault in a line, such as `network.cut service=storage other=broker`; ``init(line:)`` reads it.
    public var description: String {
        ([kind] + arguments.map { "\($0.key)=\(FaultLine.write($0.value))" }).joined(separator: " ")
    }

    /// Reads a fault from its line.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(line: String) throws(FaultError) {
        try self.init(words: FaultLine.words(line)[...])
    }

    init(words: ArraySlice<String>) throws(FaultError) {
        guard let name = words.first else { throw FaultError("an empty line is no fault") }
        var document: Value.Object = ["fault": .string(name)]
        for word in words.dropFirst() {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw FaultError("'\(word)' is not name=value")
            }
            document[String(word[..<equals])] = FaultLine.read(String(word[word.index(after: equals)...]))
        }
        try self.init(document)
    }
}

/// Values in a line of words.
enum FaultLine {
    /// A value as a word: a plain string as it is, everything else as JSON without blanks between values.
    static func write(_ value: Value) -> String {
        if case .string(let string) = value, isPlain(string) { return string }
        return JSONWriter.write(value)
    }

    private static func isPlain(_ string: String) -> Bool {
        guard let first = string.utf8.first, first != UInt8(ascii: "-"),
            !(48...57).contains(first) || string.contains("/")
        else { return false }
        return !["true", "false", "null"].contains(string)
            && string.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "._*/:-".utf8.contains(byte)
            }
    }

    /// A word as a value.
    static func read(_ word: String) -> Value {
        (try? JSONReader.read(word.utf8)) ?? .string(word)
    }

    /// The words of a line: blanks part them outside of strings, lists and objects.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var depth = 0
        var (isQuoted, isEscaped) = (false, false)
        for character in line {
            if character == " ", depth == 0, !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            word.append(character)
            if isQuoted {
                if !isEscaped, character == "\"" { isQuoted = false }
                isEscaped = !isEscaped && character == "\\"
            } else if character == "\"" {
                isQuoted = true
            } else if "[{".contains(character) {
                depth += 1
            } else if "]}".contains(character) {
                depth -= 1
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
