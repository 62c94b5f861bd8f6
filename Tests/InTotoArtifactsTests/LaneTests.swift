import InTotoArtifacts
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Files hashed side by side by our own code, against OpenSSL.
@Suite(.temporaryDirectory) struct LaneTests {
    @Test(arguments: [1, 2, 5]) func `lanes and OpenSSL agree on files of every kind of size`(threads: Int) throws {
        try #require(SHA256Lanes.isAvailable, "this processor has no SHA instructions, so there is nothing to compare")
        let tree = try Tree()
        try tree.shell(
            """
            for i in $(seq 0 200); do head -c $i /dev/urandom > s$i; done
            for i in 4095 4096 4097 65536 131071 131072 131073 262144 1000003 4194304 4194305; do
                head -c $i /dev/urandom > m$i
            done
            for i in 8388608 8388609 9437184 20000001; do head -c $i /dev/urandom > l$i; done
            """)
        let lanes = try tree.take(".") { $0.threads = threads }
        let openSSL = try tree.take(".") {
            $0.threads = threads
            $0.usesProcessorForSHA256 = false
        }
        #expect(lanes.artifacts == openSSL.artifacts)
        #expect(lanes.artifacts.count == 216)
        #expect(lanes.bytes == openSSL.bytes)
    }

    @Test func `all digests come from one read and equal the single ones`() throws {
        let tree = try Tree()
        try tree.shell("head -c 300001 /dev/urandom > a; : > b; printf 'x\\r\\ny' > c")
        let all = try tree.take(".") { $0.digests = [.gitBlob, .sha512, .sha256, .sha384] }
        for algorithm in [DigestAlgorithm.sha256, .sha384, .sha512, .gitBlob] {
            let one = try tree.take(".") { $0.digests = [algorithm] }
            for artifact in one.artifacts {
                #expect(artifact.digests[algorithm] == all.artifacts[artifact.name]?[algorithm])
            }
        }
        #expect(all.sha256("a") == (try tree.shell("sha256sum a | cut -c1-64 | tr -d '\\n'")))
    }
}
