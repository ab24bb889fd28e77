import Durations
import Measurements

/// Sums by which rows are known to be what was stored: any flipped bit gives another (the mixing is SplitMix64's).
enum Checksum {
    /// Of a series' names; the key of its readings' sums.
    static func key(of series: Reading.Identity.Series) -> UInt64 {
        var sum: UInt64 = 0x57_4b73_7431
        for part in [series.flat, series.room, series.channel] {
            // The end of a part counts: "a", "b" is not "ab", "".
            sum = mixed(FNV1a.hash(part, into: sum) ^ 0xff)
        }
        return sum
    }

    /// Of a reading of a series.
    static func of(_ reading: Reading, key: UInt64) -> Int64 {
        let sum = mixed(key ^ UInt64(bitPattern: reading.id.milliseconds))
        return Int64(bitPattern: mixed(sum ^ reading.value.bitPattern))
    }

    /// Of readings, in their order.
    static func of(_ readings: [Reading]) -> Int64 {
        var sum: UInt64 = UInt64(readings.count)
        var last: (series: Reading.Identity.Series, key: UInt64)?
        for reading in readings {
            let series = reading.id.series
            let key = last?.series == series ? last?.key ?? 0 : key(of: series)
            last = (series, key)
            sum = mixed(sum ^ UInt64(bitPattern: of(reading, key: key)))
        }
        return Int64(bitPattern: sum)
    }

    /// Of a record of a partition.
    static func of(_ record: BrokerRecord, in partition: TopicPartition) -> Int64 {
        var sum = Sum()
        sum.add(partition.topic)
        sum.add(record.message)
        sum.add(Int64(partition.partition))
        sum.add(record.offset)
        sum.add(record.time)
        return sum.value
    }

    /// Of a message that waits for a partition, with its number there.
    static func of(_ message: BrokerMessage, partition: Int64, sequence: Int64) -> Int64 {
        var sum = Sum()
        sum.add(message)
        sum.add(partition)
        sum.add(sequence)
        return sum.value
    }

    /// Of texts, whose ends count, and of numbers.
    private struct Sum {
        private var sum: UInt64 = 0x57_4b6d_7367

        var value: Int64 { Int64(bitPattern: sum) }

        mutating func add(_ text: String) { sum = mixed(FNV1a.hash(text, into: sum) ^ 0xff) }

        mutating func add(_ message: BrokerMessage) {
            add(message.key)
            add(message.value)
        }

        mutating func add(_ number: Int64) { sum = mixed(sum ^ UInt64(bitPattern: number)) }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
