extension WrappedCase {
    static let statuses = [
        WrappedCase(
            "every status",
            #"for i in $(seq 0 255); do \#(step("s$i")) sh -c "exit $i"; echo $?; done"#,
            .each(Dictionary(uniqueKeysWithValues: (0...255).map { ("s\($0)", $0) }))
        ).unrecordedOnly(),
        WrappedCase("status -1", "exec $W python3 -c 'import os; os._exit(-1)'", .returns(255)),
        WrappedCase("status 124, as of a time limit", "exec $W sh -c 'exit 124'", .returns(124)),
        WrappedCase("status 137, as of a signal", "exec $W sh -c 'exit 137'", .returns(137)),
    ]

    private static let deadly = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
        "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "XCPU": 24, "XFSZ": 25,
        "VTALRM": 26, "PROF": 27, "IO": 29, "PWR": 30, "SYS": 31,
    ]

    static let signals =
        deadly.sorted { $0.value < $1.value }.map { name, number in
            WrappedCase("death by \(name)", "exec $W sh -c 'echo out; kill -\(number) $$'", .returns(-number))
        } + [
            WrappedCase(
                "death by each real-time signal",
                "exec 2>/dev/null; for i in $(seq 34 64); do \(step("s$i")) sh -c \"kill -$i \\$\\$\"; echo $?; done",
                .each(Dictionary(uniqueKeysWithValues: (34...64).map { ("s\($0)", -$0) }))),
            WrappedCase(
                "a read of address 0", "exec $W python3 -c 'import ctypes; ctypes.string_at(0)'", .returns(-11)),
            WrappedCase("abort", "exec $W python3 -c 'import os; os.abort()'", .returns(-6)),
            WrappedCase(
                "a child's death, passed on by a shell", #"exec $W sh -c 'sh -c "kill -9 \$\$"; exit $?'"#,
                .returns(137)),
            WrappedCase("too much processor time", "ulimit -St 1; exec $W sh -c 'while :; do :; done'", .returns(-24)),
            WrappedCase(
                "a time limit's TERM", "timeout --foreground 0.5 $W python3 -c '\(leaving("TERM", 8))'; exit $?",
                .returns(8)),
            WrappedCase("a time limit's KILL", "timeout -s KILL 0.5 $W sleep 20", .none),
            WrappedCase("a time limit of ours that is kept", "exec $W timeout 0.2 sleep 20", .returns(124)),
        ]

    static let programs = [
        WrappedCase("not found", "exec $W no-such-command", .none).ours(127, "no-such-command: command not found"),
        WrappedCase("no such path", "exec $W ./absent", .none).ours(127, "./absent: command not found"),
        WrappedCase("not executable", "echo text >data; exec $W ./data", .none).ours(126, "./data: cannot be executed"),
        WrappedCase("a directory", "mkdir folder; exec $W ./folder", .none).ours(126, "./folder: cannot be executed"),
        WrappedCase(
            "an interpreter that is not there", "printf '#!/no/such\\n' >bad; chmod +x bad; exec $W ./bad", .none
        ).ours(126, "./bad: cannot be executed"),
        WrappedCase(
            "a script without an interpreter line",
            #"printf 'echo "$1" "$#"; exit 5\n' >script; chmod +x script; exec $W ./script word 2"#, .returns(5)),
        WrappedCase("an empty script", ": >script; chmod +x script; exec $W ./script"),
        WrappedCase(
            "a script",
            #"printf '#!/bin/sh -u\necho "$0" "$@" $absent\n' >script; chmod +x script; exec $W ./script a b"#,
            .returns(2)),
        WrappedCase(
            "a script of env's",
            #"printf '#!/usr/bin/env -S sh -e\necho "$0 $-"; false; echo no\n' >t; chmod +x t; exec $W ./t"#,
            .returns(1)),
        WrappedCase(
            "a program that goes by its name", "ln -s /bin/sh mysh; exec $W ./mysh -c 'echo \"$0\"; cat /proc/$$/comm'"),
        WrappedCase(
            "a program that may be run and not read", "cp /bin/echo hidden; chmod 111 hidden; exec $W ./hidden text"),
        WrappedCase(
            "a program of a relative directory in PATH",
            "mkdir bin; printf '#!/bin/sh\\necho \"$0\"\\n' >bin/tool; chmod +x bin/tool; PATH=bin:$PATH; exec $W tool"),
        WrappedCase(
            "what stands first in PATH and is no program",
            """
            mkdir -p a/tool b c; : >b/tool; printf '#!/bin/sh\\necho third\\n' >c/tool; chmod +x c/tool
            PATH=a:b:c:$PATH; exec $W tool
            """),
        WrappedCase(
            "what a program sees of itself", "exec $W sh -c 'readlink /proc/$$/exe; tr \"\\0\" . </proc/$$/cmdline'"),
    ]
}
