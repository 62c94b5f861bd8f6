extension WrappedCase {
    /// Commands that turn on their surroundings, or on us.
    static let hostile = [
        WrappedCase("deletes the directory it runs in", "mkdir d; cd d; exec $W sh -c 'rmdir \"$PWD\"; echo gone'"),
        WrappedCase(
            "deletes everything in it", "mkdir -p d/e; : >d/f; exec $W sh -c 'rm -rf ./*; echo gone; exit 2'",
            .returns(2)),
        WrappedCase("deletes the evidence's directory", "exec $W sh -c 'rm -rf \"$1\"; exit 5' sh $B/out", .none)
            .ours(125, "the command ran and exited with status 5"),
        WrappedCase("deletes the evidence to be", "exec $W sh -c 'rm -f \"$1\"/.??*; exit 5' sh $B/out", .returns(5)),
        touchesEvidence("moves the evidence to be away", "mv \"$f\" \"$f.2\""),
        touchesEvidence("edits the evidence to be", "sed -i s/x/y/ \"$f\""),
        touchesEvidence("replaces the evidence to be", "rm -f \"$f\"; echo junk >\"$f\""),
        touchesEvidence("replaces the evidence to be by a link", "ln -sf /etc/passwd \"$f\""),
        touchesEvidence("replaces the evidence to be by a pipe", "rm -f \"$f\"; mkfifo \"$f\""),
        touchesEvidence("replaces the evidence to be by a directory", "rm -f \"$f\"; mkdir \"$f\""),
        touchesEvidence("gives the evidence to be a second name", "ln \"$f\" \"$f.2\""),
        WrappedCase(
            "moves the evidence's directory away and back",
            "exec $W sh -c 'mv \"$1\" \"$1.x\"; mv \"$1.x\" \"$1\"' sh $B/out"),
        WrappedCase("deletes the key", "exec $W sh -c 'rm -f \"$1\"' sh $B/key.pem"),
        WrappedCase("replaces the key by a link", "exec $W sh -c 'ln -sf /dev/zero \"$1\"' sh $B/key.pem"),
        WrappedCase("replaces the key by a pipe", "exec $W sh -c 'rm -f \"$1\"; mkfifo \"$1\"' sh $B/key.pem"),
        WrappedCase(
            "plants a link at the evidence's place", "exec $W sh -c 'ln -s /etc/passwd \"$1\"' sh $B/out/s.$ID.link"),
        WrappedCase(
            "plants a pipe at the evidence's place", "exec $W sh -c 'mkfifo \"$1\"; exit 4' sh $B/out/s.$ID.link",
            .returns(4)),
        WrappedCase(
            "plants a directory at the evidence's place", "exec $W sh -c 'mkdir \"$1\"; exit 4' sh $B/out/s.$ID.link",
            .none
        )
        .ours(125, "the command ran and exited with status 4"),
        WrappedCase(
            "fills the disk",
            #"""
            export B; exec unshare -Urm sh -c '
                mount -t tmpfs -o size=256k none "$B/out" || exit 99
                "$@" sh -c "head -c 1048576 /dev/zero >\"\$B/out/fill\"; exit 4"; status=$?
                mkdir "$B/copy"; cp "$B"/out/*.link "$B/copy" 2>/dev/null
                umount "$B/out"; cp "$B"/copy/* "$B/out" 2>/dev/null; exit $status' sh $W
            """#, .returns(4)),
        WrappedCase(
            "has room for no file at all",
            "exec bash -o pipefail -c '(ulimit -f 0; exec \"$@\") 2>&1 | cat >&2' bash $W true", .none
        ).ours(125, "set space aside")
            .unrecordedOnly(),
        WrappedCase("takes every right from its directory", "mkdir d; cd d; exec $W sh -c 'chmod 0 .; echo done'"),
        WrappedCase(
            "closes everything and goes on", "exec $W sh -c 'exec <&- >&- 2>&-; sleep 0.1; exit 3'", .returns(3)),
        WrappedCase("writes to what it should read", "exec $W sh -c 'echo x >&0; exit 3' </dev/null", .returns(3)),
    ]

    /// Does something to each hidden file in the evidence's directory, `$f`; without us there is one more.
    private static func touchesEvidence(_ name: String, _ script: String) -> WrappedCase {
        WrappedCase(
            name,
            "exec $W sh -c 'cd \"$1\"; : >.intoto-run.x; for f in .intoto-run.*; do \(script); done; exit 5' sh $B/out",
            .returns(5))
    }
}
