internal import InTotoArtifacts
internal import InTotoMetadata

/// Makes the member `git` of `environment`: what the repository is, its state before the command, and that after it.
///
/// Every text in it is made by `text`, `record` or `texts`, which mask it.
struct RepositoryEvidence {
    /// Nil where nothing is masked.
    let masks: MaskList?

    func json(of repository: RecordedRepository) -> JSONObject {
        switch repository.before {
        case .failure(let error): return ["not-recorded": text(error.description)]
        case .success(let state):
            var object = json(of: state)
            if let status = state.status { object["before"] = .object(json(of: status)) }
            if let after = repository.after { object["after"] = .object(json(of: after, since: object)) }
            return object
        }
    }

    /// The member `after`, where `earlier` is what `git` says so far.
    func json(of after: Result<GitRepositoryState, GitError>, since earlier: JSONObject) -> JSONObject {
        switch after {
        case .failure(let error): ["not-recorded": text(error.description)]
        case .success(let state): json(of: state, since: earlier)
        }
    }

    /// The status, and whatever else is not as it was in `earlier`.
    private func json(of state: GitRepositoryState, since earlier: JSONObject) -> JSONObject {
        let now = json(of: state)
        var object = state.status.map(json) ?? JSONObject()
        let isAsBefore = now["notes"] == earlier["notes"] && state.status != nil
        let notes = (isAsBefore ? [] : state.notes) + (state.status?.notes.sorted() ?? [])
        if !notes.isEmpty { object["notes"] = texts(notes) }
        for members in Self.changing where members.contains(where: { now[$0] != earlier[$0] }) {
            // Nobody knows what became of them.
            if members == ["submodules"] && state.status == nil { continue }
            for member in members { object[member] = now[member] }
            // That nothing is left of a list is a change, too.
            if members != Self.head, let list = members.first, object[list] == nil { object[list] = .array([]) }
        }
        return object
    }

    /// Members that change together: HEAD's, and lists.
    private static let changing: [[Text]] = [
        head, ["tags", "tags-omitted"], ["remotes", "remotes-omitted"], ["submodules"],
    ]
    private static let head: [Text] = ["head", "branch", "branch-base64", "commit", "tree", "signature"]

    private func json(of state: GitRepositoryState) -> JSONObject {
        var object = JSONObject()
        record(headOf: state, in: &object)
        record(state.root ?? state.gitDirectory, as: state.root == nil ? "directory" : "root", in: &object)
        if state.root == nil { object["bare"] = true }
        if state.usesSHA256 { object["object-format"] = "sha256" }
        object["shallow"] = .bool(state.isShallow)
        if state.tagCount > 0 { record(tagsOf: state, in: &object) }
        if !state.remotes.isEmpty { record(remotesOf: state, in: &object) }
        if let name = state.linkedName { record(name, as: "linked-worktree", in: &object) }
        if state.linkedWorkTrees > 0 { object["linked-worktrees"] = .integer(Int64(state.linkedWorkTrees)) }
        if let submodules = state.status?.submodules, !submodules.isEmpty {
            object["submodules"] = .array(submodules.map(json))
        }
        if !state.notes.isEmpty { object["notes"] = texts(state.notes) }
        return object
    }

    private func record(headOf state: GitRepositoryState, in object: inout JSONObject) {
        switch state.head {
        case .detached: object["head"] = "detached"
        case .branch(let name, let commit):
            object["head"] = commit == nil ? "unborn" : "branch"
            let isBranch = name.starts(with: Self.heads)
            record(isBranch ? Array(name.dropFirst(Self.heads.count)) : name, as: "branch", in: &object)
        }
        if let commit = state.head.commit { object["commit"] = .string(commit.text) }
        if let tree = state.tree { object["tree"] = .string(tree.text) }
        if let kind = state.signature { object["signature"] = ["kind": .string(Text(kind)), "verified": false] }
    }

    private static let heads = Array("refs/heads/".utf8)

    private func record(tagsOf state: GitRepositoryState, in object: inout JSONObject) {
        object["tags"] = .array(state.tags.map(json))
        let omitted = state.tagCount - state.tags.count
        if omitted > 0 { object["tags-omitted"] = .integer(Int64(omitted)) }
    }

    private func record(remotesOf state: GitRepositoryState, in object: inout JSONObject) {
        object["remotes"] = .array(state.remotes.map(json))
        if state.remotesOmitted > 0 { object["remotes-omitted"] = .integer(Int64(state.remotesOmitted)) }
    }

    private func json(of status: GitStatus) -> JSONObject {
        var object: JSONObject = ["clean": .bool(status.isClean)]
        let lists: [(Text, GitPathList)] = [
            ("added", status.added), ("conflicted", status.conflicted), ("deleted", status.deleted),
            ("evidence", status.evidence), ("modified", status.modified), ("untracked", status.untracked),
        ]
        for (name, list) in lists where list.count > 0 {
            let paths = JSONValue.array(list.paths.map(text))
            object[name] = ["count": .integer(Int64(list.count)), "paths": paths]
        }
        let counts: [(Text, Int)] = [
            ("lfs-files", status.largeFiles), ("other-line-endings", status.otherLineEndings),
            ("not-compared-assume-unchanged", status.assumedUnchanged),
            ("not-compared-skip-worktree", status.skipped),
        ]
        for (name, count) in counts where count > 0 { object[name] = .integer(Int64(count)) }
        if !status.notes.isEmpty { object["notes"] = texts(status.notes.sorted()) }
        return object
    }

    private func json(of tag: GitRepositoryState.Tag) -> JSONValue {
        var object = JSONObject()
        record(tag.name, as: "name", in: &object)
        if let id = tag.object { object["gitTag"] = .string(id.text) }
        return .object(object)
    }

    private func json(of remote: GitRepositoryState.Remote) -> JSONValue {
        var object = JSONObject()
        record(remote.name, as: "name", in: &object)
        // A token may stand in a path, too.
        object["urls"] = .array(remote.urls.map { SecretNames.looksSecret(value: $0) ? "***" : text($0) })
        return .object(object)
    }

    private func json(of submodule: GitSubmodule) -> JSONValue {
        var object: JSONObject = ["commit": .string(submodule.commit.text)]
        record(submodule.path, as: "path", in: &object)
        switch submodule.state {
        case .notCheckedOut: object["state"] = "not checked out"
        case .checkedOut(let head, let isClean):
            if let head { object["checked-out"] = .string(head.text) }
            object["clean"] = .bool(isClean)
        case .notRead(let reason): object["not-read"] = text(reason)
        }
        return .object(object)
    }

    // MARK: Texts

    /// Masked as bytes, before any of them is replaced for not being UTF-8.
    private func masked(_ bytes: [UInt8]) -> [UInt8] { masks.masked(bytes) }

    private func text(_ bytes: [UInt8]) -> JSONValue { .string(Text(repairing: masked(bytes))) }

    private func text(_ string: String) -> JSONValue { text(Array(string.utf8)) }

    private func texts(_ strings: [String]) -> JSONValue { .array(strings.map { text($0) }) }

    private func record(_ bytes: [UInt8], as name: Text, in object: inout JSONObject) {
        object.record(bytes: masked(bytes), as: name)
    }
}
