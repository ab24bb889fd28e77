import Documents
import NIOCore
import Randomness

/// All proxies by name; changes to proxies happen one after the other.
actor ProxyRegistry {
    private let loops: [(loop: any EventLoop, buffers: ReadBuffers)]
    private let random: RandomStream
    private var proxies: [String: Proxy] = [:]
    private var made: Int = 0
    private var isBusy: Bool = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Called when something has changed, with all proxies as a configuration has them.
    private let onChange: (@Sendable (Value) -> Void)?

    /// Makes an empty registry.
    ///
    /// - Parameters:
    ///   - loops: The event loops that proxies are spread over.
    ///   - seed: What all draws follow from.
    ///   - onChange: Called when something has changed, with all proxies as a configuration has them.
    init(loops: [any EventLoop], seed: Seed, onChange: (@Sendable (Value) -> Void)?) {
        self.loops = loops.map { ($0, ReadBuffers()) }
        random = RandomStream(seed: seed).fork("fault proxy")
        self.onChange = onChange
    }

    /// Does something that no other change may come between.
    private func exclusively<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        if isBusy { await withCheckedContinuation { waiting.append($0) } }
        isBusy = true
        let result: Result
        do {
            result = try await body()
        } catch {
            pass()
            throw error
        }
        await publish()
        pass()
        return result
    }

    private func pass() {
        if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
    }

    private func publish() async {
        guard let onChange else { return }
        onChange(.array(await all().map(\.configuration)))
    }

    // MARK: Looking

    /// All proxies in the order of their names.
    func all() async -> [ProxySnapshot] {
        var snapshots: [ProxySnapshot] = []
        for name in proxies.keys.sorted() {
            if let proxy = proxies[name], let snapshot = try? await proxy.onLoop({ ProxySnapshot($0) }) {
                snapshots.append(snapshot)
            }
        }
        return snapshots
    }

    /// Asks every proxy, in the order of their names.
    func map<Result: Sendable>(_ body: @escaping @Sendable (Proxy) -> Result) async -> [Result] {
        var results: [Result] = []
        for name in proxies.keys.sorted() {
            if let proxy = proxies[name], let result = try? await proxy.onLoop(body) { results.append(result) }
        }
        return results
    }

    /// The proxy of a name.
    ///
    /// - Throws: ``ProxyError`` when there is none.
    func proxy(_ name: String) throws(ProxyError) -> Proxy {
        guard let proxy = proxies[name] else { throw .proxyNotFound }
        return proxy
    }

    // MARK: Changing

    /// Makes a proxy.
    ///
    /// - Throws: ``ProxyError`` when there is one of the name, or it cannot listen: then there is none.
    func create(_ request: ProxyRequest) async throws -> ProxySnapshot {
        // Names are looked up before others have to wait for it.
        let address = try await address(of: request)
        return try await exclusively {
            guard proxies[request.name] == nil else { throw ProxyError.proxyExists }
            return try await add(request, at: address)
        }
    }

    /// Where a proxy is to listen; nil where it is not to.
    private func address(of request: ProxyRequest) async throws(ProxyError) -> Result<ListenAddress, ProxyError>? {
        guard request.isEnabled ?? true else { return nil }
        do {
            return .success(try await ListenAddress.resolve(request.listen ?? ""))
        } catch {
            return .failure(ProxyError(error.status, "listen tcp: \(error)"))
        }
    }

    private func add(_ request: ProxyRequest, at address: Result<ListenAddress, ProxyError>?) async throws
        -> ProxySnapshot
    {
        let (loop, buffers) = loops[made % loops.count]
        let proxy = Proxy(
            name: request.name, listen: request.listen ?? "", upstream: request.upstream ?? "", loop: loop,
            buffers: buffers, random: random.fork(request.name))
        let snapshot = try await proxy.onLoop { proxy in
            for toxic in request.toxics { try proxy.add(toxic) }
            if let address { try proxy.start(at: address.get()) }
            return ProxySnapshot(proxy)
        }
        made += 1
        proxies[request.name] = proxy
        return snapshot
    }

    /// Changes where a proxy listens and leads to, and whether it does.
    ///
    /// - Throws: ``ProxyError`` when there is none, or it cannot listen: then it is left disabled.
    func update(_ name: String, _ body: Result<Value, ProxyError>) async throws -> ProxySnapshot {
        _ = try proxy(name)
        let request = try ProxyRequest(try body.get())
        let listen: String
        if let given = request.listen { listen = given } else { listen = try await proxy(name).onLoop(\.listen) }
        // Names are looked up before others have to wait for it.
        let address = try await ListenAddress.resolve(listen)
        return try await exclusively {
            try await proxy(name).onLoop { proxy in
                try Self.change(proxy, request, address)
                return ProxySnapshot(proxy)
            }
        }
    }

    private static func change(_ proxy: Proxy, _ request: ProxyRequest, _ address: ListenAddress) throws {
        let isEnabled = request.isEnabled ?? proxy.isEnabled
        let upstream = request.upstream ?? proxy.upstream
        let present = proxy.boundAddress.map { ListenAddress.text($0) } ?? proxy.listen
        let isMoved = ListenAddress.text(address.socketAddress) != present
        if isMoved || upstream != proxy.upstream {
            proxy.stop()
            proxy.change(listen: isMoved ? request.listen ?? proxy.listen : proxy.listen, upstream: upstream)
        }
        if isEnabled { try proxy.start(at: address) } else { proxy.stop() }
    }

    /// Stops a proxy and forgets it.
    ///
    /// - Throws: ``ProxyError`` when there is none.
    func remove(_ name: String) async throws {
        try await exclusively {
            let proxy = try proxy(name)
            proxies[name] = nil
            try await proxy.onLoop { $0.stop() }
        }
    }

    /// Makes the proxies of a list, one after the other; those that are as they should be are left alone.
    ///
    /// - Returns: The proxies that there are now, and what ended the list before its end.
    func populate(_ requests: [ProxyRequest]) async -> (done: [ProxySnapshot], failure: ProxyError?) {
        var done: [ProxySnapshot] = []
        for request in requests {
            do {
                let address = try await address(of: request)
                let given = try? await ListenAddress.resolve(request.listen ?? "")
                done.append(try await exclusively { try await place(request, at: address, given: given) })
            } catch {
                return (done, error as? ProxyError ?? ProxyError(500, "\(error)"))
            }
        }
        return (done, nil)
    }

    private func place(
        _ request: ProxyRequest, at address: Result<ListenAddress, ProxyError>?, given: ListenAddress?
    ) async throws -> ProxySnapshot {
        if let proxy = proxies[request.name] {
            let present = try await proxy.onLoop { ProxySnapshot($0) }
            let listen = given.map { ListenAddress.text($0.socketAddress) } ?? request.listen ?? ""
            if present.upstream == request.upstream, present.listen == listen || present.listen == request.listen {
                return present
            }
            proxies[request.name] = nil
            try await proxy.onLoop { $0.stop() }
        }
        return try await add(request, at: address)
    }

    /// Enables every proxy and removes all toxics.
    ///
    /// - Throws: ``ProxyError`` with the first that cannot listen.
    func reset() async throws {
        var addresses: [String: ListenAddress] = [:]
        for snapshot in await all() { addresses[snapshot.name] = try await ListenAddress.resolve(snapshot.listen) }
        let resolved = addresses
        try await exclusively {
            for name in proxies.keys.sorted() {
                guard let proxy = proxies[name], let address = resolved[name] else { continue }
                try await proxy.onLoop { proxy in
                    try proxy.start(at: address)
                    proxy.removeToxics()
                }
            }
        }
    }

    /// Does something with one proxy in one turn of its event loop, and lets nothing come between.
    ///
    /// - Throws: ``ProxyError`` when there is none, and what the body throws.
    func change<Result: Sendable>(
        _ name: String, _ body: @escaping @Sendable (Proxy) throws -> Result
    ) async throws -> Result {
        _ = try proxy(name)
        return try await exclusively { try await proxy(name).onLoop(body) }
    }

    /// Stops everything.
    func shutDown() async {
        for name in proxies.keys.sorted() { try? await proxies[name]?.onLoop { $0.stop() } }
        proxies = [:]
    }
}
