"""Writes to an MLflow store through MLflow's own client, and says how many writes went through.

    python write.py sqlite:///mlflow.db
"""

import sys
import warnings

warnings.filterwarnings("ignore")

from mlflow.tracking import MlflowClient  # noqa: E402

client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
experiment = client.create_experiment("written meanwhile", "s3://mlflow-artifacts/w")
written = 1
for number in range(5):
    run_id = client.create_run(experiment).info.run_id
    client.log_metric(run_id, "score", number)
    client.set_terminated(run_id)
    written += 3
print(written)
