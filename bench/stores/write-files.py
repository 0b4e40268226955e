"""Writes what bulk.py has put into an MLflow database as MLflow's folder of files.

    python write-files.py mlflow.db mlruns

Folders, files and the fields of each meta.yaml are those of MLflow 3.17; 2.22 reads them, too.
MLflow's own client would look at a run's meta.yaml again for whatever it logs.
"""

import sqlite3
import sys
from pathlib import Path

import yaml

# As MLflow's enumerations number them.
STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
LOCAL = 4


def write_meta(folder, fields):
    folder.mkdir(parents=True)
    with open(folder / "meta.yaml", "w", encoding="utf-8") as file:
        yaml.dump(fields, file, yaml.CSafeDumper, default_flow_style=False, allow_unicode=True)


def write_files(folder, texts):
    folder.mkdir()
    for name, text in texts:
        with open(folder / name, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def write_experiment(folder, row):
    write_meta(
        folder,
        {
            "artifact_location": row["artifact_location"],
            "creation_time": row["creation_time"],
            "effective_trace_archival_retention": None,
            "experiment_id": str(row["experiment_id"]),
            "last_update_time": row["last_update_time"],
            "lifecycle_stage": row["lifecycle_stage"],
            "name": row["name"],
            "trace_location": None,
            "workspace": row["workspace"],
        },
    )


def write_run(folder, row, database):
    write_meta(
        folder,
        {
            "artifact_uri": row["artifact_uri"],
            "end_time": row["end_time"],
            "entry_point_name": "",
            "experiment_id": str(row["experiment_id"]),
            "lifecycle_stage": row["lifecycle_stage"],
            "run_id": row["run_uuid"],
            "run_name": row["name"],
            "source_name": "",
            "source_type": LOCAL,
            "source_version": "",
            "start_time": row["start_time"],
            "status": 1 + STATUSES.index(row["status"]),
            "tags": [],
            "user_id": row["user_id"],
        },
    )

    def select(columns, table):
        return database.execute(
            f"SELECT {columns} FROM {table} WHERE run_uuid = ?", (row["run_uuid"],)
        )

    write_files(folder / "params", select("key, value", "params"))
    write_files(folder / "tags", select("key, value", "tags"))
    write_files(
        folder / "metrics",
        (
            (key, f"{timestamp} {value} {step}\n")
            for key, timestamp, value, step in select(
                "key, timestamp, value, step", "latest_metrics"
            )
        ),
    )
    (folder / "artifacts").mkdir()


def write_model(folder, row):
    write_meta(
        folder,
        {
            "aliases": {},
            "creation_timestamp": row["creation_time"],
            "deployment_job_id": None,
            "deployment_job_state": None,
            "description": row["description"],
            "last_updated_timestamp": row["last_updated_time"],
            "name": row["name"],
            "workspace": row["workspace"],
        },
    )


def write_version(folder, row):
    write_meta(
        folder,
        {
            "creation_timestamp": row["creation_time"],
            "current_stage": row["current_stage"],
            "deployment_job_state": None,
            "description": row["description"],
            "last_updated_timestamp": row["last_updated_time"],
            "model_id": None,
            "name": row["name"],
            "run_id": row["run_id"],
            "run_link": row["run_link"],
            "source": row["source"],
            "status": row["status"],
            "status_message": row["status_message"],
            "storage_location": row["storage_location"],
            "user_id": row["user_id"],
            "version": row["version"],
            "workspace": row["workspace"],
        },
    )


def main():
    _, path, root = sys.argv
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    root = Path(root)
    for row in database.execute("SELECT * FROM experiments"):
        write_experiment(root / str(row["experiment_id"]), row)
    for row in database.execute("SELECT * FROM runs"):
        write_run(root / str(row["experiment_id"]) / row["run_uuid"], row, database)
    for row in database.execute("SELECT * FROM registered_models"):
        write_model(root / "models" / row["name"], row)
    for row in database.execute("SELECT * FROM model_versions"):
        write_version(root / "models" / row["name"] / f"version-{row['version']}", row)
    (root / ".trash").mkdir()


main()
