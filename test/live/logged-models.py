"""Makes logged models of MLflow 3 as training and evaluation leave them, and awkward ones.

    python logged-models.py http://127.0.0.1:5000

On standard output comes one JSON object: ids by what they are.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

START = 1_700_000_000_000  # milliseconds

AWKWARD = {
    "__proto__": "polluted",
    "empty": "",
    "unicode": "Zürich · 東京 🚀",
    "dots.and-dashes_and/slashes": "a=b&c=d",
    "json": '{"nested": [1, null]}',
}


def main():
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, RunStatus, RunTag
    from mlflow.tracking import MlflowClient

    uri = sys.argv[1]
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    store = client._tracking_client.store
    ids = {}

    def run(experiment, name, start):
        made = store.create_run(
            experiment_id=experiment, user_id="ada", start_time=START + start,
            tags=[RunTag("mlflow.user", "ada")], run_name=name,
        ).info.run_id
        store.update_run_info(made, RunStatus.FINISHED, START + start + 1000, None)
        return made

    def logged(name, status="READY", **rest):
        made = client.create_logged_model(name=name, **rest).model_id
        if status is not None:
            client.finalize_logged_model(made, status)
        return made

    def measure(run_id, model, key, value, step=0, dataset=None, digest=None):
        client.log_metric(
            run_id, key, value, timestamp=START + step, step=step, model_id=model,
            dataset_name=dataset, dataset_digest=digest,
        )

    experiment = client.create_experiment("logged models")
    train = run(experiment, "training", 0)
    client.log_param(train, "depth", "3")
    model = logged(
        "churn", experiment_id=experiment, source_run_id=train, model_type="classifier",
        tags={"flavour": "sklearn", **AWKWARD}, params={"depth": "3", "empty": ""},
    )
    client.log_outputs(train, [LoggedModelOutput(model, 0)])
    for step in range(12):  # the last step counts, in whichever order they came
        measure(train, model, "loss", step * 5 % 12 / 8, step * 5 % 12)
    measure(train, model, "f1", 0.5, dataset="training", digest="d1")
    for key, value in (("infinity", float("inf")), ("not a number", float("nan")), ("tiny", 5e-324)):
        measure(train, model, key, value)

    evaluation = run(experiment, "evaluation", 5000)
    client.log_inputs(evaluation, models=[LoggedModelInput(model)])
    measure(evaluation, model, "f1", 0.25, dataset="test", digest="d2")
    measure(evaluation, model, "f1", 0.125, step=3, dataset="test", digest="d2")

    ids.update(experiment=experiment, train=train, evaluation=evaluation, churn=model)
    ids["bare"] = logged("bare", experiment_id=experiment, params={"k": "v"})
    measure(evaluation, ids["bare"], "f1", 0.75)
    ids["pending"] = logged("pending", None, experiment_id=experiment, source_run_id=train)
    ids["failed"] = logged("failed", "FAILED", experiment_id=experiment)
    ids["deleted"] = logged("deleted", experiment_id=experiment, source_run_id=train)

    for name, source in (("churn", model), ("bare", ids["bare"]), ("deleted", ids["deleted"])):
        client.create_registered_model(name)
        client.create_model_version(name, f"models:/{source}", model_id=source)
    client.delete_logged_model(ids["deleted"])

    for number in range(25):
        logged(f"many {number}", experiment_id=experiment, params={"n": str(number)})

    gone = client.create_experiment("deleted experiment")
    ids["in deleted experiment"] = logged("of a deleted experiment", experiment_id=gone)
    client.delete_experiment(gone)
    print(json.dumps(ids))


if __name__ == "__main__":
    main()
