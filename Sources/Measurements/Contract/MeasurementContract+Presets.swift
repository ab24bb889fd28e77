import Documents

extension MeasurementContract {
    /// The contracts that come with the project, by name.
    public static let presets: [String: MeasurementContract] = {
        var presets: [String: MeasurementContract] = [:]
        for text in [ieeFlatText, senMLText, sensorThingsText] {
            guard let value = try? JSONReader.read(text.utf8), let contract = try? MeasurementContract(value) else {
                preconditionFailure("a contract of the project's own is wrong: \(text)")
            }
            presets[contract.name] = contract
        }
        return presets
    }()

    /// The measurement server of the seed lecture's landscape, as its clients' types show it.
    public static let ieeFlat: MeasurementContract = preset("iee-flat")
    /// Sensor Measurement Lists (RFC 8428).
    public static let senML: MeasurementContract = preset("senml")
    /// OGC SensorThings: data streams with their latest observation.
    public static let sensorThings: MeasurementContract = preset("sensor-things")

    private static func preset(_ name: String) -> MeasurementContract {
        guard let contract = presets[name] else { preconditionFailure("there is no contract '\(name)'") }
        return contract
    }

    private static let ieeFlatText: String = """
        {"name": "iee-flat", "path": "/flat/{flat}/measurements/", "records": "/rooms", "room": "/roomNr",
         "channels": [
          {"name": "temperature", "unit": "°C", "kind": "gauge", "value": "/temperature/value", "time": "/temperature/timestamp"},
          {"name": "meterValue", "unit": "kWh", "kind": "counter", "value": "/meterValue/value", "time": "/meterValue/timestamp"}],
         "times": ["iso8601"], "zone": "+00:00"}
        """

    private static let senMLText: String = """
        {"name": "senml", "path": "/flat/{flat}/measurements/", "records": "",
         "reading": {"name": "/n", "pattern": "{room}:{channel}", "value": "/v", "time": "/t", "unit": "/u",
          "base-name": "/bn", "base-time": "/bt", "base-value": "/bv", "base-unit": "/bu", "relative-below": 268435456},
         "channels": [
          {"name": "temperature", "unit": "Cel", "kind": "gauge"}, {"name": "humidity", "unit": "%RH", "kind": "gauge"},
          {"name": "meterValue", "unit": "kWh", "kind": "counter"}, {"name": "heat", "unit": "kWh", "kind": "counter"}],
         "times": ["epoch-seconds"]}
        """

    private static let sensorThingsText: String = """
        {"name": "sensor-things", "path": "/v1.1/Things('{flat}')/Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime%20desc)", "records": "/value",
         "reading": {"name": "/name", "pattern": "{room}/{channel}", "value": "/Observations/0/result",
          "time": "/Observations/0/phenomenonTime", "unit": "/unitOfMeasurement/symbol"},
         "channels": [
          {"name": "temperature", "unit": "°C", "kind": "gauge"}, {"name": "humidity", "unit": "%", "kind": "gauge"},
          {"name": "meterValue", "unit": "kWh", "kind": "counter"}, {"name": "heat", "unit": "kWh", "kind": "counter"}],
         "times": ["iso8601"], "numbers-as-texts": true}
        """
}
