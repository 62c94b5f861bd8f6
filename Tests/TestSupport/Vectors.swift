public import Foundation

/// Test data made by other implementations; each folder's README says by which, and how.
public enum Vectors {
    public static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "InteropTests/Vectors")

    public static func url(_ path: String) -> URL { directory.appending(path: path) }

    public static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

    /// Names of the files in a folder, sorted.
    public static func list(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url(path).path).sorted()
    }

    /// For vectors only: tests may read their own data with Foundation, the product may not.
    public static func json(_ path: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(contentsOf: url(path)), options: [.fragmentsAllowed])
    }
}
