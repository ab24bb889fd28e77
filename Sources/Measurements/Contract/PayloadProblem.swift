public import Documents

/// Why a payload, or a part of it, is not understood.
public enum PayloadProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The payload is not JSON.
    case notJSON(DocumentError)
    /// Nothing stands there.
    case missing(Pointer)
    /// Something else stands there than the contract says.
    case wrongType(Pointer, Value, expected: String)
    /// A value is NaN or infinite.
    case notFinite(Pointer)
    /// A time is of none of the contract's formats.
    case badTime(Pointer, Value)
    /// A time lies outside 2000 to 2100.
    case implausibleTime(Pointer, Value)
    /// A name is not of the contract's pattern, or its channel is not of the contract.
    case unknownName(Pointer, String)
    /// A room's name is longer than is taken.
    case nameTooLong(Pointer, limit: Int)
    /// A value is in another unit than the contract says.
    case wrongUnit(Pointer, String, expected: String)
    /// A flat has more channels than are remembered.
    case tooManyChannels(limit: Int)
    /// There are more records than are taken.
    case tooManyRecords(limit: Int)

    /// What is wrong and where, with what stands there.
    public var description: String {
        switch self {
        case .notJSON(let error): "the payload is not JSON: \(error)"
        case .missing(let pointer): "\(pointer) is missing"
        case .wrongType(let pointer, let value, let expected):
            "\(Self.place(pointer)) is not \(expected): \(Self.shown(value))"
        case .notFinite(let pointer): "\(pointer) is not a finite number"
        case .badTime(let pointer, let value): "\(pointer) is not a time of a known format: \(Self.shown(value))"
        case .implausibleTime(let pointer, let value):
            "\(pointer) lies outside the years 2000 to 2100: \(Self.shown(value))"
        case .unknownName(let pointer, let name):
            "\(pointer) names no room and channel of the contract: \(Self.shown(.string(name)))"
        case .nameTooLong(let pointer, let limit): "\(pointer) names a room with more than \(limit) bytes"
        case .wrongUnit(let pointer, let unit, let expected):
            "\(pointer) is not the contract's unit \(expected): \(Self.shown(.string(unit)))"
        case .tooManyChannels(let limit): "the flat's rooms have more than \(limit) channels"
        case .tooManyRecords(let limit): "there are more than \(limit) records"
        }
    }

    /// What is shown of a value at most, in characters.
    private static let shownMax: Int = 60

    private static func shown(_ value: Value) -> String {
        let text = JSONWriter.write(value)
        return text.count > shownMax ? text.prefix(shownMax) + "..." : text
    }

    private static func place(_ pointer: Pointer) -> String {
        pointer.tokens.isEmpty ? "the payload" : pointer.description
    }
}
