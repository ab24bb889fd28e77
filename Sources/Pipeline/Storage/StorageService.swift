import Documents
import Durations
public import HTTP
import HTTPTypes
import Measurements
import NIOCore
public import Ports

/// The storage as a service: it takes batches, and gives readings.
///
/// `POST /batches`, `/flats/{flat}/readings?from&to&limit`, `/flats/{flat}/latest`, `/freshness`, `/health`, `/ready`, `/metrics`
/// (docs/storage.md).
public struct StorageService: Sendable {
    /// What keeps the readings.
    public let store: any ReadingStore
    /// Where it answers.
    public let server: HTTPServer

    /// The longest body of a batch.
    public static let bodyBytesMax: Int = 4 << 20
    /// Readings that one answer has at most.
    public static let readingsMax: Int = 10_000

    /// Starts answering.
    ///
    /// - Throws: ``ListenError``.
    public static func start(
        _ ports: any Ports, at endpoint: Endpoint, store: any ReadingStore
    ) async throws -> StorageService {
        var options = HTTPServer.Options.standard
        options.bodyBytesMax = bodyBytesMax
        return StorageService(
            store: store,
            server: try await HTTPServer.start(
                ports, at: endpoint, options: options, responder: router(store).responder))
    }

    /// Serves until the storage stops.
    ///
    /// - Throws: The reason. The process is to end with it: only a new one may open the file again.
    public func run() async throws {
        let reason = try await store.untilStopped()
        await server.shutDown()
        throw reason
    }

    private static func router(_ store: any ReadingStore) -> HTTPRouter {
        var router = HTTPRouter()
        router.on(.get, "/health") { _, _, _ in await health(store) }
        router.on(.get, "/ready") { _, _, _ in await health(store) }
        router.on(.post, "/batches") { _, _, body in await write(body, to: store) }
        router.on(.get, "/flats/{flat}/readings") { request, parameters, _ in
            await answer {
                let query = try NumericQuery(of: request.path ?? "", names: ["from", "to", "limit"])
                let limit = Int(min(query["limit"] ?? .max, Int64(readingsMax)))
                let readings = try await store.readings(
                    of: parameters["flat"] ?? "", from: query["from"] ?? 0, to: query["to"] ?? .max, limit: limit)
                return ["readings": .array(readings.map(\.json))]
            }
        }
        router.on(.get, "/flats/{flat}/latest") { _, parameters, _ in
            await answer {
                ["readings": .array(try await store.latest(of: parameters["flat"] ?? "").map(\.json))]
            }
        }
        router.on(.get, "/freshness") { _, _, _ in await answer { freshness(try await store.latest()) } }
        router.on(.get, "/metrics") { _, _, _ in
            HTTPReply(.ok, text: await store.counters.text, type: "text/plain; version=0.0.4")
        }
        return router
    }

    private static func health(_ store: any ReadingStore) async -> HTTPReply {
        guard let reason = await store.stopReason else { return HTTPReply(json: ["status": "up"]) }
        return HTTPReply(json: ["status": "down", "error": .string(reason.description)], .serviceUnavailable)
    }

    private static func answer(_ work: () async throws -> Value) async -> HTTPReply {
        do {
            return HTTPReply(json: try await work())
        } catch let error as PersistenceError {
            return reply(error)
        } catch {
            return HTTPReply(json: ["error": .string("\(error)")], .badRequest)
        }
    }

    private static func write(_ body: ByteBuffer, to store: any ReadingStore) async -> HTTPReply {
        await answer {
            let receipt = try await store.write(try StorageBatch(json: body))
            return ["stored": .integer(receipt.stored), "known": .integer(receipt.known)]
        }
    }

    /// The errors' statuses: below 500 the batch is wrong; 503 and 507 say that nothing was stored; 500 that it may be.
    private static func reply(_ error: PersistenceError) -> HTTPReply {
        let status: HTTPResponse.Status =
            switch error {
            case .refused: .badRequest
            case .full: HTTPResponse.Status(code: 507)
            case .overloaded, .stopped, .unavailable: .serviceUnavailable
            case .foreign, .damaged, .unsafe, .unknownOutcome: .internalServerError
            }
        var reply = HTTPReply(json: ["error": .string(error.description)], status)
        if error == .overloaded { reply.response.headerFields[.retryAfter] = "1" }
        return reply
    }

    /// How old the newest reading of each flat is, in seconds.
    private static func freshness(_ readings: [Reading]) -> Value {
        var newest: [String: Int64] = [:]
        for reading in readings {
            newest[reading.id.flat] = max(newest[reading.id.flat] ?? .min, reading.id.milliseconds)
        }
        let now = WallClock.milliseconds
        var flats = Value.Object()
        for (flat, time) in newest.sorted(by: { $0.key < $1.key }) {
            flats[flat] = .real(Double(now - time) / 1000)
        }
        let oldest = newest.values.min().map { Value.real(Double(now - $0) / 1000) } ?? .null
        return ["flats": .object(flats), "data_age_max": oldest]
    }
}

extension StorageCounters {
    /// Prometheus' text format.
    fileprivate var text: String {
        var metrics = MetricsText()
        metrics.counter("storage_batches", batches, "Batches that were acknowledged.")
        metrics.counter("storage_stored", stored, "Readings that were new.")
        metrics.counter("storage_known", known, "Readings that were known.")
        metrics.counter("storage_failures", failures, "Batches that failed.")
        metrics.counter("storage_refused", refused, "Batches for which there was no room in the queue.")
        return metrics.text
    }
}
