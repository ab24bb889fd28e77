import Foundation
import HTTP
import HTTPTypes
import NIOCore
import Testbed

/// A worker asks for the lock, works while it has it, and pauses.
enum Worker {
    static func service(_ mistake: Mistake?) -> ServiceDefinition {
        ServiceDefinition("worker", port: nil, uses: ["lock"]) { context in
            let client = try await HTTPClient.make(context.ports)
            while true {
                // The lease begins when it is asked for: the lock counts from later, so its end comes later.
                let (asked, askedOnTheWall) = (ContinuousClock.now, Date())
                if let token = await ask(client, context) {
                    var hasLease: Bool {
                        mistake == .judgesByTheWallClock
                            ? Date().timeIntervalSince(askedOnTheWall) < Lock.term / .seconds(1)
                            : ContinuousClock.now - asked < Lock.term
                    }
                    var pieces = 0
                    while hasLease {
                        context.report(Work(worker: context.process, token: token, piece: pieces))
                        pieces += 1
                        try await Task.sleep(for: .milliseconds(500))
                    }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 500...3000)))
            }
        }
    }

    private static func ask(_ client: HTTPClient, _ context: ServiceContext) async -> Int? {
        guard let lock = try? context.endpoint(of: "lock") else { return nil }
        let request = HTTPRequest(method: .post, scheme: "http", authority: nil, path: "/lock/\(context.process)")
        guard let answer = try? await client.send(request, to: lock, timeout: .seconds(2)) else { return nil }
        return answer.response.status == .ok ? Int(String(buffer: answer.body)) : nil
    }
}

/// A worker did a piece of work that only one may do at a time.
struct Work: Observation {
    let worker: String
    let token: Int
    let piece: Int

    var entities: [String] { [worker] }
    /// One line for each lease is enough of a history.
    var isNoteworthy: Bool { piece == 0 }
    var description: String { "works, by lock number \(token)" }
}
