@_exported public import SimulationKernel
