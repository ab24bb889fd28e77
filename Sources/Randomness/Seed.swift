/// The one number that a run follows from.
///
/// Written in reports and on the command line as a decimal number.
public struct Seed: Hashable, Sendable, Codable, ExpressibleByIntegerLiteral,
    CustomStringConvertible, LosslessStringConvertible
{
    /// The number that everything follows from.
    public let value: UInt64

    /// Makes a seed of a number.
    public init(_ value: UInt64) {
        self.value = value
    }

    /// Makes a seed of a literal.
    public init(integerLiteral value: UInt64) {
        self.value = value
    }

    /// Reads a decimal number; nil when `description` is none, or above `UInt64.max`.
    public init?(_ description: String) {
        guard let value = UInt64(description) else { return nil }
        self.value = value
    }

    /// The decimal number.
    public var description: String {
        String(value)
    }

    /// Decodes a plain number.
    public init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(UInt64.self)
    }

    /// Encodes a plain number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
