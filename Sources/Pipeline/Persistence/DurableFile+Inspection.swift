import Ports
import SQLite

extension DurableFile {
    /// Opens a service's file to look at what it holds, while the service is down; nil if nothing is in it yet.
    ///
    /// Nothing is mended and nothing checked but whose file it is: what is read is what a service would find.
    static func inspect(_ location: DiskLocation, _ schema: Schema) throws(PersistenceError) -> SQLiteDatabase? {
        try PersistenceError.mapped {
            let database = try SQLiteDatabase(location)
            return try isEmpty(database, schema) ? nil : database
        }
    }
}
