extension [Text] {
    /// The one that is spelt almost as `name` is, with at most two letters added, left out or changed, and no more than half of
    /// either; nil where there is none.
    package func nearest(to name: Text) -> Text? {
        var nearest: (text: Text, edits: Int)?
        for text in self where abs(text.utf8.count - name.utf8.count) <= 2 {
            let edits = editDistance(text.utf8, name.utf8)
            guard edits <= 2, 2 * edits <= Swift.min(text.utf8.count, name.utf8.count), edits < nearest?.edits ?? .max
            else { continue }
            nearest = (text, edits)
        }
        return nearest?.text
    }
}

/// How many bytes have to be added, left out or changed to get from one to the other (Levenshtein); takes the product of
/// both lengths.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, byte) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in b.enumerated() {
            let edits = Swift.min(diagonal + (byte == other ? 0 : 1), row[j] + 1, row[j + 1] + 1)
            diagonal = row[j + 1]
            row[j + 1] = edits
        }
    }
    return row[b.count]
}
