"""Tells the story of one model, as a data scientist's notebook does: through MLflow's own client.

    python story.py http://127.0.0.1:5000

On standard output comes one JSON object with the ids of what was made.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
import pandas  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

MAJOR = int(mlflow.__version__.split(".")[0])

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()

experiment = mlflow.set_experiment("churn")
mlflow.set_experiment_tags({"team": "growth", "mlflow.note.content": "Who leaves next month?"})

customers = pandas.DataFrame(
    {
        "tenure": [1.0, 2.0, 3.0, 24.0, 36.0, 48.0],
        "calls": [9, 7, 8, 1, 0, 2],
        "left": [1, 1, 1, 0, 0, 0],
    }
)
features, label = customers[["tenure", "calls"]], customers["left"]
source = mlflow.data.from_pandas(
    customers, source="s3://lake/customers.parquet", targets="left", name="customers"
)

# Of what autologging finds, the model is logged by hand: with a signature, an example, and its name.
mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
CODE = {
    "mlflow.source.name": "train.py",
    "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567",
    "mlflow.source.git.repoURL": "https://github.com/example/churn.git",
}
with mlflow.start_run(run_name="search", tags={"mlflow.user": "ada"}) as parent:
    with mlflow.start_run(run_name="trial", nested=True, tags={"mlflow.user": "ada", **CODE}) as child:
        mlflow.log_input(source, context="training")
        model = LogisticRegression(C=0.5, max_iter=50).fit(features, label)
        mlflow.log_metric("recall", 1.0)
        logged = mlflow.sklearn.log_model(
            model,
            **({"name": "model"} if MAJOR >= 3 else {"artifact_path": "model"}),
            signature=infer_signature(features, model.predict(features)),
            input_example=features.head(2),
            pip_requirements=["scikit-learn"],  # else it runs the model once more to find out
            registered_model_name="churn",
        )

client.update_registered_model("churn", description="Who leaves, by logistic regression.")
client.set_registered_model_tag("churn", "tier", "gold")
client.update_model_version("churn", "1", description="The first that is any good.")
client.set_model_version_tag("churn", "1", "reviewed", "yes")
client.transition_model_version_stage("churn", "1", "Production")
client.set_registered_model_alias("churn", "champion", "1")

print(
    json.dumps(
        {
            "experimentId": experiment.experiment_id,
            "parentId": parent.info.run_id,
            "childId": child.info.run_id,
            "modelId": getattr(logged, "model_id", None),
        }
    )
)
