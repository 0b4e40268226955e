"""Copies an MLflow database from SQLite to an empty PostgreSQL database, by COPY.

    python copy-to-postgresql.py mlflow.db postgresql+psycopg2://user:password@host/database

The MLflow of the Python that executes it makes the tables.
"""

import io
import sqlite3
import sys

import psycopg2
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

TABLES = [
    "experiments",
    "experiment_tags",
    "runs",
    "params",
    "latest_metrics",
    "tags",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
    "datasets",
    "inputs",
    "input_tags",
]


def text_of(value, kind):
    if value is None:
        return r"\N"
    if kind == "boolean":
        return "t" if value else "f"
    escaped = str(value).replace("\\", r"\\")
    return escaped.replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def copy(source, target, table):
    target.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s",
        (table,),
    )
    kinds = dict(target.fetchall())
    columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})") if row[1] in kinds]
    if not columns:
        return
    names = ", ".join(columns)
    rows = source.execute(f"SELECT {names} FROM {table}")
    while batch := rows.fetchmany(50_000):
        lines = ("\t".join(map(text_of, row, map(kinds.get, columns))) + "\n" for row in batch)
        target.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO("".join(lines)))


def main():
    _, database, uri = sys.argv
    SqlAlchemyStore(uri, "s3://mlflow-artifacts").engine.dispose()
    source = sqlite3.connect(database)
    connection = psycopg2.connect(uri.replace("postgresql+psycopg2", "postgresql"))
    with connection, connection.cursor() as target:
        target.execute("DELETE FROM experiments")
        for table in TABLES:
            copy(source, target, table)
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")


main()
