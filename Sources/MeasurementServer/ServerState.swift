import Documents
import Durations
import HTTP
import HTTPTypes
import Measurements
import NIOCore
import Randomness

/// What the server knows of its flats; touched on its event loop only.
final class ServerState {
    private let options: MeasurementServer.Options
    private let model: DeviceModel
    private let random: RandomStream
    private let loop: any EventLoop
    private let authorization: String?
    /// What stands around a flat's name in its path.
    private let pathPrefix: String
    private let pathSuffix: String
    /// How often each flat was asked.
    private var requests: [Int] = []
    /// What goes wrong, by target: `*`, a flat, or a flat and a room as in `SD3:2`.
    private var schedules: [String: ActiveSchedule] = [:]
    /// Bodies that are right until a device measures again.
    private var bodies: [Int: (until: Int64, body: ByteBuffer)] = [:]
    private let seriesSince: Int64
    /// Writes usual payloads; nil where the contract's are made of values.
    private let writer: PayloadWriter?
    /// Where payloads are written before they are sent.
    private var scratch: [UInt8] = []
    private var lastDate: (second: Int64, text: String) = (.min, "")

    static let all: String = "*"

    init(seed: Seed, options: MeasurementServer.Options, loop: any EventLoop) {
        self.options = options
        self.loop = loop
        model = DeviceModel(seed: seed)
        random = RandomStream(seed: seed).fork("measurement server")
        authorization = options.credentials?.authorization.value
        let parts = options.contract.pathParts
        pathPrefix = String(parts.prefix)
        pathSuffix = String(parts.suffix)
        requests = Array(repeating: 0, count: options.flats)
        seriesSince = WallClock.milliseconds
        // What a series has not measured is left out of a payload.
        writer =
            options.series == nil && options.contract.channels.allSatisfy { DeviceModel.channels.contains($0.name) }
            ? PayloadWriter(options.contract) : nil
    }

    // MARK: Requests

    func answer(_ request: HTTPRequest, _ body: ByteBuffer) -> HTTPReply {
        let path = request.path ?? "/"
        if path.hasPrefix("/_windkanal/") { return administer(request, path, body) }
        guard path.hasPrefix(pathPrefix), path.hasSuffix(pathSuffix),
            path.utf8.count > pathPrefix.utf8.count + pathSuffix.utf8.count
        else { return reply("there is no such resource", .notFound) }
        guard request.method == .get else {
            var refusal = reply("only GET is allowed", .methodNotAllowed)
            refusal.response.headerFields[.allow] = "GET"
            return refusal
        }
        if let authorization, request.headerFields[.authorization] != authorization {
            var refusal = reply("who are you?", .unauthorized)
            refusal.response.headerFields[.wwwAuthenticate] = "Basic realm=\"measurements\""
            return refusal
        }
        let name = path.dropFirst(pathPrefix.count).dropLast(pathSuffix.count)
        guard let flat = index(of: PercentEncoding.decode(name)) else {
            return reply("there is no such flat", .notFound)
        }
        return measurements(of: flat)
    }

    private func reply(_ problem: String, _ status: HTTPResponse.Status) -> HTTPReply {
        HTTPReply(status, text: JSONWriter.write(["error": .string(problem)]), type: "application/json")
    }

    private func index(of name: String) -> Int? {
        guard name.hasPrefix("SD"), let index = Int(name.dropFirst(2)), requests.indices.contains(index),
            name == "SD\(index)"
        else { return nil }
        return index
    }

    private func measurements(of flat: Int) -> HTTPReply {
        let number = requests[flat]
        requests[flat] += 1
        let effects = effects(on: flat, request: number)
        var reply = HTTPReply(HTTPResponse(status: .ok))
        reply.response.headerFields.append(HTTPField(name: .contentType, value: "application/json"))
        reply.body = effects.isPlain ? plainBody(flat) : body(flat, request: number, effects)
        reply.delay = .nanoseconds(effects.delay.nanoseconds)
        switch effects.fault {
        case nil, .stale?, .duplicate?, .outOfOrder?, .skew?: break
        case .reset?: reply.delivery = .reset
        case .empty?: reply.delivery = .closed
        case .hang?: reply.delivery = .never
        case .truncated?: reply.delivery = .truncated(bytes: reply.body.readableBytes / 2)
        case .dribble(let bytes, let interval)?:
            reply.delivery = .dribbled(bytes: bytes, every: .nanoseconds(interval.nanoseconds))
        case .malformed?:
            let half = reply.body.readableBytes / 2
            reply.body = ByteBuffer(string: String(buffer: reply.body).prefix(half) + "<<<")
        case .garbled?: reply.body = Self.garbled(reply.body)
        case .status(let status, let seconds)?:
            var refusal = self.reply("as scheduled", HTTPResponse.Status(code: status))
            if let seconds { refusal.response.headerFields[.retryAfter] = String(seconds) }
            refusal.delay = reply.delay
            reply = refusal
        }
        reply.response.headerFields.append(HTTPField(name: .date, value: date))
        return reply
    }

    /// The time, as servers say it; a text that is made once a second.
    private var date: String {
        let second = WallClock.milliseconds / 1000
        if lastDate.second != second { lastDate = (second, HTTPDate.text(second * 1000)) }
        return lastDate.text
    }

    // MARK: Effects

    /// What becomes of a request: the schedules of all, of its flat and of its rooms together.
    private struct Effects {
        var delay: Duration = .zero
        var fault: DeviceSchedule.Fault?
        /// What is wrong with readings, by room, and since when on the wall clock.
        var ofRooms: [Int: (fault: DeviceSchedule.Fault, since: Int64)] = [:]

        var isPlain: Bool { ofRooms.isEmpty }
    }

    private func effects(on flat: Int, request: Int) -> Effects {
        var effects = Effects()
        var draws = random.fork("SD\(flat)/\(request)")
        effects.delay = draws.duration(options.latency)
        guard !schedules.isEmpty else { return effects }
        let now = loop.now.uptimeNanoseconds
        let wall = WallClock.milliseconds
        for (target, rooms) in targets(of: flat) {
            guard let effect = schedules[target]?.decide(now: now, flat: flat, random: draws.fork(target)) else {
                continue
            }
            if effect.delay > .zero || effect.fault != nil { options.observer(.hit(target: target)) }
            effects.delay = min(effects.delay + effect.delay, DeviceSchedule.delayMax)
            guard let fault = effect.fault else { continue }
            switch fault {
            case .stale, .duplicate, .outOfOrder, .skew:
                let since = wall - Int64(now - effect.faultSince) / 1_000_000
                for room in rooms where effects.ofRooms[room] == nil { effects.ofRooms[room] = (fault, since) }
            case .reset, .empty, .malformed, .garbled, .truncated, .dribble, .hang, .status:
                if effects.fault == nil { effects.fault = fault }
            }
        }
        return effects
    }

    /// A body whose first time in the manner of ISO 8601 has no hour.
    private static func garbled(_ body: ByteBuffer) -> ByteBuffer {
        var bytes = Array(body.readableBytesView)
        func isDigit(_ index: Int) -> Bool { bytes.indices.contains(index) && (48...57).contains(bytes[index]) }
        let place = bytes.indices.first { bytes[$0] == UInt8(ascii: "T") && isDigit($0 - 1) && isDigit($0 + 1) }
        if let place { bytes[place + 1] = UInt8(ascii: "x") }
        return ByteBuffer(bytes: bytes)
    }

    private func targets(of flat: Int) -> [(target: String, rooms: [Int])] {
        let rooms = Array(1...options.rooms)
        return [(Self.all, rooms), ("SD\(flat)", rooms)] + rooms.map { ("SD\(flat):\($0)", [$0]) }
    }

    // MARK: Bodies

    private func plainBody(_ flat: Int) -> ByteBuffer {
        let now = WallClock.milliseconds
        if let (until, body) = bodies[flat], now < until { return body }
        let body =
            writer.map { written(flat, at: now, $0) }
            ?? body(of: (1...options.rooms).flatMap { readings(flat, $0, at: now) })
        if options.series == nil {
            bodies[flat] = (model.sampleTime(flat: flat, at: now) + DeviceModel.intervalMilliseconds, body)
        }
        return body
    }

    private func body(_ flat: Int, request: Int, _ effects: Effects) -> ByteBuffer {
        let now = WallClock.milliseconds
        var readings: [Reading] = []
        for room in 1...options.rooms {
            let usual = self.readings(flat, room, at: now)
            switch effects.ofRooms[room] {
            case (.stale, let since)?: readings += self.readings(flat, room, at: since)
            case (.duplicate, _)?: readings += usual + usual
            case (.outOfOrder, _)?:
                let back = Int64(request % 3) * DeviceModel.intervalMilliseconds
                readings += self.readings(flat, room, at: now - back)
            case (.skew(let ahead), _)?:
                readings += usual.map { reading in
                    let id = Reading.Identity(
                        flat: reading.id.flat, room: reading.id.room, channel: reading.id.channel,
                        milliseconds: reading.id.milliseconds + ahead.milliseconds)
                    return Reading(id, value: reading.value)
                }
            default: readings += usual
            }
        }
        return body(of: readings)
    }

    private func body(of readings: [Reading]) -> ByteBuffer {
        ByteBuffer(bytes: JSONWriter.writeBytes(options.contract.write(readings)))
    }

    /// The payload of all rooms' latest values, without a reading for each.
    private func written(_ flat: Int, at milliseconds: Int64, _ writer: PayloadWriter) -> ByteBuffer {
        let time = model.sampleTime(flat: flat, at: milliseconds)
        scratch.removeAll(keepingCapacity: true)
        writer.write(rooms: options.rooms, milliseconds: time, into: &scratch) { room, channel in
            model.value(options.contract.channels[channel].name, flat: flat, room: room, at: time) ?? 0
        }
        return ByteBuffer(bytes: scratch)
    }

    private func readings(_ flat: Int, _ room: Int, at milliseconds: Int64) -> [Reading] {
        let time = model.sampleTime(flat: flat, at: milliseconds)
        return options.contract.channels.compactMap { channel in
            var sample: (Int64, Double)?
            if let series = options.series {
                // Each flat replays the series from another hour on: a recombination, not a measurement of that flat.
                let shift = Int64(flat) * 3_600
                let seconds = (milliseconds - seriesSince) / 1000 + shift
                if let measured = series.sample(channel.name, room: room - 1, at: seconds) {
                    sample = (seriesSince + (measured.seconds - shift) * 1000, measured.value)
                }
            } else {
                sample = model.value(channel.name, flat: flat, room: room, at: time).map { (time, $0) }
            }
            guard let (time, value) = sample else { return nil }
            let id = Reading.Identity(flat: "SD\(flat)", room: String(room), channel: channel.name, milliseconds: time)
            return Reading(id, value: value)
        }
    }

    // MARK: Administration

    /// `PUT`, `GET` and `DELETE` of `/_windkanal/schedule` and `/_windkanal/devices/{id}/schedule`; `DELETE /_windkanal/schedules` takes all back.
    private func administer(_ request: HTTPRequest, _ path: String, _ body: ByteBuffer) -> HTTPReply {
        let parts = path.split(separator: "/").dropFirst().map { PercentEncoding.decode($0) }
        if parts == ["schedules"], request.method == .delete {
            for target in schedules.keys.sorted() { options.observer(.unscheduled(target: target, .request)) }
            schedules = [:]
            return reply(json: ["schedules": 0])
        }
        let target: String
        if parts == ["schedule"] {
            target = Self.all
        } else if parts.count == 3, parts[0] == "devices", parts[2] == "schedule" {
            guard isTarget(parts[1]) else { return reply("there is no device '\(parts[1])'", .notFound) }
            target = parts[1]
        } else {
            return reply("there is no such resource", .notFound)
        }
        switch request.method {
        case .put:
            do {
                let document = try JSONReader.read(body.readableBytesView)
                let schedule = try DeviceSchedule(document)
                set(schedule, document, of: target, by: .request)
                return reply(json: ["target": .string(target), "windows": .integer(schedule.windows.count)])
            } catch {
                return reply("\(error)", .badRequest)
            }
        case .delete:
            let was = schedules.removeValue(forKey: target) != nil
            if was { options.observer(.unscheduled(target: target, .request)) }
            return reply(json: ["target": .string(target), "removed": .bool(was)])
        case .get:
            guard let schedule = schedules[target] else {
                return reply("nothing is scheduled for '\(target)'", .notFound)
            }
            let seconds = Double(loop.now.uptimeNanoseconds - schedule.since) / 1e9
            return reply(json: [
                "target": .string(target), "since_seconds": .real(seconds), "schedule": schedule.document,
            ])
        default:
            var refusal = reply("only PUT, GET and DELETE are allowed", .methodNotAllowed)
            refusal.response.headerFields[.allow] = "PUT, GET, DELETE"
            return refusal
        }
    }

    /// Lets a schedule begin now.
    private func set(
        _ schedule: DeviceSchedule, _ document: Value, of target: String, by origin: MeasurementServerEvent.Origin
    ) {
        schedules[target] = ActiveSchedule(schedule, document: document, since: loop.now.uptimeNanoseconds)
        options.observer(.scheduled(target: target, document, origin))
    }

    /// Lets a schedule begin now, or, with nil, takes back the one that there is; one that cannot be read changes nothing.
    func setSchedule(_ document: Value?, of target: String) {
        guard let document else {
            if schedules.removeValue(forKey: target) != nil { options.observer(.unscheduled(target: target, .owner)) }
            return
        }
        guard let schedule = try? DeviceSchedule(document) else { return }
        set(schedule, document, of: target, by: .owner)
    }

    private func reply(json: Value) -> HTTPReply {
        HTTPReply(.ok, text: JSONWriter.write(json), type: "application/json")
    }

    private func isTarget(_ id: String) -> Bool {
        let parts = id.split(separator: ":", omittingEmptySubsequences: false)
        guard index(of: String(parts[0])) != nil else { return false }
        return parts.count == 1 || parts.count == 2 && (1...options.rooms).contains { String($0) == parts[1] }
    }
}
