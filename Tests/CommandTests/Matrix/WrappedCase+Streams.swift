extension WrappedCase {
    static let streams = [
        WrappedCase("silence", "exec $W true"),
        WrappedCase("both streams", "exec $W sh -c 'echo out; echo err >&2'"),
        WrappedCase("no line end", "exec $W printf 'a\\nb'"),
        WrappedCase(
            "every byte on both streams",
            "exec $W python3 -c 'import os; b = bytes(range(256)) * 9; os.write(1, b); os.write(2, b[::-1])'"),
        WrappedCase("terminal sequences", #"exec $W printf '\033[31mred\033[0m\033]0;title\007\r\b'"#),
        WrappedCase(
            "a megabyte of errors before any output", "exec $W sh -c 'yes error | head -c 1048576 >&2; echo done'"),
        WrappedCase(
            "alternating streams",
            "exec $W sh -c 'i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done'"),
        WrappedCase(
            "the order of both in one file",
            "exec $W sh -c 'i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done' 2>&1"
        ).unrecordedOnly(),
        WrappedCase("one line of 5 MiB", "exec $W sh -c 'head -c 5242880 /dev/zero | tr \"\\0\" x'"),
        WrappedCase("more than is kept", "exec $W seq 1 1300000"),
        WrappedCase(
            "writers at the same time", "exec $W sh -c 'yes a | head -c 200000 & yes a | head -c 200000; wait'"),
        WrappedCase(
            "64 MiB to a slow reader",
            """
            { $W sh -c 'yes 0123456789 | head -c 67108864'; echo $? >status; } | python3 -c '
            import hashlib, os, time
            h, n = hashlib.sha256(), 0
            while b := os.read(0, 65536):
                h.update(b); n += len(b)
                if n % 8388608 < len(b): time.sleep(0.02)
            print(h.hexdigest(), n)'; cat status; yes 0123456789 | head -c 67108864 >"$B/command.out"
            """),
        WrappedCase(
            "a reader that goes away",
            "{ $W sh -c 'echo first; exec yes'; echo $? >status; } | head -n 1; cat status; touch $B/cut", .returns(-13)
        ),
        WrappedCase(
            "a reader that goes away, SIGPIPE ignored",
            "trap '' PIPE; { $W sh -c 'while echo x; do :; done 2>/dev/null; exit 9'; echo $? >status; } | head -n 1; "
                + "cat status; touch $B/cut", .returns(9)),
        WrappedCase("input", "seq 1 1000 | $W cat; exit $?"),
        WrappedCase("16 MiB of input", "head -c 16777216 /dev/zero | $W sh -c 'cat | md5sum'"),
        WrappedCase("input that nobody reads", "seq 1 100000 | $W true; exit $?"),
        WrappedCase(
            "input that is left for the next",
            "seq 1 9 >in; { $W sh -c 'read a; read b; exit 3'; echo $?; cat; } <in; : >$B/command.out",
            .returns(3)),
        WrappedCase("input that ends at once", "exec $W cat </dev/null"),
        WrappedCase("closed input", "exec $W sh -c 'read x; echo $?' <&-"),
        WrappedCase("closed output", "exec $W sh -c 'echo x; echo $? >&2' >&-").closed("stdout"),
        WrappedCase("closed errors", "exec $W sh -c 'echo x >&2; echo $?' 2>&-").closed("stderr"),
        WrappedCase(
            "everything closed", "exec $W sh -c '{ echo x; } 2>said; echo $? >>said; exit 6' <&- >&- 2>&-", .returns(6)
        ).closed("stdout", "stderr"),
        WrappedCase("output to a full device", "exec $W sh -c 'echo x; echo $? >&2' >/dev/full").unrecordedOnly(),
        WrappedCase(
            "output to a full device, recorded",
            "printf 'x\\n' >$B/command.out; exec $W sh -c '{ echo x; } 2>/dev/null; exit 0' >/dev/full"
        ).recordedOnly().ours(125, "standard output could not be passed on"),
        WrappedCase(
            "output to a full device, without end",
            "touch $B/cut; exec $W sh -c 'yes 2>/dev/null; exit 6' >/dev/full", .returns(6)
        ).recordedOnly().ours(6, "standard output could not be passed on"),
        WrappedCase(
            "output that is appended",
            "echo before >f; $W echo after >>f; cat f; rm f; printf 'after\\n' >$B/command.out"),
        WrappedCase("no terminal where there is none", "exec $W sh -c '[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none'"),
        WrappedCase("both sides of a pipe", "\(step("a")) seq 1 5 | $W cat", .each(["a": 0, "s": 0])),
        WrappedCase(
            "a command substitution", "x=$($W sh -c 'echo 1; echo 2'); echo \"<$x>\"; printf '1\\n2\\n' >$B/command.out"
        ),
    ]
}
