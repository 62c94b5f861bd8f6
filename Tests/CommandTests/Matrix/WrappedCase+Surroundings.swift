extension WrappedCase {
    static let surroundings = [
        WrappedCase("environment, in order", "export B C=1 A='x y' EMPTY= LINES_='1\n2'; exec $W env"),
        WrappedCase("no environment", "exec env -i $W /usr/bin/env"),
        WrappedCase(
            "environment that is no text", "export V=$(printf 'v\\377\\200='); exec $W sh -c 'printf %s \"$V\" | od -c'"
        ),
        WrappedCase(
            "1500 variables",
            "for i in $(seq 1500); do export V$i=\"value $i of many\"; done; exec $W sh -c 'env | LC_ALL=C sort | md5sum'"
        ),
        WrappedCase(
            "a variable twice, and one without a name",
            """
            exec python3 -c '
            import os, sys
            class E(dict):
                def keys(self): return [b"A", b"A", b"PATH"]
                def values(self): return [b"1", b"2", b"/bin"]
            os.execve("/usr/bin/env", ["env"] + sys.argv[1:] + ["/bin/cat", "/proc/self/environ"], E(a=1))' $W
            """),
        WrappedCase("arguments", "exec $W printf '<%s>' '' ' ' 'a b' '--' '-k' \"$(printf 'x\\ny')\" '$HOME' '*' '\\'"),
        WrappedCase("arguments that are no text", "exec $W printf '%s' \"$(printf 'caf\\351\\377')\" 'é' 'e\u{301}'"),
        WrappedCase("30,000 arguments", "exec $W sh -c 'echo $#; echo \"$@\" | md5sum' sh $(seq 30000)"),
        WrappedCase(
            "an argument of 120 KB",
            "exec $W sh -c 'printf %s \"$1\" | wc -c' sh \"$(head -c 120000 /dev/zero | tr '\\0' a)\""),
        WrappedCase("umask 0", "umask 0; exec $W sh -c 'umask; : >file; mkdir dir'"),
        WrappedCase("umask 077", "umask 077; exec $W sh -c 'umask; : >file; mkdir dir'"),
        WrappedCase("directory", "mkdir -p 'a b/c'; cd 'a b/c'; exec $W pwd"),
        WrappedCase(
            "a directory by a link", "mkdir real; ln -s real link; cd link; exec $W sh -c 'pwd; pwd -P; echo $PWD'"),
        WrappedCase("a directory that is gone", "mkdir gone; cd gone; rmdir ../gone; exec $W sh -c 'ls -a; echo ran'"),
        WrappedCase("a directory that cannot be read", "mkdir d; cd d; chmod 111 .; exec $W sh -c 'echo ran'"),
        WrappedCase(
            "limits", "ulimit -Sc 0; ulimit -Sn 200; ulimit -s 4096; ulimit -t 1000; exec $W cat /proc/self/limits"),
        WrappedCase("a hard limit on core files", "ulimit -c 0; exec $W sh -c 'ulimit -Hc; ulimit -Sc'"),
        WrappedCase("few descriptors", "ulimit -n 32; exec $W sh -c 'ulimit -n'"),
        WrappedCase("file size", "ulimit -f 1000; exec $W head -c 1000000 /dev/zero >big", .returns(-25))
            .unrecordedOnly(),
        WrappedCase("niceness", "exec nice -n 7 $W nice"),
        WrappedCase("scheduling", "exec chrt -b 0 $W sh -c 'chrt -p $$ | sed s/.*:.//'"),
        WrappedCase("processors", "exec taskset -c 0 $W sh -c 'taskset -p $$ | sed s/.*:.//'"),
        WrappedCase("input and output priority", "exec ionice -c 3 $W ionice"),
        WrappedCase("badness", "exec choom -n 500 -- $W cat /proc/self/oom_score_adj"),
        WrappedCase("ignored signals", "exec env --ignore-signal $W grep ^Sig[BIC] /proc/self/status"),
        WrappedCase("blocked signals", "exec env --block-signal $W grep ^Sig[BIC] /proc/self/status"),
        WrappedCase(
            "some of each",
            "exec env --ignore-signal=HUP,PIPE,RTMIN --block-signal=USR1,CHLD $W grep ^Sig[BIC] /proc/self/status"),
        WrappedCase(
            "rights", "exec $W grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Umask|Cpus_allowed)' /proc/self/status"),
        WrappedCase("no new privileges", "exec setpriv --no-new-privs $W grep NoNewPrivs /proc/self/status"),
        WrappedCase("personality", "exec setarch -R $W cat /proc/self/personality"),
        WrappedCase("namespaces", "exec $W sh -c 'readlink /proc/$$/ns/*'"),
        WrappedCase("a user namespace", "exec unshare -Ur $W sh -c 'id -u; cat /proc/self/uid_map'"),
        WrappedCase(
            "what a core file holds", "echo 0x7 >/proc/self/coredump_filter; exec $W cat /proc/self/coredump_filter"),
        WrappedCase(
            "process group and session",
            "g=$(ps -o pgid=,sid=,tty= -p $$); exec $W sh -c '[ \"$(ps -o pgid=,sid=,tty= -p $$)\" = \"$1\" ] && echo same' sh \"$g\""
        ),
        WrappedCase("a session of its own", "exec setsid -w $W sh -c 'ps -o tty= -p $$'"),
        WrappedCase(
            "descriptors", "echo seven >f; exec 7<f 8>>g; exec $W sh -c 'ls /proc/self/fd; cat <&7; echo x >&8'"),
        WrappedCase(
            "a descriptor's position",
            "seq 1 9 >f; exec 7<f; read a <&7; $W sh -c 'read b <&7; echo $b'; cat <&7; echo 2 >$B/command.out"),
        WrappedCase("a lock that is held", "exec 9>lock; flock 9; exec $W sh -c 'flock -n lock true || echo held'"),
        WrappedCase(
            "a descriptor above the limit",
            "exec bash -c 'exec 150</dev/null; ulimit -Sn 100; exec \"$@\"' bash $W sh -c 'ls /proc/self/fd; ulimit -n; ulimit -Hn'"
        ),
        WrappedCase("a high descriptor", "exec bash -c 'exec 150</dev/null; exec \"$@\"' bash $W ls /proc/self/fd"),
    ]
}
