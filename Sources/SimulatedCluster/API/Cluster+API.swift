import SimulationKernel

/// What becomes of what an object owns when it is deleted.
package enum Propagation: String, Hashable, Sendable {
    /// It goes after the object.
    case background = "Background"
    /// It stays, and nobody owns it.
    case orphan = "Orphan"
}

/// The API as clients have it; while the control plane is down, everything fails with `APIError.unavailable`.
///
/// A call acts at once; what clients take to get there is theirs to wait.
extension Cluster {
    private func table<Object: APIObject>(_ type: Object.Type) throws(APIError) -> Table<Object> {
        guard controlPlane.isAnswering else { throw .unavailable }
        return Object.table(in: store)
    }

    private func find<Object: APIObject>(
        _ type: Object.Type, _ name: String, _ namespace: String
    ) throws(APIError) -> Record<Object> {
        let key = ObjectKey(Object.kind.isNamespaced ? namespace : "", name)
        guard let record = try table(type)[key] else { throw .notFound(Object.kind, key) }
        return record
    }

    // MARK: Reading

    /// Reads an object.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func get<Object: APIObject>(
        _ type: Object.Type, _ name: String, namespace: String = "default"
    ) throws(APIError) -> Object {
        try find(type, name, namespace).value
    }

    /// Reads the objects of a kind, in the order of their names.
    ///
    /// - Parameters:
    ///   - type: The kind.
    ///   - namespace: Where they lie; nil for everywhere.
    ///   - labels: Labels that they must have.
    /// - Returns: The objects.
    /// - Throws: `APIError.unavailable`.
    package func list<Object: APIObject>(
        _ type: Object.Type, namespace: String? = nil, labels: Labels = [:]
    ) throws(APIError) -> [Object] {
        try table(type).list(namespace: namespace, labels: labels)
    }

    /// The number of the last change of any object.
    package var resourceVersion: UInt64 { store.resourceVersion }

    /// Tells of the changes of a kind's objects, in their order, each a while after it was made.
    ///
    /// - Parameters:
    ///   - type: The kind.
    ///   - namespace: Where the objects lie; nil for everywhere.
    ///   - version: Changes up to this number are known already.
    ///   - action: Told of each change.
    /// - Returns: What ends it.
    /// - Throws: `APIError.expired` when the changes since `version` are no longer known; `APIError.unavailable`.
    package func watch<Object: APIObject>(
        _ type: Object.Type, namespace: String? = nil, after version: UInt64,
        _ action: @escaping (WatchEvent) -> Void
    ) throws(APIError) -> () -> Void {
        guard controlPlane.isAnswering else { throw .unavailable }
        let line = WatchLine(action)
        return try store.watch(Object.kind, namespace: namespace, after: version) { [unowned self] event in
            line.waiting.append(event)
            // Whichever of them comes first tells the oldest: order does not depend on how long each takes.
            after(apiLatency()) { line.deliverNext() }
        }
    }

    // MARK: Writing

    /// Makes an object.
    ///
    /// - Returns: The object as the API has it.
    /// - Throws: `APIError` when the name is taken, the namespace is not there or ends, or the object contradicts itself.
    @discardableResult
    package func create<Object: APIObject>(_ object: Object) throws(APIError) -> Object {
        let table = try table(Object.self)
        var object = object
        if Object.kind.isNamespaced {
            let namespace = object.metadata.namespace
            guard let place = store.namespaces["", namespace] else {
                throw .notFound(.namespace, ObjectKey("", namespace))
            }
            guard !place.value.metadata.isTerminating else { throw .forbidden(namespace: namespace) }
        }
        guard !object.name.isEmpty else { throw .invalid(Object.kind, object.key, "it has no name") }
        if let problem = object.problem { throw .invalid(Object.kind, object.key, problem) }
        guard table[object.key] == nil else { throw .alreadyExists(Object.kind, object.key) }
        if var pod = object as? Pod {
            admit(&pod)
            if let admitted = pod as? Object { object = admitted }
        }
        return store.add(object, to: table).value
    }

    /// Puts an object in the place of the one that was read.
    ///
    /// - Returns: The object as the API has it.
    /// - Throws: `APIError.conflict` when it was changed since it was read, and what ``create(_:)`` throws.
    @discardableResult
    package func replace<Object: APIObject>(_ object: Object) throws(APIError) -> Object {
        let record = try find(Object.self, object.name, object.metadata.namespace)
        let present = record.value.metadata
        guard present.uid == object.uid, present.resourceVersion == object.metadata.resourceVersion else {
            throw .conflict(Object.kind, object.key)
        }
        if let problem = object.problem { throw .invalid(Object.kind, object.key, problem) }
        write(record) { $0 = object }
        return record.value
    }

    /// Changes an object as it is now, whoever changed it before.
    ///
    /// - Returns: The object as the API has it.
    /// - Throws: `APIError.notFound`, and `APIError.invalid` when what it would become contradicts itself.
    @discardableResult
    package func patch<Object: APIObject>(
        _ type: Object.Type, _ name: String, namespace: String = "default", _ change: (inout Object) -> Void
    ) throws(APIError) -> Object {
        let record = try find(type, name, namespace)
        var changed = record.value
        change(&changed)
        if let problem = changed.problem { throw .invalid(Object.kind, changed.key, problem) }
        write(record) { $0 = changed }
        return record.value
    }

    /// Writes a client's change; some kinds have a number for their templates.
    private func write<Object: APIObject>(_ record: Record<Object>, _ change: (inout Object) -> Void) {
        store.update(record, in: Object.table(in: store)) { object in
            let old = object
            change(&object)
            if let before = old as? StatefulSet, var set = object as? StatefulSet, before.template != set.template {
                set.revision += 1
                if let set = set as? Object { object = set }
            }
            if let before = old as? DaemonSet, var set = object as? DaemonSet, before.template != set.template {
                set.revision += 1
                if let set = set as? Object { object = set }
            }
        }
    }

    /// Deletes an object; one with finalizers, and a pod with containers, is still there for a while.
    ///
    /// - Parameters:
    ///   - type: The kind.
    ///   - name: Its name.
    ///   - namespace: Where it lies.
    ///   - grace: Of a pod: what its containers get to end; zero takes the object away at once.
    ///   - uid: The very object that is meant; nil for whichever has the name.
    ///   - propagation: What becomes of what it owns.
    /// - Throws: `APIError.notFound`, and `APIError.conflict` when another object has the name.
    package func delete<Object: APIObject>(
        _ type: Object.Type, _ name: String, namespace: String = "default", grace: Duration? = nil, uid: UID? = nil,
        propagation: Propagation = .background
    ) throws(APIError) {
        let record = try find(type, name, namespace)
        if let uid, uid != record.uid { throw .conflict(Object.kind, record.key) }
        if propagation == .orphan { orphan(record.uid) }
        if let pod = record as? Record<Pod> { return deletePod(pod, grace: grace) }
        let table = Object.table(in: store)
        if Object.kind == .namespace || !record.value.metadata.finalizers.isEmpty {
            let now = now
            return store.update(record, in: table) { $0.metadata.deletion = now }
        }
        store.remove(record, from: table)
    }

    private func orphan(_ owner: UID) {
        for set in indexes.replicaSets(of: owner) {
            indexes.remove(set)
            store.update(set, in: store.replicaSets) { $0.metadata.owner = nil }
        }
        for pod in indexes.pods(of: owner) {
            indexes.remove(pod)
            store.update(pod, in: store.pods) { $0.metadata.owner = nil }
            indexes.add(pod)
        }
    }
}

/// Changes on their way to one who watches.
private final class WatchLine {
    var waiting: [WatchEvent] = []
    private let action: (WatchEvent) -> Void

    init(_ action: @escaping (WatchEvent) -> Void) { self.action = action }

    func deliverNext() {
        guard !waiting.isEmpty else { return }
        action(waiting.removeFirst())
    }
}
