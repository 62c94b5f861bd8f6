#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    /// What the runner's memory, and what would be dumped of it, holds while the command runs.
    @Suite(.temporaryDirectory) struct SecretMemoryTests {
        private static let phrase = "a passphrase of a throwaway key"

        /// `where.py PROCESS NAME=HEX…`: for each value, in either order of its bytes, whether it stands in locked memory
        /// that no dump holds, or in ordinary memory; or that nobody may look.
        private static let search = #"""
            import re, sys
            process, values = sys.argv[1], [word.split("=") for word in sys.argv[2:]]
            try:
                memory = open(f"/proc/{process}/mem", "rb", 0)
                lines = open(f"/proc/{process}/smaps").readlines()
            except PermissionError:
                sys.exit(print("nobody may look"))
            areas, found = [], set()
            for line in lines:
                if range := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line):
                    areas.append([int(range[1], 16), int(range[2], 16), "ordinary"])
                elif re.match(r"[0-9a-f]+-", line):
                    areas.append(None)
                elif line.startswith("VmFlags:") and areas[-1] and "dd" in line.split():
                    areas[-1][2] = "locked"
            for start, end, kind in filter(None, areas):
                try:
                    memory.seek(start)
                    content = memory.read(end - start)
                except OSError:
                    continue
                for name, digits in values:
                    value = bytes.fromhex(digits)
                    if value in content or value[::-1] in content:
                        found.add(f"{name} {kind}")
            print("\n".join(sorted(found)))
            """#

        /// As root, what is found; as anybody else, that there is nothing to be found.
        private func expectFound(_ expected: [String], _ text: String) {
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines == (getuid() == 0 ? expected : ["nobody may look"]))
        }

        private func hex(_ text: String) -> String { text.utf8.map { String(format: "%02x", $0) }.joined() }

        /// Private numbers of a key, as openssl prints them, in hexadecimal; `phrase` opens it.
        private func numbers(_ key: String, _ names: [String], in run: IntotoRun) throws -> [String] {
            let text = try run.shell("openssl pkey -in \(key) -passin file:phrase -noout -text").outputText
            return try names.map { name in
                let block = try #require(text.split(separator: "\n\(name):\n", maxSplits: 1).dropFirst().first)
                let digits = block.split(separator: "\n").prefix { $0.hasPrefix("    ") }.joined()
                    .filter(\.isHexDigit)
                return "\(name)=" + (digits.hasPrefix("00") ? digits.dropFirst(2) : digits[...])
            }
        }

        private func project() throws -> IntotoRun {
            let run = IntotoRun()
            try run.write(Self.search, to: "where.py")
            try run.write(Self.phrase + "\n", to: "phrase")
            _ = try run.shell("chmod 600 phrase")
            return run
        }

        private func look(_ run: IntotoRun, _ key: [String], for values: [String]) throws -> String {
            let command = ["sh", "-c", "exec python3 where.py $PPID \"$@\"", "sh"]
            let result = try run.run(
                ["-q", "-n", "s", "--format", "link", "--overwrite", "-m", "where.py", "-k"] + key + ["--"] + command
                    + values)
            #expect(result.status == 0, "\(result.errorText)")
            return result.outputText
        }

        @Test(arguments: [
            ("ed25519", ["priv"]), ("ecdsa-p256", ["priv"]), ("ecdsa-p384", ["priv"]), ("ecdsa-p521", ["priv"]),
            ("rsa", ["privateExponent", "exponent1", "exponent2"]),
        ])
        func `while the command runs, a private key stands in locked memory alone`(type: String, names: [String]) throws
        {
            let run = try project()
            try run.makeKey("key.pem", type: type)
            #expect(
                try run("key", "generate", "--type", type, "--passphrase-file", "phrase", "encrypted.pem").status == 0)
            for key in ["key.pem", "encrypted.pem"] {
                let options = [key] + (key == "key.pem" ? [] : ["--passphrase-file", "phrase"])
                let values = try numbers(key, names, in: run) + ["phrase=\(hex(Self.phrase))"]
                // A passphrase from a file is gone once the key is open.
                expectFound(names.map { "\($0) locked" }.sorted(), try look(run, options, for: values))
            }
        }

        @Test(arguments: [("ed25519", "priv"), ("ecdsa-p256", "priv"), ("rsa-2048", "privateExponent")])
        func `nor does it elsewhere when it came from OpenSSH`(name: String, number: String) throws {
            let run = try project()
            let file = name == "ed25519" ? "ed25519-alice" : name
            try run.write(String(decoding: Vectors.bytes("keys/\(file).openssh"), as: UTF8.self), to: "key.ssh")
            try run.write(String(decoding: Vectors.bytes("keys/\(file).pkcs8.pem"), as: UTF8.self), to: "key.pem")
            _ = try run.shell("chmod 600 key.*")
            let values = try numbers("key.pem", [number], in: run)
            expectFound(["\(number) locked"], try look(run, ["key.ssh"], for: values))
        }

        @Test func `passphrases and PINs from variables are moved to locked memory`() throws {
            var run = try project()
            try run.makeKey()
            #expect(try run("key", "generate", "--passphrase-file", "phrase", "encrypted.pem").status == 0)
            #expect(
                try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-m", "phrase", "--", "true").status == 0)
            run.environment["INTOTO_KEY_PASSPHRASE"] = Self.phrase
            run.environment["INTOTO_PKCS11_PIN"] = "pin-987654321"
            let words = "phrase=\(hex(Self.phrase)) pin=\(hex("pin-987654321"))"
            let signer = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Examples/02-signing-programs/openssl-signer").standardized.path
            try run.write(
                "#!/bin/sh\npython3 where.py $PPID \(words) >seen; exec \(signer) key.pem $1\n", to: "looking")
            _ = try run.shell("chmod +x looking; mkdir out")
            let link = try run.file(endingIn: ".link")
            // The program that signs is where a verb without a command can be looked at.
            let signed = try run("sign", link, "-k", "encrypted.pem", "exec:./looking", "-o", "both.link")
            #expect(signed.status == 0, "\(signed.errorText)")
            expectFound(["phrase locked", "pin locked"], String(decoding: try run.read("seen"), as: UTF8.self))
        }

        /// Beside it a process that does leave one, so that there is a place where cores go.
        @Test func `the runner leaves no core behind, whatever its caller allows`() throws {
            let run = try project()
            try run.makeKey()
            let ended = try run.shell(
                """
                ulimit -c unlimited
                "$R" -q -n s --format link -k key.pem -m phrase -- sh -c 'grep "core file" /proc/$PPID/limits >limits; \
                    ulimit -c >own-limit; kill -ABRT $PPID; sleep 5' 2>errors
                echo "status $?"; ls | grep -c '^core'
                sh -c 'kill -ABRT $$' 2>/dev/null
                ls | grep -c '^core'
                cat /proc/sys/kernel/core_pattern
                """)
            let lines = ended.outputText.split(separator: "\n").map(String.init)
            #expect(lines.count == 4 && lines[0] == "status 134" && lines[1] == "0", "\(ended.outputText)")
            // Where cores are piped to a program, none is to be seen here at all.
            #expect(lines[2] == (lines[3] == "core" ? "1" : "0"))
            let limit = String(decoding: try run.read("limits"), as: UTF8.self).split(separator: " ")
            #expect(limit.prefix(5).last == "0", "\(limit)")
            #expect(try run.read("own-limit") == Array("unlimited\n".utf8))
            // Nor does a backtrace, which would hold registers and memory, go to whoever reads its errors.
            #expect(try !String(decoding: run.read("errors"), as: UTF8.self).contains("0x"))
        }

        /// What is not dumpable belongs to root in /proc, and nobody else may attach to it.
        @Test func `an ordinary user cannot look into the runner, not even its own`() throws {
            let run = try project()
            try run.makeKey()
            _ = try run.shell("mkdir out; chmod 777 out .; chmod 644 phrase; chown 65534 key.pem")
            let result = try run.asOrdinaryUser(
                "-q", "-n", "s", "--format", "link", "-d", "out", "-k", "key.pem", "-m", "phrase", "--", "sh", "-c",
                "stat -c %u /proc/$PPID/mem; python3 where.py $PPID x=00; (true </proc/$PPID/environ) 2>&1 | grep -c denied"
            )
            #expect(result.status == 0, "\(result.errorText)")
            #expect(result.outputText == "0\nnobody may look\n1\n")
        }
    }
#endif
