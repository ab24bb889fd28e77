import CLibYAML

/// Reads YAML 1.1 as PyYAML's safe loader does: its scalar types, merges, anchors, of two keys of one name the last.
///
/// The grammar is libyaml's; what a scalar means is `YAMLScalar`'s matter. Keys that are not strings become strings, as in
/// a journal.
public struct YAMLReader {
    /// How deep lists and mappings may lie in each other.
    public static let depthMax: Int = 500
    /// How many values and merged pairs a text may come to: anchors let short texts grow without bound.
    public static let valuesMax: Int = 1_000_000

    private let events: YAMLEvents
    private var anchors: [String: Node] = [:]
    private var values: Int = 0
    private var places: [Pointer: Place] = [:]

    /// A part of the text, before it has a meaning.
    private indirect enum Node {
        case scalar(YAMLEvent.Scalar, Place)
        case list([Node], tag: String?, Place)
        case mapping([(key: Node, value: Node)], tag: String?, Place)

        var place: Place {
            switch self {
            case .scalar(_, let place), .list(_, _, let place), .mapping(_, _, let place): place
            }
        }
    }

    /// Reads one document.
    ///
    /// - Throws: ``DocumentError`` with the place of the first thing that is not YAML or not plain data.
    public static func readDocument(_ text: String) throws(DocumentError) -> Document {
        // libyaml and Foundation both take a mark of byte order away; PyYAML does too.
        let events = YAMLEvents(text)
        var reader = YAMLReader(events: events)
        defer { events.end() }
        let value = try reader.document()
        return Document(value: value, places: reader.places)
    }

    private init(events: YAMLEvents) {
        self.events = events
    }

    private mutating func document() throws(DocumentError) -> Value {
        _ = try events.next()
        guard case .documentStart = try events.next().kind else { return .null }
        let root = try node(try events.next(), depth: 0)
        _ = try events.next()
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            throw DocumentError("a second document begins; one file holds one document", at: end.place)
        }
        return try value(root, at: .root)
    }

    // MARK: Structure

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(DocumentError) -> Node {
        guard depth <= Self.depthMax else {
            throw DocumentError("lists and mappings lie more than \(Self.depthMax) deep", at: event.place)
        }
        let node: Node
        var name: String?
        switch event.kind {
        case .alias(let anchor):
            guard let target = anchors[anchor] else {
                throw DocumentError("the alias *\(anchor) has no anchor &\(anchor) before it", at: event.place)
            }
            return target
        case .scalar(let scalar):
            name = scalar.anchor
            node = .scalar(scalar, event.place)
        case .listStart(let anchor, let tag):
            name = anchor
            var elements: [Node] = []
            while true {
                let next = try events.next()
                if case .end = next.kind { break }
                elements.append(try self.node(next, depth: depth + 1))
            }
            node = .list(elements, tag: tag, event.place)
        case .mappingStart(let anchor, let tag):
            name = anchor
            var pairs: [(key: Node, value: Node)] = []
            while true {
                let next = try events.next()
                if case .end = next.kind { break }
                let key = try self.node(next, depth: depth + 1)
                pairs.append((key, try self.node(try events.next(), depth: depth + 1)))
            }
            node = .mapping(pairs, tag: tag, event.place)
        case .documentStart, .streamEnd, .end, .other:
            throw DocumentError("a value is missing", at: event.place)
        }
        if let name { anchors[name] = node }
        return node
    }

    // MARK: Meaning

    private mutating func value(_ node: Node, at pointer: Pointer) throws(DocumentError) -> Value {
        try count(1, node.place)
        if pointer.tokens.count <= Document.placeDepthMax, places.count < Document.placesMax {
            places[pointer] = node.place
        }
        switch node {
        case .scalar(let scalar, let place):
            return try YAMLScalar.value(scalar, at: place)
        case .list(let elements, let tag, let place):
            try allow(tag, "tag:yaml.org,2002:seq", place)
            var list: [Value] = []
            for element in elements { list.append(try value(element, at: pointer.appending(list.count))) }
            return .array(list)
        case .mapping(let pairs, let tag, let place):
            try allow(tag, "tag:yaml.org,2002:map", place)
            var members = Value.Object()
            for (key, member) in try merged(pairs, depth: 0) {
                let name = try self.name(key)
                members[name] = try value(member, at: pointer.appending(name))
            }
            return .object(members)
        }
    }

    private mutating func count(_ more: Int, _ place: Place?) throws(DocumentError) {
        values += more
        guard values <= Self.valuesMax else {
            throw DocumentError("there are more than \(Self.valuesMax) values, with what anchors expand to", at: place)
        }
    }

    private func allow(_ tag: String?, _ expected: String, _ place: Place) throws(DocumentError) {
        guard let tag, tag != expected, tag != "!" else { return }
        throw DocumentError("the tag \(tag) is not plain data; remove it", at: place)
    }

    private func name(_ key: Node) throws(DocumentError) -> String {
        guard case .scalar(let scalar, let place) = key else {
            throw DocumentError("a key must be a scalar, not a list or a mapping", at: key.place)
        }
        switch try YAMLScalar.value(scalar, at: place) {
        case .string(let text), .date(let text), .largeInteger(let text): return text
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .integer(let integer): return String(integer)
        case .real(let real): return NumberText.json(real)
        case .array, .object, .bytes: return scalar.text
        }
    }

    /// The pairs of a mapping with those of its `<<` before them, so that its own win.
    private mutating func merged(
        _ pairs: [(key: Node, value: Node)], depth: Int
    ) throws(DocumentError) -> [(key: Node, value: Node)] {
        guard pairs.contains(where: { isMerge($0.key) }) else { return pairs }
        guard depth <= Self.depthMax else {
            throw DocumentError("merges lie more than \(Self.depthMax) deep", at: pairs.first?.key.place)
        }
        var own: [(key: Node, value: Node)] = []
        var brought: [(key: Node, value: Node)] = []
        for pair in pairs {
            guard isMerge(pair.key) else {
                own.append(pair)
                continue
            }
            switch pair.value {
            case .mapping(let others, _, let place): brought += try brings(others, depth: depth, place)
            case .list(let list, _, _):
                // Of several the first wins, so it comes last.
                for element in list.reversed() {
                    guard case .mapping(let others, _, let place) = element else {
                        throw DocumentError("<< takes a mapping or a list of mappings", at: element.place)
                    }
                    brought += try brings(others, depth: depth, place)
                }
            case .scalar(_, let place): throw DocumentError("<< takes a mapping or a list of mappings", at: place)
            }
        }
        return brought + own
    }

    private mutating func brings(
        _ pairs: [(key: Node, value: Node)], depth: Int, _ place: Place
    ) throws(DocumentError) -> [(key: Node, value: Node)] {
        let pairs = try merged(pairs, depth: depth + 1)
        try count(pairs.count, place)
        return pairs
    }

    private func isMerge(_ key: Node) -> Bool {
        guard case .scalar(let scalar, _) = key else { return false }
        return scalar.text == "<<" && scalar.isPlain && scalar.tag == nil
    }
}
