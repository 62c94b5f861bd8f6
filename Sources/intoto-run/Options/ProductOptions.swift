import ArgumentParser
import InTotoFunctionary

/// What of the products is recorded and read.
struct ProductOptions: ParsableArguments {
    @Flag(name: .customLong("changed-only"), help: "Products: only what is new or differs from the materials.")
    var changedOnly = false

    @Flag(
        name: .customLong("reuse-unchanged"),
        help: "Do not read large products again that are provably unchanged; how many is recorded.")
    var reusesUnchanged = false

    func apply(to request: inout StepRequest) {
        request.recordsChangedProductsOnly = changedOnly
        request.reusesUnchangedDigests = reusesUnchanged
    }
}
