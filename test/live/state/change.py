"""Makes changes in an MLflow store, through MLflow's own client.

    echo prepare | python change.py http://127.0.0.1:5000

Reads the name of a change from each line of its input, makes it, and answers with a line: `null`,
or a traceback as JSON. `prepare` fills an empty store with what the others are about. Entities are
found by their names.
"""

import json
import logging
import os
import sys
import time
import traceback
import warnings

warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
from mlflow.entities import Dataset, DatasetInput, InputTag, RunStatus, ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

# MLflow prints and logs what it does.
answers, sys.stdout = sys.stdout, open(os.devnull, "w")
logging.getLogger("mlflow").setLevel(logging.WARNING)
uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
client = MlflowClient(tracking_uri=uri, registry_uri=uri)
ARTIFACTS = "s3://mlflow-artifacts"
DAY = 24 * 60 * 60 * 1000


def location(name):
    """Of an experiment's artifacts: with workspaces MLflow lets nobody say where they are."""
    return None if os.environ.get("MLFLOW_ENABLE_WORKSPACES") == "true" else f"{ARTIFACTS}/{name}"


def experiment(name):
    return client.get_experiment_by_name(name).experiment_id


def run(name, view=ViewType.ACTIVE_ONLY):
    ids = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ALL)]
    found = client.search_runs(ids, f"attributes.run_name = '{name}'", run_view_type=view)
    return found[0].info.run_id


def make_run(name, experiment_id, days_ago=0, finished=True, dataset=None):
    start = int(time.time() * 1000) - days_ago * DAY
    made = client.create_run(experiment_id, start_time=start, run_name=name)
    run_id = made.info.run_id
    client.log_param(run_id, "lr", "0.1")
    client.log_metric(run_id, "score", 1.0)
    client.set_tag(run_id, "team", "first")
    if dataset is not None:
        client.log_inputs(run_id, [dataset_input(dataset)])
    if finished:
        client.set_terminated(run_id, end_time=start + 1000)
    return run_id


def dataset_input(digest):
    dataset = Dataset("shared-data", digest, "local", '{"uri": "/data"}', schema=None, profile=None)
    return DatasetInput(dataset, [InputTag("described-by", digest)])


def make_version(model, run_id=None):
    return client.create_model_version(model, f"{ARTIFACTS}/{model}", run_id=run_id)


def prepare():
    one = client.create_experiment("one", location("one"))
    client.create_experiment("two", location("two"))
    client.create_experiment("renamed", location("renamed"))
    make_run("old", one, days_ago=30)
    make_run("older", one, days_ago=60)
    make_run("plain", one)
    make_run("running", one, days_ago=20, finished=False)
    make_run("describes-a", one, days_ago=3, dataset="a")
    make_run("describes-b", one, days_ago=2, dataset="b")
    make_run("to-delete", experiment("two"))
    make_run("kept", experiment("two"))
    make_run("of-renamed", experiment("renamed"), days_ago=40)
    client.create_registered_model("churn")
    make_version("churn", run("old"))
    make_version("churn")
    client.create_registered_model("to-delete")
    make_version("to-delete", run("plain"))


CHANGES = {
    "prepare": prepare,
    "nothing": lambda: None,
    "run-tag": lambda: client.set_tag(run("plain"), "team", "second"),
    "run-metric": lambda: client.log_metric(run("plain"), "score", 2.0, step=1),
    "run-param": lambda: client.log_param(run("plain"), "depth", "3"),
    "old-run-tag": lambda: client.set_tag(run("old"), "team", "second"),
    "new-run": lambda: make_run("new", experiment("one")),
    "new-running-run": lambda: make_run("fresh", experiment("one"), finished=False),
    "finish-run": lambda: client.set_terminated(run("running"), "FAILED"),
    "delete-run": lambda: client.delete_run(run("to-delete")),
    "restore-run": lambda: client.restore_run(run("to-delete", ViewType.DELETED_ONLY)),
    "model-description": lambda: client.update_registered_model("churn", "what it is for"),
    "model-tag": lambda: client.set_registered_model_tag("churn", "tier", "gold"),
    "version-description": lambda: client.update_model_version("churn", "1", "the first"),
    "version-tag": lambda: client.set_model_version_tag("churn", "1", "checked", "yes"),
    "version-stage": lambda: client.transition_model_version_stage("churn", "1", "Production"),
    "version-alias": lambda: client.set_registered_model_alias("churn", "best", "1"),
    "new-version": lambda: make_version("churn", run("older")),
    "delete-version": lambda: client.delete_model_version("churn", "3"),
    "delete-model": lambda: client.delete_registered_model("to-delete"),
    "new-model": lambda: client.create_registered_model("fresh"),
    "experiment-tag": lambda: client.set_experiment_tag(experiment("two"), "owner", "me"),
    "rename-experiment": lambda: client.rename_experiment(experiment("renamed"), "another name"),
    "new-experiment": lambda: client.create_experiment("fresh", location("fresh")),
    "delete-experiment": lambda: client.delete_experiment(experiment("two")),
    "restore-experiment": lambda: client.restore_experiment(
        next(
            each.experiment_id
            for each in client.search_experiments(view_type=ViewType.DELETED_ONLY)
            if each.name == "two"
        )
    ),
}

for line in sys.stdin:
    problem = None
    try:
        CHANGES[line.strip()]()
    except Exception:
        problem = traceback.format_exc()
    print(json.dumps(problem), file=answers, flush=True)
