/// One measured value of one channel in one room of one flat.
public struct Reading: Hashable, Sendable {
    /// What makes a reading the same wherever it is seen again.
    public struct Identity: Hashable, Sendable, CustomStringConvertible {
        /// The flat.
        public let flat: String
        /// The room in it.
        public let room: String
        /// What is measured.
        public let channel: String
        /// The time of measurement, in milliseconds since 1970-01-01 00:00 UTC.
        public let milliseconds: Int64

        /// Makes an identity of its parts.
        public init(flat: String, room: String, channel: String, milliseconds: Int64) {
            self.flat = flat
            self.room = room
            self.channel = channel
            self.milliseconds = milliseconds
        }

        /// Makes an identity of a series and a moment.
        public init(_ series: Series, milliseconds: Int64) {
            self.init(flat: series.flat, room: series.room, channel: series.channel, milliseconds: milliseconds)
        }

        /// What is measured where.
        public var series: Series { Series(flat: flat, room: room, channel: channel) }

        /// One channel in one room of one flat.
        public struct Series: Hashable, Comparable, Sendable, CustomStringConvertible {
            /// The flat.
            public let flat: String
            /// The room in it.
            public let room: String
            /// What is measured.
            public let channel: String

            /// Makes a series of its parts.
            public init(flat: String, room: String, channel: String) {
                self.flat = flat
                self.room = room
                self.channel = channel
            }

            /// By flat, room and channel.
            public static func < (left: Series, right: Series) -> Bool {
                (left.flat, left.room, left.channel) < (right.flat, right.room, right.channel)
            }

            /// Flat, room and channel, as in `SD0/1/temperature`.
            public var description: String { "\(flat)/\(room)/\(channel)" }
        }

        /// Series and time, as in `SD0/1/temperature@1599214500000`.
        public var description: String { "\(flat)/\(room)/\(channel)@\(milliseconds)" }
    }

    /// The reading's identity.
    public let id: Identity
    /// What was measured, in the channel's unit; finite, and never the negative zero, which databases do not keep.
    public let value: Double

    /// Makes a reading of its parts.
    public init(_ id: Identity, value: Double) {
        self.id = id
        self.value = value == 0 ? 0 : value
    }
}
