import Foundation
import Measurements
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import XCTest

/// A disk that the storage is tried on: this machine's, or a simulated one.
enum DiskArm: CaseIterable {
    case real
    case simulated

    /// Runs a script with an empty place for a database, on both.
    static func both(_ script: (DiskArm, DiskLocation) async throws -> Void) async throws {
        for arm in allCases {
            switch arm {
            case .real:
                let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                try await script(arm, DiskLocation(path: folder.appending(path: "storage.db").path))
            case .simulated:
                let vfs = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 })
                try await script(arm, vfs.location("storage.db", sleep: { _ in }))
            }
        }
    }
}

func reading(_ time: Int64, _ value: Double = 1, flat: String = "SD0", room: String = "1") -> Reading {
    Reading(
        Reading.Identity(flat: flat, room: room, channel: "temperature", milliseconds: 1_700_000_000_000 + time),
        value: value)
}
