import Documents
import Durations
import NIOCore

// What travels between `HTTPBrokerClient` and `BrokerService` again and again, each thing with its writer and its reader: JSON
// that is written and read without a tree of values.

/// Messages that are to be appended to a partition.
struct ProduceRequest {
    var messages: [BrokerMessage] = []
    var producer: BrokerProducer?
    var acks: BrokerAcks = .all
}

/// Where a group goes on.
struct CommitRequest {
    let member: String
    let generation: Int
    let partition: TopicPartition
    let offset: Int64
}

// MARK: Requests

extension ProduceRequest {
    var json: ByteBuffer {
        .json { json in
            json.member("acks", acks.rawValue)
            json.name("records")
            json.array(messages) { json, message in
                json.object { json in
                    json.member("key", message.key)
                    json.member("value", message.value)
                }
            }
            guard let producer else { return }
            json.name("producer")
            json.object { json in
                json.member("id", producer.id)
                json.member("sequence", Int(producer.sequence))
            }
        }
    }

    /// Reads a request.
    ///
    /// - Throws: ``BrokerError/refused(_:)``.
    init(json: ByteBuffer) throws(BrokerError) {
        var acks: String?
        var messages: [BrokerMessage] = []
        var hasValues = true
        var (id, sequence, isNumbered): (String?, Int?, Bool) = (nil, nil, false)
        try json.members { (name, reader) throws(DocumentError) in
            switch name {
            case "acks": acks = try reader.readString()
            case "records":
                messages = []
                _ = try reader.readArray { (reader) throws(DocumentError) in
                    var (key, value): (String?, String?) = (nil, nil)
                    _ = try reader.readObject { (name, reader) throws(DocumentError) in
                        switch name {
                        case "key": key = try reader.readString()
                        case "value": value = try reader.readString()
                        default: try reader.skip()
                        }
                    }
                    guard let value else { return hasValues = false }
                    messages.append(BrokerMessage(key: key ?? "", value: value))
                }
            case "producer":
                isNumbered = true
                _ = try reader.readObject { (name, reader) throws(DocumentError) in
                    switch name {
                    case "id": id = try reader.readString()
                    case "sequence": sequence = try reader.readInteger()
                    default: try reader.skip()
                    }
                }
            default: try reader.skip()
            }
        }
        guard let acks = BrokerAcks(rawValue: acks ?? "all") else { throw .refused("acks is 0, 1 or all") }
        guard hasValues else { throw .refused("a record's value is a string") }
        self.init(messages: messages, acks: acks)
        guard isNumbered else { return }
        guard let id, (1...128).contains(id.utf8.count), let sequence, (0...1 << 53).contains(sequence) else {
            throw .refused("a producer has an id of 1 to 128 bytes and a sequence from 0 to 2^53")
        }
        producer = BrokerProducer(id: id, sequence: Int64(sequence))
    }
}

extension BrokerFetch {
    var json: ByteBuffer {
        .json { json in
            json.member("wait", Int(wait.milliseconds))
            json.name("partitions")
            json.array(positions) { json, position in
                json.object { json in
                    json.member("topic", position.partition.topic)
                    json.member("partition", position.partition.partition)
                    json.member("offset", Int(position.offset))
                    json.member("max", position.max)
                }
            }
            guard let membership else { return }
            json.member("group", membership.group)
            json.member("member", membership.member)
            json.member("generation", membership.generation)
        }
    }

    /// Reads a fetch, of at most so many records from each partition.
    ///
    /// - Throws: ``BrokerError/refused(_:)``.
    init(json: ByteBuffer, recordsMax: Int) throws(BrokerError) {
        var (wait, list): (Int?, [Position?]?) = (nil, nil)
        var (group, member, generation, isOfGroup): (String?, String?, Int?, Bool) = (nil, nil, nil, false)
        try json.members { (name, reader) throws(DocumentError) in
            switch name {
            case "wait": wait = try reader.readInteger()
            case "partitions":
                var positions: [Position?] = []
                let isList = try reader.readArray { (reader) throws(DocumentError) in
                    var part = PartitionPart()
                    _ = try reader.readObject { (name, reader) throws(DocumentError) in try part.read(name, &reader) }
                    positions.append(part.position(recordsMax))
                }
                list = isList ? positions : nil
            case "group":
                group = try reader.readString()
                isOfGroup = true
            case "member": member = try reader.readString()
            case "generation": generation = try reader.readInteger()
            default: try reader.skip()
            }
        }
        guard let wait, wait >= 0, let list else { throw .refused("a fetch has wait, in ms, and partitions") }
        let positions = list.compactMap(\.self)
        guard positions.count == list.count else {
            throw .refused("a partition of a fetch has topic, partition, offset and max")
        }
        guard Set(positions.map(\.partition)).count == positions.count else {
            throw .refused("a fetch has each partition once")
        }
        var membership: Membership?
        if isOfGroup {
            guard let group, let member, let generation else {
                throw .refused("a fetch of a group has group, member and generation")
            }
            membership = Membership(group: group, member: member, generation: generation)
        }
        self.init(positions, wait: .milliseconds(min(wait, 1 << 30)), membership: membership)
    }
}

extension CommitRequest {
    var json: ByteBuffer {
        .json { json in
            json.member("member", member)
            json.member("generation", generation)
            json.member("topic", partition.topic)
            json.member("partition", partition.partition)
            json.member("offset", Int(offset))
        }
    }

    /// Reads a commit.
    ///
    /// - Throws: ``BrokerError/refused(_:)``.
    init(json: ByteBuffer) throws(BrokerError) {
        var (member, generation): (String?, Int?) = (nil, nil)
        var part = PartitionPart()
        try json.members { (name, reader) throws(DocumentError) in
            switch name {
            case "member": member = try reader.readString()
            case "generation": generation = try reader.readInteger()
            default: try part.read(name, &reader)
            }
        }
        guard let member, let generation, let partition = part.partition, let offset = part.offset, offset >= 0 else {
            throw .refused("a commit has member, generation, topic, partition and offset")
        }
        self.init(member: member, generation: generation, partition: partition, offset: Int64(offset))
    }
}

// MARK: Answers

extension BrokerFetch {
    /// The answer to the fetch; partitions that have nothing are left out, as most are most of the time.
    func answer(_ results: [TopicPartition: PartitionFetch]) -> ByteBuffer {
        let given = positions.map(\.partition).filter { results[$0].map { !$0.isEmpty } ?? false }
        return .json { json in
            json.name("partitions")
            json.array(given) { json, partition in
                json.object { json in
                    json.member("topic", partition.topic)
                    json.member("partition", partition.partition)
                    switch results[partition] {
                    case .records(let fetched)?:
                        json.name("records")
                        json.array(fetched.records) { json, record in record.write(&json) }
                        json.member("latest", Int(fetched.latest))
                    case .outOfRange(let earliest, let latest)?:
                        json.member("earliest", Int(earliest))
                        json.member("latest", Int(latest))
                    case nil: break
                    }
                }
            }
        }
    }

    /// Reads the answer to a fetch.
    ///
    /// - Throws: ``BrokerError/notUnderstood``.
    static func results(_ json: ByteBuffer) throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        var results: [TopicPartition: PartitionFetch] = [:]
        var isUnderstood = false
        do throws(BrokerError) {
            try json.members { (name, reader) throws(DocumentError) in
                guard name == "partitions" else { return _ = try reader.skip() }
                var isWhole = true
                let isList = try reader.readArray { (reader) throws(DocumentError) in
                    var part = PartitionPart()
                    _ = try reader.readObject { (name, reader) throws(DocumentError) in try part.read(name, &reader) }
                    guard let partition = part.partition, let result = part.result else { return isWhole = false }
                    results[partition] = result
                }
                isUnderstood = isList && isWhole
            }
        } catch {
            throw .notUnderstood
        }
        guard isUnderstood else { throw .notUnderstood }
        return results
    }
}

extension BrokerRecord {
    fileprivate func write(_ json: inout JSONWriter) {
        json.object { json in
            json.member("offset", Int(offset))
            json.member("key", message.key)
            json.member("value", message.value)
            json.member("time", Int(time))
        }
    }

    /// Reads a record; nil if it is none.
    fileprivate static func read(_ reader: inout JSONReader) throws(DocumentError) -> BrokerRecord? {
        var (offset, time): (Int?, Int?) = (nil, nil)
        var (key, value): (String?, String?) = (nil, nil)
        _ = try reader.readObject { (name, reader) throws(DocumentError) in
            switch name {
            case "offset": offset = try reader.readInteger()
            case "key": key = try reader.readString()
            case "value": value = try reader.readString()
            case "time": time = try reader.readInteger()
            default: try reader.skip()
            }
        }
        guard let offset = offset.flatMap(BrokerLog.offset), let key, let value, let time else { return nil }
        return BrokerRecord(offset: offset, message: BrokerMessage(key: key, value: value), time: Int64(time))
    }
}

// MARK: Parts

/// What requests and answers say of a partition; nil is missing, or something else than it must be.
private struct PartitionPart {
    var topic: String?
    var number: Int?
    var offset: Int?
    var max: Int?
    var earliest: Int?
    var latest: Int?
    /// An element is nil where it is no record.
    var records: [BrokerRecord?]?

    mutating func read(_ name: String, _ reader: inout JSONReader) throws(DocumentError) {
        switch name {
        case "topic": topic = try reader.readString()
        case "partition": number = try reader.readInteger()
        case "offset": offset = try reader.readInteger()
        case "max": max = try reader.readInteger()
        case "earliest": earliest = try reader.readInteger()
        case "latest": latest = try reader.readInteger()
        case "records":
            var records: [BrokerRecord?] = []
            let isList = try reader.readArray { (reader) throws(DocumentError) in
                records.append(try BrokerRecord.read(&reader))
            }
            self.records = isList ? records : nil
        default: try reader.skip()
        }
    }

    var partition: TopicPartition? {
        guard let topic, let number else { return nil }
        return TopicPartition(topic, number)
    }

    func position(_ recordsMax: Int) -> BrokerFetch.Position? {
        guard let partition, let offset, offset >= 0, let max, max >= 0 else { return nil }
        return BrokerFetch.Position(partition, offset: Int64(offset), max: min(max, recordsMax))
    }

    var result: PartitionFetch? {
        guard let latest = latest.flatMap(BrokerLog.offset) else { return nil }
        guard let records else {
            return earliest.flatMap(BrokerLog.offset).map { .outOfRange(earliest: $0, latest: latest) }
        }
        let whole = records.compactMap(\.self)
        return whole.count == records.count ? .records(FetchedRecords(records: whole, latest: latest)) : nil
    }
}

extension BrokerLog {
    /// An offset in a partition, or a message's number; nil if no partition has so many.
    fileprivate static func offset(_ number: Int) -> Int64? {
        (0...Int(sequenceMax)).contains(number) ? Int64(number) : nil
    }
}
