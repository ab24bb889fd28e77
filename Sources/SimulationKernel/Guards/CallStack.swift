import CSystemSeam

/// Where in the code something happened: readable function names, innermost first.
public struct CallStack: Hashable, Sendable, CustomStringConvertible {
    /// The functions, without the kernel's, the standard library's and C's.
    public let functions: [String]

    /// Names the functions at `addresses`, at most `limit` of them, as far as they are tested code.
    init(addresses: some Sequence<UInt>, limit: Int = 4) {
        var functions: [String] = []
        for address in addresses where address != 0 && functions.count < limit {
            // A return address may be the first byte of the next function.
            switch Self.classify(address - 1) {
            case .function(let name): if functions.last != name { functions.append(name) }
            case .internal: break
            case .dispatcher:
                self.functions = functions
                return
            }
        }
        self.functions = functions
    }

    /// The functions that called the present one.
    static var here: CallStack {
        var addresses = [UInt](repeating: 0, count: Int(SEAM_STACK_DEPTH))
        let depth = unsafe seam_stack(&addresses, SEAM_STACK_DEPTH)
        return CallStack(addresses: addresses.prefix(Int(depth)))
    }

    /// The innermost function first, or `unknown place`.
    public var description: String {
        functions.isEmpty ? "unknown place" : functions.joined(separator: " < ")
    }

    private enum Finding {
        case function(String)
        /// Nobody would look for a cause here.
        case `internal`
        /// The kernel runs a job here: what called it says nothing about the job.
        case dispatcher
    }

    private static func classify(_ address: UInt) -> Finding {
        guard let symbol = unsafe seam_symbol(address) else { return .internal }
        let mangled = unsafe String(cString: symbol)
        if mangled == "seam_run_job" || mangled == "swift_job_run" { return .dispatcher }
        // Thunks and partial applications say nothing that their function does not.
        guard mangled.hasPrefix("$s"), !internals.contains(where: mangled.hasPrefix),
            !["TR", "TRTA"].contains(where: mangled.hasSuffix),
            !mangled.contains("PackageDiscovered"),
            let readable = unsafe seam_demangle(symbol)
        else { return .internal }
        defer { unsafe seam_free(readable) }
        let name = shortened(unsafe String(cString: readable))
        return name.hasPrefix("reabstraction thunk") ? .internal : .function(name)
    }

    /// The kernel, the standard library, Dispatch, and what runs tests.
    private static let internals: [String] = [
        "$s16SimulationKernel", "$ss", "$sS", "$s8Dispatch", "$s17SimulationTesting", "$s16WindkanalTesting",
        "$s15WindkanalXCTest", "$s7Testing", "$s6XCTest",
    ]

    /// What the demangler says that does not help to find the place.
    private static let noise: [String] = [
        "partial apply forwarder for ", "nonisolated(nonsending) ", "@Sendable ",
        " () async throws -> ()", " () async -> ()", " () throws -> ()", " () -> ()", " async throws -> ()",
        " async -> ()", " throws -> ()", " -> ()",
    ]

    private static func shortened(_ name: String) -> String {
        var bytes = Array(name.utf8)
        // "(3) await resume partial function for f": a numbered piece of an async function.
        if bytes.first == UInt8(ascii: "("), let end = bytes.range(of: " function for ") {
            bytes.removeSubrange(..<end.upperBound)
        }
        for text in noise {
            while let range = bytes.range(of: text) { bytes.removeSubrange(range) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Array<UInt8> {
    /// The first occurrence of `text`; the kernel does without Foundation.
    fileprivate func range(of text: String) -> Range<Int>? {
        let sought = Array(text.utf8)
        guard count >= sought.count else { return nil }
        for start in 0...count - sought.count where self[start..<start + sought.count].elementsEqual(sought) {
            return start..<start + sought.count
        }
        return nil
    }
}
