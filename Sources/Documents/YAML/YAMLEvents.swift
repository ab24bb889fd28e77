import CLibYAML

/// What libyaml's parser says next, and where.
struct YAMLEvent {
    struct Scalar {
        let text: String
        let tag: String?
        let anchor: String?
        /// Written without quotes and not as a block.
        let isPlain: Bool
    }

    enum Kind {
        case documentStart
        case streamEnd
        case alias(String)
        case scalar(Scalar)
        case listStart(anchor: String?, tag: String?)
        case mappingStart(anchor: String?, tag: String?)
        /// A list or a mapping ends.
        case end
        case other
    }

    let kind: Kind
    let place: Place
}

/// libyaml's parser over a text that it keeps.
@safe final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        unsafe parser = .allocate(capacity: 1)
        let bytes = Array(text.utf8)
        unsafe self.text = .allocate(capacity: bytes.count + 1)
        _ = unsafe self.text.initialize(from: bytes + [0])
        unsafe yaml_parser_initialize(parser)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, self.text.baseAddress, bytes.count)
    }

    /// Frees the parser; it is not used afterwards.
    func end() {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event.
    ///
    /// - Throws: ``DocumentError`` with libyaml's words for what is not YAML.
    func next() throws(DocumentError) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { unsafe yaml_event_delete(&event) }
        return unsafe YAMLEvent(kind: kind(event), place: Self.place(event.start_mark))
    }

    private func kind(_ event: yaml_event_t) -> YAMLEvent.Kind {
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_ALIAS_EVENT: return .alias(unsafe Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                unsafe YAMLEvent.Scalar(
                    text: String(decoding: bytes, as: UTF8.self), tag: Self.text(scalar.tag),
                    anchor: Self.text(scalar.anchor), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE))
        case YAML_SEQUENCE_START_EVENT:
            return .listStart(
                anchor: unsafe Self.text(event.data.sequence_start.anchor),
                tag: unsafe Self.text(event.data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            return .mappingStart(
                anchor: unsafe Self.text(event.data.mapping_start.anchor),
                tag: unsafe Self.text(event.data.mapping_start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        default: return .other
        }
    }

    private func problem() -> DocumentError {
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "this is not YAML"
        guard unsafe parser.pointee.context != nil else {
            return DocumentError(problem, at: unsafe Self.place(parser.pointee.problem_mark))
        }
        let context = unsafe String(cString: parser.pointee.context)
        return DocumentError("\(context): \(problem)", at: unsafe Self.place(parser.pointee.problem_mark))
    }

    private static func place(_ mark: yaml_mark_t) -> Place {
        Place(line: mark.line + 1, column: mark.column + 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
