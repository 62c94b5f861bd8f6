import Foundation
import InTotoCrypto
import InTotoMetadata
import Synchronization
import TestSupport
import Testing

/// Many runs at once in one directory, and somebody who reads all the while.
@Suite(.temporaryDirectory) struct SimultaneousRunsTests {
    /// 24 steps in two forms each, 2 times 16 runs that replace the same file, 8 of which one has the place.
    private static let script = """
        mkdir out; here="-q -d out -m key.pem.pub -p key.pem.pub"
        for i in $(seq 24); do "$R" $here -k key.pem -n "s$i" --format attestation,link -- true; echo "$?" >"s$i.status" & done
        for i in $(seq 16); do
            "$R" $here -k key.pem -n same --overwrite --format link -s -- echo "$i" & "$R" $here -k other.pem -n same \\
                --overwrite --format link -s -- echo "$i" &
        done
        for i in $(seq 8); do
            { "$R" $here -k key.pem -n once --format link -- sleep 0.5 2>/dev/null; echo $? >>statuses; } &
        done
        wait
        """

    /// What a reader saw of a file that shows: whole and signed, whatever the moment.
    private struct Reading {
        var reads = 0
        var invalid: [String] = []
    }

    @Test func `64 runs in one directory leave nothing half-written to be seen`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("other.pem", type: "ecdsa-p256")
        let keys = try ["key.pem.pub", "other.pem.pub"].map { try PublicKey(pem: run.read($0)) }
        let ended = DispatchSemaphore(value: 0)
        let failure = Mutex<(any Error)?>(nil)
        Thread.detachNewThread {
            do { _ = try run.shell(Self.script) } catch { failure.withLock { $0 = error } }
            ended.signal()
        }
        var reading = Reading()
        while ended.wait(timeout: .now()) == .timedOut { try readAll(run, keys, into: &reading) }
        if let error = failure.withLock({ $0 }) { throw error }
        try readAll(run, keys, into: &reading)
        print("64 runs at once: \(reading.reads) reads, \(reading.invalid.count) invalid")
        #expect(reading.invalid == [])
        #expect(reading.reads > 200)
        try checkResult(run)
    }

    private func readAll(_ run: IntotoRun, _ keys: [PublicKey], into reading: inout Reading) throws {
        for name in (try? run.list("out")) ?? [] where !name.hasPrefix(".") {
            let bytes = try run.read("out/\(name)")
            reading.reads += 1
            let lines = name.hasSuffix(".jsonl") ? bytes.split(separator: UInt8(ascii: "\n")).map(Array.init) : [bytes]
            do {
                for line in lines { _ = try SignedMetadata(line).authenticated(by: keys, threshold: 1) }
                if lines.isEmpty { reading.invalid.append("\(name): empty") }
            } catch { reading.invalid.append("\(name): \(error)") }
        }
    }

    private func checkResult(_ run: IntotoRun) throws {
        let names = try run.list("out")
        #expect(names.allSatisfy { !$0.hasPrefix(".") })
        #expect(names.count == 24 * 2 + 2 + 1)
        for number in 1...24 { #expect(try run.read("s\(number).status") == Array("0\n".utf8)) }
        // One has the place; the others are told where theirs is kept, or that the place is taken before they begin.
        let statuses = String(decoding: try run.read("statuses"), as: UTF8.self).split(separator: "\n")
        #expect(statuses.count == 8 && statuses.filter { $0 == "0" }.count == 1)
        #expect(statuses.allSatisfy { $0 == "0" || $0 == "125" })
        for name in names + (try run.list().filter { $0.hasPrefix("kept-") }) {
            let path = name.hasPrefix("kept-") ? name : "out/\(name)"
            let keys = ["key.pem.pub", "other.pem.pub"]
            let statuses = try keys.map { try run("sign", "--check", path, "--verification-keys", $0).status }
            #expect(statuses.sorted() == [0, 1], "\(name)")
        }
    }

    @Test func `runs at once in one directory record nothing of each other`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let ended = try run.shell(
            """
            for i in $(seq 16); do
                { "$R" -q -k key.pem -n "s$i" --format link --exclude '/status*' -- true 2>"status$i" || echo failed >>"status$i"; } &
            done
            wait; cat status* | grep -v -e 'not recorded, being evidence: ' -e 'hint: --no-default-excludes' || :
            """)
        #expect(ended.outputText == "")
        for name in try run.list() where name.hasSuffix(".link") {
            let link = try Evidence.link(name, of: run)
            #expect(link.materialNames == ["key.pem", "key.pem.pub"] && link.productNames == link.materialNames)
        }
        #expect(try run.list().count { $0.hasSuffix(".link") } == 16)
    }
}
