import HTTP
import HTTPTypes
import SQLite
import Testbed

/// The lock of the services below: granted for a time, with a number that grows each time somebody else gets it.
///
/// Everything in it is ordinary Swift: it would serve on a real port and a real disk.
actor Lock {
    static let term: Duration = .seconds(10)

    private let context: ServiceContext
    private let database: SQLiteDatabase
    private let file: DiskLocation
    private var token: Int
    private var holder: String
    private var end: ContinuousClock.Instant

    init(_ context: ServiceContext, _ mistake: Mistake?) throws {
        self.context = context
        file = try context.file("lock.db")
        database = try SQLiteDatabase(file)
        _ = try database.pragma("synchronous", mistake == .answersBeforeItSyncs ? "OFF" : "EXTRA")
        try database.execute("CREATE TABLE IF NOT EXISTS lock (id INTEGER PRIMARY KEY, token INTEGER, holder TEXT)")
        let row = try database.rows("SELECT token, holder FROM lock").first
        token = Int(row?[0].integer ?? 0)
        holder = row?[1].text ?? ""
        // Whoever had it when the service ended may have it still.
        end = .now + Self.term
    }

    /// Grants the lock to whoever has it already, or to somebody else when its time is over.
    func grant(to worker: String) async throws -> Int? {
        if worker != holder {
            guard ContinuousClock.now >= end else { return nil }
            try database.execute("INSERT OR REPLACE INTO lock VALUES (1, \(token + 1), '\(worker)')")
            (token, holder) = (token + 1, worker)
        }
        end = .now + Self.term
        let granted = token
        try await file.waitUntilDurable()
        context.report(Granted(worker: worker, token: granted))
        return granted
    }

    static func service(_ mistake: Mistake?) -> ServiceDefinition {
        ServiceDefinition("lock", volumes: [.data]) { context in
            let lock = try Lock(context, mistake)
            var router = HTTPRouter()
            router.on(.post, "/lock/{worker}") { _, parameters, _ in
                do {
                    let token = try await lock.grant(to: parameters["worker"] ?? "")
                    return token.map { HTTPReply(.ok, text: "\($0)") } ?? HTTPReply(.conflict)
                } catch {
                    return HTTPReply(.serviceUnavailable, text: "\(error)")
                }
            }
            _ = try await HTTPServer.start(context.ports, at: context.endpoint, responder: router.responder)
        }
    }
}

/// The lock was granted.
struct Granted: Observation {
    let worker: String
    let token: Int

    var entities: [String] { [worker] }
    var description: String { "grants \(worker) the lock, number \(token)" }
}
