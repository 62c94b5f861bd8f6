internal import InTotoArtifacts
internal import InTotoMetadata

extension RecordedRepository {
    /// The member `git` of `environment`: what the repository is, its state before the command, and that after it.
    var json: JSONObject {
        let state: GitRepositoryState
        switch before {
        case .failure(let error): return ["not-recorded": .string(Text(error.description))]
        case .success(let value): state = value
        }
        var object = state.json
        if let status = state.status { object["before"] = .object(status.json) }
        switch after {
        case nil: break
        case .failure(let error)?: object["after"] = ["not-recorded": .string(Text(error.description))]
        case .success(let later)?:
            var after = later.status?.json ?? JSONObject()
            if later.head != state.head { for member in later.headJSON.members { after[member.name] = member.value } }
            object["after"] = .object(after)
        }
        return object
    }
}

extension GitRepositoryState {
    fileprivate var json: JSONObject {
        var object = headJSON
        object.record(bytes: root ?? gitDirectory, as: root == nil ? "directory" : "root")
        if root == nil { object["bare"] = true }
        if usesSHA256 { object["object-format"] = "sha256" }
        object["shallow"] = .bool(isShallow)
        if !tags.isEmpty { object["tags"] = .array(tags.map(\.json)) }
        if tagCount > tags.count { object["tags-omitted"] = .integer(Int64(tagCount - tags.count)) }
        if !remotes.isEmpty { object["remotes"] = .array(remotes.map(\.json)) }
        if let linkedName { object.record(bytes: linkedName, as: "linked-worktree") }
        if linkedWorkTrees > 0 { object["linked-worktrees"] = .integer(Int64(linkedWorkTrees)) }
        if let submodules = status?.submodules, !submodules.isEmpty {
            object["submodules"] = .array(submodules.map(\.json))
        }
        if !notes.isEmpty { object["notes"] = .array(notes.map { .string(Text($0)) }) }
        return object
    }

    fileprivate var headJSON: JSONObject {
        var object = JSONObject()
        switch head {
        case .detached: object["head"] = "detached"
        case .branch(let name, let commit):
            object["head"] = commit == nil ? "unborn" : "branch"
            object.record(
                bytes: Array(name.starts(with: Self.heads) ? name.dropFirst(Self.heads.count) : name[...]), as: "branch"
            )
        }
        if let commit = head.commit { object["commit"] = .string(commit.text) }
        if let tree { object["tree"] = .string(tree.text) }
        if let signature { object["signature"] = ["kind": .string(Text(signature)), "verified": false] }
        return object
    }

    private static let heads = Array("refs/heads/".utf8)
}

extension GitStatus {
    fileprivate var json: JSONObject {
        var object: JSONObject = ["clean": .bool(isClean)]
        let lists: [(Text, GitPathList)] = [
            ("added", added), ("conflicted", conflicted), ("deleted", deleted), ("modified", modified),
            ("untracked", untracked),
        ]
        for (name, list) in lists where list.count > 0 { object[name] = list.json }
        let counts: [(Text, Int)] = [
            ("lfs-files", largeFiles), ("other-line-endings", otherLineEndings),
            ("not-compared-assume-unchanged", assumedUnchanged), ("not-compared-skip-worktree", skipped),
        ]
        for (name, count) in counts where count > 0 { object[name] = .integer(Int64(count)) }
        if !notes.isEmpty { object["notes"] = .array(notes.sorted().map { .string(Text($0)) }) }
        return object
    }
}

extension GitPathList {
    fileprivate var json: JSONValue {
        ["count": .integer(Int64(count)), "paths": .array(paths.map { .string(Text(repairing: $0)) })]
    }
}

extension GitRepositoryState.Tag {
    fileprivate var json: JSONValue {
        var json = JSONObject()
        json.record(bytes: name, as: "name")
        if let object { json["gitTag"] = .string(object.text) }
        return .object(json)
    }
}

extension GitRepositoryState.Remote {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.record(bytes: name, as: "name")
        object["urls"] = .array(urls.map { .string(Text(repairing: $0)) })
        return .object(object)
    }
}

extension GitSubmodule {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["commit": .string(commit.text)]
        object.record(bytes: path, as: "path")
        switch state {
        case .notCheckedOut: object["state"] = "not checked out"
        case .checkedOut(let head, let isClean):
            if let head { object["checked-out"] = .string(head.text) }
            object["clean"] = .bool(isClean)
        case .notRead(let reason): object["not-read"] = .string(Text(reason))
        }
        return .object(object)
    }
}
