internal import InTotoMetadata

extension CISystem {
    /// The systems that are known. Those that imitate another come before it.
    ///
    /// Where a system has no variable for something, nothing is recorded of it. Tekton sets no variables at all: its rows
    /// are those that a task hands down by these names, from `$(context.pipelineRun.name)` and its like.
    public static let all: [CISystem] = [
        forge("forgejo", when: "{FORGEJO_ACTIONS}"),
        forge("gitea", when: "{GITEA_ACTIONS}"),
        CISystem(
            "github", when: "{GITHUB_ACTIONS}",
            members: [
                "repository": ["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}"],
                "commit": ["{GITHUB_SHA}"],
                "ref": ["{GITHUB_REF}"],
                "workflow": ["{GITHUB_WORKFLOW_REF}", "{GITHUB_WORKFLOW}"],
                "workflow-commit": ["{GITHUB_WORKFLOW_SHA}"],
                "job": ["{GITHUB_JOB}"],
                "run-id": ["{GITHUB_RUN_ID}"],
                "run-attempt": ["{GITHUB_RUN_ATTEMPT}"],
                "run-url": [
                    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
                    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
                ],
                "runner": ["{RUNNER_NAME}"],
                "runner-kind": ["{RUNNER_ENVIRONMENT}"],
                "trigger": ["{GITHUB_EVENT_NAME}"],
            ]),
        CISystem(
            "gitlab", when: "{GITLAB_CI}",
            members: [
                "repository": ["{CI_PROJECT_URL}"],
                "commit": ["{CI_COMMIT_SHA}"],
                "ref": [
                    "refs/tags/{CI_COMMIT_TAG}", "refs/heads/{CI_COMMIT_BRANCH}", "{CI_MERGE_REQUEST_REF_PATH}",
                    "{CI_COMMIT_REF_NAME}",
                ],
                "workflow": ["{CI_CONFIG_PATH}"],
                "job": ["{CI_JOB_NAME}"],
                "job-id": ["{CI_JOB_ID}"],
                "job-url": ["{CI_JOB_URL}"],
                "run-id": ["{CI_PIPELINE_ID}"],
                "run-url": ["{CI_PIPELINE_URL}"],
                "runner": ["{CI_RUNNER_DESCRIPTION}", "{CI_RUNNER_ID}"],
                "trigger": ["{CI_PIPELINE_SOURCE}"],
            ]),
        CISystem(
            "buildkite", when: "{BUILDKITE}",
            members: [
                "repository": ["{BUILDKITE_REPO}"],
                "commit": ["{BUILDKITE_COMMIT}"],
                "ref": ["refs/tags/{BUILDKITE_TAG}", "{BUILDKITE_BRANCH}"],
                "workflow": ["{BUILDKITE_ORGANIZATION_SLUG}/{BUILDKITE_PIPELINE_SLUG}"],
                "job": ["{BUILDKITE_STEP_KEY}", "{BUILDKITE_LABEL}"],
                "job-id": ["{BUILDKITE_JOB_ID}"],
                "run-id": ["{BUILDKITE_BUILD_ID}"],
                "run-attempt": ["{BUILDKITE_RETRY_COUNT}"],
                "run-url": ["{BUILDKITE_BUILD_URL}"],
                "runner": ["{BUILDKITE_AGENT_NAME}"],
                "trigger": ["{BUILDKITE_SOURCE}"],
            ]),
        CISystem(
            "circleci", when: "{CIRCLECI}",
            members: [
                "repository": ["{CIRCLE_REPOSITORY_URL}"],
                "commit": ["{CIRCLE_SHA1}"],
                "ref": ["refs/tags/{CIRCLE_TAG}", "{CIRCLE_BRANCH}"],
                "job": ["{CIRCLE_JOB}"],
                "job-id": ["{CIRCLE_WORKFLOW_JOB_ID}", "{CIRCLE_BUILD_NUM}"],
                "job-url": ["{CIRCLE_BUILD_URL}"],
                "run-id": ["{CIRCLE_WORKFLOW_ID}"],
            ]),
        CISystem(
            "azure", when: "{TF_BUILD}",
            members: [
                "repository": ["{BUILD_REPOSITORY_URI}"],
                "commit": ["{BUILD_SOURCEVERSION}"],
                "ref": ["{BUILD_SOURCEBRANCH}"],
                "workflow": ["{BUILD_DEFINITIONNAME}"],
                "job": ["{SYSTEM_JOBDISPLAYNAME}", "{AGENT_JOBNAME}"],
                "job-id": ["{SYSTEM_JOBID}"],
                "run-id": ["{BUILD_BUILDID}"],
                "run-attempt": ["{SYSTEM_JOBATTEMPT}"],
                "run-url": [
                    "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
                    "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
                ],
                "runner": ["{AGENT_NAME}"],
                "trigger": ["{BUILD_REASON}"],
            ]),
        CISystem(
            "bitbucket", when: "{BITBUCKET_BUILD_NUMBER}",
            members: [
                "repository": ["{BITBUCKET_GIT_HTTP_ORIGIN}"],
                "commit": ["{BITBUCKET_COMMIT}"],
                "ref": ["refs/tags/{BITBUCKET_TAG}", "refs/heads/{BITBUCKET_BRANCH}"],
                "job-id": ["{BITBUCKET_STEP_UUID}"],
                "run-id": ["{BITBUCKET_PIPELINE_UUID}", "{BITBUCKET_BUILD_NUMBER}"],
                "run-attempt": ["{BITBUCKET_STEP_RUN_NUMBER}"],
                "run-url": [
                    "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}"
                ],
            ]),
        CISystem(
            "tekton", when: "{TEKTON_PIPELINE_RUN}", "{TEKTON_TASK_RUN}",
            members: [
                "repository": ["{TEKTON_REPO_URL}"],
                "commit": ["{TEKTON_COMMIT_SHA}"],
                "ref": ["{TEKTON_REF}", "{TEKTON_BRANCH}"],
                "workflow": ["{TEKTON_NAMESPACE}/{TEKTON_PIPELINE}", "{TEKTON_PIPELINE}"],
                "job": ["{TEKTON_TASK}"],
                "job-id": ["{TEKTON_TASK_RUN}"],
                "run-id": ["{TEKTON_PIPELINE_RUN}", "{TEKTON_TASK_RUN}"],
                "trigger": ["{TEKTON_EVENT_TYPE}"],
            ]),
        CISystem(
            "jenkins", when: "{JENKINS_URL}{BUILD_ID}",
            members: [
                "repository": ["{GIT_URL}", "{GIT_URL_1}"],
                "commit": ["{GIT_COMMIT}"],
                "ref": ["refs/tags/{TAG_NAME}", "{BRANCH_NAME}", "{GIT_BRANCH}"],
                "workflow": ["{JOB_NAME}"],
                "job": ["{STAGE_NAME}"],
                "job-url": ["{JOB_URL}"],
                "run-id": ["{BUILD_ID}"],
                "run-url": ["{BUILD_URL}"],
                "runner": ["{NODE_NAME}"],
                "change": ["{CHANGE_URL}", "{CHANGE_ID}"],
            ]),
    ]

    /// Forgejo and Gitea speak GitHub's language, but number the addresses of runs by repository.
    private static func forge(_ name: Text, when sign: String) -> CISystem {
        CISystem(
            name, when: sign,
            members: [
                "repository": ["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}"],
                "commit": ["{GITHUB_SHA}"],
                "ref": ["{GITHUB_REF}"],
                "workflow": ["{GITHUB_WORKFLOW}"],
                "job": ["{GITHUB_JOB}"],
                "run-id": ["{GITHUB_RUN_ID}"],
                "run-attempt": ["{GITHUB_RUN_ATTEMPT}"],
                "run-url": ["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}"],
                "runner": ["{RUNNER_NAME}"],
                "trigger": ["{GITHUB_EVENT_NAME}"],
            ])
    }
}
