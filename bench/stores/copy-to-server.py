"""Copies an MLflow database from SQLite to an empty database of PostgreSQL or MySQL.

    python copy-to-server.py mlflow.db postgresql+psycopg2://user:password@host/database
    python copy-to-server.py mlflow.db mysql+pymysql://user:password@host/database

The MLflow of the Python that executes it makes the tables; the one that made the SQLite database
has to be of the same version, so that the columns are the same.
"""

import io
import sqlite3
import sys

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

BATCH = 50_000  # rows
# Those that others refer to come first.
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


class PostgreSQL:
    prepare = []
    # Else rows are made visible, and statistics gathered, while the first readings are measured.
    finish = "VACUUM ANALYZE"

    @staticmethod
    def insert(target, table, names, rows):
        """By COPY, which takes 0 and 1 for a boolean as well."""
        lines = ("\t".join(map(text_of, row)) + "\n" for row in rows)
        target.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO("".join(lines)))


class MySQL:
    prepare = [
        # Else the default experiment's id, which is 0, would be taken for none.
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
        # SQLite has the same keys; to look at them again takes time only.
        "SET SESSION unique_checks = 0, foreign_key_checks = 0",
    ]
    finish = f"ANALYZE TABLE {', '.join(TABLES)}"

    @staticmethod
    def insert(target, table, names, rows):
        """The driver makes statements of many rows each of it."""
        places = ", ".join(["%s"] * len(rows[0]))
        target.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


SERVERS = {"postgresql": PostgreSQL, "mysql": MySQL}


def text_of(value):
    if value is None:
        return r"\N"
    escaped = str(value).replace("\\", r"\\")
    return escaped.replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def copy(source, table, quote, insert):
    columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    rows = source.execute(f"SELECT {', '.join(columns)} FROM {table}")
    names = ", ".join(map(quote, columns))
    while batch := rows.fetchmany(BATCH):
        insert(table, names, batch)


def main():
    _, database, uri = sys.argv
    engine = SqlAlchemyStore(uri, "s3://mlflow-artifacts").engine
    server = SERVERS[engine.dialect.name]
    source = sqlite3.connect(database)
    connection = engine.raw_connection()
    target = connection.cursor()
    for statement in [*server.prepare, "DELETE FROM experiments"]:
        target.execute(statement)
    for table in TABLES:
        copy(
            source,
            table,
            # `key` means something to MySQL.
            engine.dialect.identifier_preparer.quote,
            lambda *rows: server.insert(target, *rows),
        )
    connection.commit()
    connection.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as finishing:
        finishing.exec_driver_sql(server.finish)
    engine.dispose()


main()
