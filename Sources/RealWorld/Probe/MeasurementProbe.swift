import Documents
import Experiments
import HTTPActivities
import HTTPTypes
import NIOCore
import NIOSSL
public import Pipeline

/// Asks a measurement server once, politely, and says what its answer means by a contract.
public struct MeasurementProbe: Sendable {
    /// What was found.
    public struct Report: Sendable {
        /// The answer's status.
        public let status: Int
        /// What was understood, and what not.
        public let measurements: Measurements
        /// Places that the contract does not look at.
        public let unmapped: [String]
        /// How far the server's clock is ahead of ours, in ms; nil if it does not say what time it is.
        public let clockOffset: Int64?
        /// How long the answer took.
        public let duration: Duration
    }

    /// The server's address, without the path of measurements.
    private let url: String
    private let contract: MeasurementContract
    private let certificates: String?
    private let credentials: (user: String, password: String)?

    /// The request is given up after so long.
    private static let timeoutSeconds: Double = 40

    /// Prepares a probe.
    ///
    /// - Parameters:
    ///   - url: The server's address, such as `https://measurements.example:8443`.
    ///   - contract: What its answers look like.
    ///   - certificates: A PEM file of the certificates to trust; nil takes the system's.
    ///   - credentials: The user's name and password; nil asks without.
    public init(
        url: String, contract: MeasurementContract, certificates: String?,
        credentials: (user: String, password: String)?
    ) {
        self.url = url
        self.contract = contract
        self.certificates = certificates
        self.credentials = credentials
    }

    /// Sends one GET for a flat.
    ///
    /// - Returns: What was found.
    /// - Throws: ``ActivityError`` when there is no answer, ``PayloadProblem`` when it is not understood at all.
    public func run(flat: String) async throws -> Report {
        let providers = RealActivityProviders(environment: [:])
        var headers: Value.Object = ["Accept": "application/json"]
        if let credentials {
            headers["Authorization"] = .string(
                HTTPActivityProvider.basicAuthorization(user: credentials.user, password: credentials.password))
        }
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        let call = HTTPCall(
            url: .string(base + contract.path(of: flat)), method: "GET", headers: headers, arguments: nil,
            timeout: .real(Self.timeoutSeconds), verifiesTLS: true, retriesMax: 0)
        let certificates = certificates
        let provider = HTTPActivityProvider(RealPorts(eventLoop: providers.eventLoop)) { verifies in
            guard let certificates else { return try RealActivityProviders.security(verifies: verifies) }
            return try TLSSecurity(trusting: certificates)
        }
        let before = WallClock.milliseconds
        let began = ContinuousClock.now
        let answer = try await provider.fetch(call)
        let duration = began.duration(to: .now)
        let middle = before + Int64(duration.inMilliseconds / 2)
        let offset = answer.response.headerFields[.date].flatMap(HTTPDate.milliseconds).map { $0 - middle }
        let bytes = answer.body.readableBytesView
        guard answer.response.status.code == 200 else {
            return Report(
                status: answer.response.status.code, measurements: Measurements(), unmapped: [], clockOffset: offset,
                duration: duration)
        }
        let measurements = try contract.read(bytes, of: flat)
        let document = (try? JSONReader.read(bytes)) ?? .null
        return Report(
            status: 200, measurements: measurements, unmapped: contract.unmapped(in: document), clockOffset: offset,
            duration: duration)
    }
}

extension Duration {
    /// Milliseconds with a fraction.
    public var inMilliseconds: Double { Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15 }
}

/// Times as HTTP's `Date` field has them (RFC 9110).
enum HTTPDate {
    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Milliseconds since 1970 of a text such as `Tue, 24 Nov 2026 23:51:58 GMT`; nil for another.
    static func milliseconds(_ text: String) -> Int64? {
        let words = text.split { " ,:".contains($0) }
        guard words.count == 8, let day = Int(words[1]), let month = months.firstIndex(of: String(words[2])),
            let year = Int(words[3]), let hour = Int(words[4]), let minute = Int(words[5]), let second = Int(words[6]),
            GregorianCalendar.isDate(year, month + 1, day), words[7] == "GMT"
        else { return nil }
        let days = Int64(GregorianCalendar.days(year, month + 1, day))
        return (days * 86_400 + Int64(hour * 3600 + minute * 60 + second)) * 1000
    }
}
