"""Fills an MLflow database with many entities, by SQL, in seconds.

    python bulk.py mlflow.db --experiments 20 --runs 5000 --models 100 --versions 1000

The MLflow of the Python that executes it makes the tables, unless the file is there. Columns that
only some MLflow versions have are filled where they are. Each run has 10 parameters, 10 metrics and
8 tags, as a training that logs itself has.
"""

import argparse
import sqlite3
from pathlib import Path

START = 1_700_000_000_000  # milliseconds
ARTIFACTS = "s3://mlflow-artifacts"
OPTIMIZERS = ["adam", "sgd", "lamb", "adagrad"]
STAGES = ["None", "Staging", "Production", "Archived"]


class Tables:
    """Inserts rows by column name, leaving out the columns that this MLflow does not have."""

    def __init__(self, database):
        self.database = database

    def columns(self, table):
        return {row[1] for row in self.database.execute(f"PRAGMA table_info({table})")}

    def insert(self, table, rows):
        rows = list(rows)
        if not rows:
            return
        columns = [name for name in rows[0] if name in self.columns(table)]
        places = ", ".join("?" * len(columns))
        self.database.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
            ([row[name] for name in columns] for row in rows),
        )


def run_id(index):
    return f"{index:032x}"


def fill(tables, experiments, runs, models, versions, same_start):
    first = 1 + tables.database.execute("SELECT max(experiment_id) FROM experiments").fetchone()[0]
    tables.insert(
        "experiments",
        (
            {
                "experiment_id": first + index,
                "name": f"experiment-{index:04}",
                "artifact_location": f"{ARTIFACTS}/{index}",
                "lifecycle_stage": "active",
                "creation_time": START + index,
                "last_update_time": START + index,
                "workspace": "default",
            }
            for index in range(experiments)
        ),
    )
    tables.insert(
        "runs",
        (
            {
                "run_uuid": run_id(index),
                "name": f"run-{index:06}",
                "source_type": "LOCAL",
                "source_name": "train.py",
                "entry_point_name": "",
                "user_id": f"user-{index % 7}",
                "status": "FAILED" if index % 20 == 7 else "FINISHED",
                "start_time": START + max(index, same_start) * 1_000,
                "end_time": START + index * 1_000 + 60_000,
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": f"{ARTIFACTS}/{index % experiments}/{run_id(index)}/artifacts",
                "experiment_id": first + index % experiments,
            }
            for index in range(runs)
        ),
    )
    tables.insert(
        "params",
        (
            {"run_uuid": run_id(index), "key": key, "value": value}
            for index in range(runs)
            for key, value in [
                ("optimizer", OPTIMIZERS[index % 4]),
                ("seed", str(index)),
                *((f"layer_{layer}_width", str(2 ** (4 + (index + layer) % 6))) for layer in range(8)),
            ]
        ),
    )
    tables.insert(
        "latest_metrics",
        (
            {
                "run_uuid": run_id(index),
                "key": f"metric_{number}",
                "value": (index * 31 + number) % 997 / 997,
                "timestamp": START + index * 1_000 + 50_000,
                "step": 100,
                "is_nan": 0,
            }
            for index in range(runs)
            for number in range(10)
        ),
    )
    tables.insert(
        "tags",
        (
            {"run_uuid": run_id(index), "key": key, "value": value}
            for index in range(runs)
            for key, value in [
                ("mlflow.runName", f"run-{index:06}"),
                ("mlflow.user", f"user-{index % 7}"),
                ("mlflow.source.name", "train.py"),
                ("mlflow.source.type", "LOCAL"),
                ("team", f"team-{index % 5}"),
                ("git.branch", "main"),
                ("host", f"node-{index % 30}"),
                ("purpose", "sweep"),
            ]
        ),
    )
    tables.insert(
        "registered_models",
        (
            {
                "name": f"model-{index:05}",
                "creation_time": START + index,
                "last_updated_time": START + index,
                "description": f"Model number {index}.",
                "workspace": "default",
            }
            for index in range(models)
        ),
    )
    tables.insert(
        "model_versions",
        (
            {
                "name": f"model-{index % models:05}",
                "version": 1 + index // models,
                "creation_time": START + index,
                "last_updated_time": START + index,
                "description": "",
                "user_id": "",
                "current_stage": STAGES[index % 4],
                "source": f"{ARTIFACTS}/{run_id(index * 3 % runs)}/model",
                "run_id": run_id(index * 3 % runs) if runs and index % 50 else "",
                "status": "READY",
                "status_message": None,
                "run_link": "",
                "storage_location": None,
                "workspace": "default",
            }
            for index in range(versions)
        ),
    )


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("database", type=Path)
    for kind in ("experiments", "runs", "models", "versions"):
        arguments.add_argument(f"--{kind}", type=int, required=True)
    arguments.add_argument("--same-start", type=int, default=0, help="runs that start at one time")
    options = arguments.parse_args()
    if not options.database.exists():
        from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        uri = f"sqlite:///{options.database}"
        SqlAlchemyStore(uri, ARTIFACTS)
        Registry(uri)
    database = sqlite3.connect(options.database)
    fill(
        Tables(database),
        options.experiments,
        options.runs,
        options.models,
        options.versions,
        options.same_start,
    )
    database.commit()
    database.close()


if __name__ == "__main__":
    main()
