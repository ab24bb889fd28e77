extension MeasurementContract {
    /// What the names of readings look like, such as `{room}:{channel}`.
    struct NamePattern {
        private let head: Substring
        private let separator: Substring
        private let tail: Substring

        /// Takes a pattern apart; nil if its parts could not be told apart in a name.
        init?(_ pattern: String) {
            guard let room = pattern.firstRange(of: "{room}"), let channel = pattern.firstRange(of: "{channel}"),
                room.upperBound < channel.lowerBound
            else { return nil }
            head = pattern[..<room.lowerBound]
            separator = pattern[room.upperBound..<channel.lowerBound]
            tail = pattern[channel.upperBound...]
        }

        /// Room and channel of a name; whatever stands before the pattern, up to a colon or a slash, is not looked at.
        func parts(of name: String, _ channels: [Channel]) -> (room: String, channel: Channel)? {
            for channel in channels {
                let ending = separator + channel.name + tail
                guard name.hasSuffix(ending) else { continue }
                var room = name.dropLast(ending.count)
                if head.isEmpty {
                    room = room.split { ":/".contains($0) }.last ?? room
                } else {
                    guard let start = room.ranges(of: head).last else { return nil }
                    room = room[start.upperBound...]
                }
                return room.isEmpty ? nil : (String(room), channel)
            }
            return nil
        }

        /// The name of a room's channel.
        func name(room: String, channel: String) -> String { head + room + separator + channel + tail }
    }
}
