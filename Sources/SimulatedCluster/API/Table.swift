/// An object as it is kept: its present value, at a place that stays.
final class Record<Object: APIObject> {
    /// What the object is like now; only the store changes it.
    var value: Object
    /// Whether it has not gone.
    var isStored: Bool = true

    init(_ value: Object) { self.value = value }

    var uid: UID {
        @inline(__always) get { value.metadata.uid }
    }
    var key: ObjectKey { value.metadata.key }
}

/// Objects by their uid.
typealias RecordList<Object: APIObject> = KeyedList<UID, Record<Object>>

/// What became of an object.
package enum ChangeType: String, Hashable, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
}

/// All objects of a kind.
package final class Table<Object: APIObject> {
    private(set) var all: RecordList<Object> = RecordList()
    private var byKey: [ObjectKey: Record<Object>] = [:]
    private var byNamespace: [String: RecordList<Object>] = [:]
    /// Told of each change, with the value before it.
    var onChange: (ChangeType, Record<Object>, Object) -> Void = { _, _, _ in }

    subscript(namespace: String, name: String) -> Record<Object>? { byKey[ObjectKey(namespace, name)] }
    subscript(key: ObjectKey) -> Record<Object>? { byKey[key] }
    subscript(uid: UID) -> Record<Object>? { all[uid] }

    /// The objects of a namespace, in an order that follows from what was done.
    func records(in namespace: String) -> [Record<Object>] { byNamespace[namespace]?.elements ?? [] }

    /// The objects in the order of their names, as lists are answered.
    func list(namespace: String? = nil, labels: Labels = [:]) -> [Object] {
        (namespace.map(records(in:)) ?? all.elements).map(\.value)
            .filter { labels.isEmpty || $0.metadata.labels.matches(labels) }
            .sorted { $0.key < $1.key }
    }

    func add(_ record: Record<Object>) {
        all.set(record, for: record.uid)
        byKey[record.key] = record
        byNamespace[record.value.metadata.namespace, default: RecordList()].set(record, for: record.uid)
    }

    func remove(_ record: Record<Object>) {
        record.isStored = false
        all.remove(record.uid)
        byKey[record.key] = nil
        byNamespace[record.value.metadata.namespace]?.remove(record.uid)
    }

    func removeAll() {
        for record in all.elements { record.isStored = false }
        all.removeAll()
        byKey = [:]
        byNamespace = [:]
    }
}
