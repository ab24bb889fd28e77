/// What a member of a group works on.
public struct GroupAssignment: Hashable, Sendable {
    /// The number of this sharing of the partitions.
    public let generation: Int
    /// The partitions, and where each goes on: where the group committed, or where a group that never did begins.
    public let positions: [Int: PartitionPosition]
}

/// Where a group goes on in a partition.
public struct PartitionPosition: Hashable, Sendable {
    /// What the group committed; nil if it never did.
    public let committed: Int64?
    /// The offset of the first record that is there.
    public let earliest: Int64
    /// The offset of the next record.
    public let latest: Int64
}
