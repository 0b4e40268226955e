"""Creates, edits and deletes runs in an MLflow store until it is told to stop.

    python churn.py http://127.0.0.1:5000 FOLDER

Makes the file `started` in the folder when it has begun, and ends when `stop` is there. Prints how
many it created and deleted.
"""

import os
import random
import sys
import time
import warnings

warnings.filterwarnings("ignore")

from mlflow.tracking import MlflowClient  # noqa: E402

client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
experiments = [each.experiment_id for each in client.search_experiments()]
runs = [run.info.run_id for run in client.search_runs(experiments, max_results=500)]
random.seed(7)
created = deleted = 0
open(os.path.join(sys.argv[2], "started"), "w").close()
while not os.path.exists(os.path.join(sys.argv[2], "stop")):
    made = client.create_run(random.choice(experiments))
    client.set_tag(made.info.run_id, "churned", str(created))
    client.set_terminated(made.info.run_id)
    runs.append(made.info.run_id)
    created += 1
    # The oldest stand on the first pages, and shift all that follow.
    for _ in range(2):
        if len(runs) > 50:
            client.delete_run(runs.pop(random.randrange(len(runs))))
            deleted += 1
    client.set_tag(random.choice(runs), "edited", str(time.time()))
print(created, deleted)
