"""Makes prompts as MLflow's own client does, beside a model, and runs that used them.

    python prompts.py http://127.0.0.1:5000

On standard output comes one JSON object: ids of runs by what they used, and the version that they did.
"""

import inspect
import json
import sys
import warnings

warnings.filterwarnings("ignore")


def main():
    import mlflow
    from mlflow.tracking import MlflowClient

    uri = sys.argv[1]
    mlflow.set_tracking_uri(uri)  # linking does not go by the client's own
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("with prompts")
    run = client.create_run(experiment).info.run_id
    client.create_registered_model("zebra")
    client.create_model_version("zebra", "s3://bucket/zebra", run)

    client.register_prompt(name="ask", template="Say {{word}}.")
    told = inspect.signature(client.register_prompt).parameters
    tags = "version_metadata" if "version_metadata" in told else "tags"  # MLflow 2, and 3
    client.register_prompt(
        name="ask", template="Please say {{word}}.", commit_message="More polite.",
        **{tags: {"team": "core"}},
    )
    client.set_prompt_alias("ask", "live", 2)
    for number in range(25):
        client.register_prompt(name=f"many {number}".replace(" ", "-"), template="x" * 3000)
    if hasattr(client, "log_prompt"):  # MLflow 2: the version names its runs
        client.log_prompt(run, "prompts:/ask/2")
    else:
        client.link_prompt_version_to_run(run, "prompts:/ask/2")
    print(json.dumps({"run": run}))


if __name__ == "__main__":
    main()
