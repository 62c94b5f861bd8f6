extension WrappedCase {
    static let processes = [
        WrappedCase("a background process that holds the output", "exec $W sh -c 'sleep 2 & echo started'")
            .leavingProcesses(),
        WrappedCase(
            "a background process with streams of its own",
            "exec $W sh -c 'sleep 2 </dev/null >/dev/null 2>&1 & exit 4'",
            .returns(4)
        ).leavingProcesses(),
        WrappedCase(
            "a daemon, forked twice in a session of its own",
            """
            exec $W python3 -c '
            import os, time
            r, w = os.pipe()
            if os.fork() == 0:
                os.setsid()
                if os.fork(): os._exit(0)
                os.chdir("/"); os.write(w, b"x"); os.closerange(0, 99); time.sleep(2); os._exit(0)
            os.wait(); os.read(r, 1)'
            """
        ).leavingProcesses(),
        WrappedCase("a child in a session of its own", "exec $W setsid -w sh -c 'echo in; exit 7'", .returns(7)),
        WrappedCase(
            "zombies",
            """
            exec $W python3 -c '
            import os, time
            for _ in range(50):
                if os.fork() == 0: os._exit(1)
            time.sleep(0.2); os._exit(5)'
            """, .returns(5)),
        WrappedCase("orphans", "exec $W sh -c 'for i in $(seq 40); do (true &); done; sleep 0.3; echo end'"),
        WrappedCase(
            "300 children at once", "exec $W sh -c '(for i in $(seq 300); do (echo $i) & done; wait) | sort -n'"),
        WrappedCase(
            "a tree of 127 processes",
            #"""
            cat >grow <<'END'
            [ "$1" -eq 0 ] || { sh grow $(($1 - 1)) & sh grow $(($1 - 1)) & wait; }
            echo leaf
            END
            exec $W sh grow 6
            """#),
        WrappedCase(
            "threads",
            """
            exec $W python3 -c '
            import threading, os
            ts = [threading.Thread(target=os.write, args=(1, b"x")) for _ in range(50)]
            [t.start() for t in ts]; [t.join() for t in ts]; os._exit(2)'
            """, .returns(2)),
        WrappedCase(
            "a command that stops itself and is continued by its own child",
            "exec $W sh -c 'echo a; (sleep 0.3; kill -CONT $$) & kill -STOP $$; wait; echo b; exit 6'", .returns(6)),
        WrappedCase(
            "a command that stops itself three times",
            "exec $W sh -c 'for i in 1 2 3; do (sleep 0.2; kill -CONT $$) & kill -STOP $$; wait; done; exit 6'",
            .returns(6)),
        WrappedCase(
            "a command that stops itself and is continued by whoever started it",
            """
            state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat"; }
            $W sh -c 'echo a; kill -STOP $$; echo b; exit 6' &
            until [ "$(state $!)" = T ]; do sleep 0.02; done; kill -CONT $!; wait $!
            """, .returns(6)),
        WrappedCase(
            "a signal to the whole process group",
            "exec setsid -w $W sh -c 'trap \"exit 9\" USR1; kill -USR1 0; sleep 1; exit 1'", .returns(9)),
        WrappedCase(
            "a command that ends its own process group",
            "exec setsid -w $W sh -c 'kill -TERM 0; sleep 5'", .returns(-15)),
        WrappedCase(
            "a runner under a runner", "exec \(step("outer")) $W sh -c 'echo in; exit 3'", .each(["outer": 3, "s": 3])),
        WrappedCase("through xargs", "printf '1\\n2\\n' | xargs $W echo; printf '1 2\\n' >$B/command.out"),
        WrappedCase("through nohup", "exec nohup $W sh -c 'kill -HUP $$; echo alive'"),
        WrappedCase(
            "through make, with its job server",
            #"""
            printf 'all:\n\t+@%s $(MAKE) -f sub\n' "$W" >Makefile
            printf 'all: a b c\na b c:\n\t@echo $@\n' >sub
            make -s -j2 | sort >list; cat list | grep '^.$'; rm list Makefile; touch $B/cut
            """#),
    ]

    /// Whoever sends a signal to the process that was started means the command.
    static let forwarded =
        [
            "HUP": 1, "INT": 2, "QUIT": 3, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "STKFLT": 16, "VTALRM": 26,
            "PROF": 27, "IO": 29, "PWR": 30, "RTMIN": 34, "RTMAX": 64,
        ].sorted { $0.value < $1.value }.map { name, number in
            WrappedCase(
                "\(name) from outside",
                """
                exec 2>/dev/null; env --default-signal=INT,QUIT $W sh -c ': >ready; exec sleep 20' &
                until [ -e ready ]; do sleep 0.02; done; kill -\(number) $!; wait $!; echo $?; : >"$B/command.out"
                """, .returns(-number))
        } + [
            WrappedCase(
                "TERM from outside, handled",
                """
                $W python3 -c '\(leaving("TERM", 42))' &
                until [ -e ready ]; do sleep 0.02; done; kill -TERM $!; wait $!
                """, .returns(42)),
            WrappedCase(
                "TERM from outside, ignored",
                """
                $W sh -c 'trap "" TERM; : >ready; sleep 0.5; echo still here; exit 3' &
                until [ -e ready ]; do sleep 0.02; done; kill -TERM $!; wait $!
                """, .returns(3)),
            WrappedCase(
                "a signal that is ignored by whoever started it",
                """
                trap '' HUP TERM; $W sh -c ': >ready; sleep 0.5; exit 3' &
                until [ -e ready ]; do sleep 0.02; done; kill -HUP $!; kill -TERM $!; wait $!
                """, .returns(3)),
        ]
}
