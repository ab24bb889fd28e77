@_exported public import SimulationTesting
