"""Fills an MLflow store with content that is awkward but legal, through MLflow's own client.

    python seed.py http://127.0.0.1:5000
    python seed.py sqlite:///mlflow.db --part both --reproducible
    python seed.py http://127.0.0.1:5000 --part unreadable

Part `common` is what DataHub's own connector can read too. Part `unreadable` is legal content at
which that connector ends its whole run, so it is written after the connector had its turn.

Runs on every MLflow from 1.27.0 on, whose Python must execute it. On standard output comes one
JSON object: what was made, by kind, and `refused`: what this MLflow would not take, by name.
Anything else that fails ends the script with an error.
"""

import argparse
import inspect
import json
import os
import random
import sqlite3
import time
import uuid
import warnings

warnings.filterwarnings("ignore")

START = 1_700_000_000_000  # milliseconds; every run's time counts from here
now = [START / 1000]  # seconds; what the clock says where it is set, see make_reproducible
ARTIFACTS = "s3://mlflow-artifacts"

# Keys that an object in JavaScript has already, and that Python and SQL may trip over.
AWKWARD_KEYS = {
    "__proto__": "polluted",
    "constructor": "not a function",
    "toString": "",
    "hasOwnProperty": "1",
    "with space": " padded ",
    "dots.and-dashes_and/slashes": "a=b&c=d",
}
AWKWARD_VALUES = {
    "unicode": "Zürich · 東京 · Ελλάδα",
    "emoji": "🚀👩🏽‍🔬",
    "quotes": "she said \"it's `fine`\"",
    "markup": "<b>bold</b> & [link](javascript:alert(1))",
    "lines": "first\nsecond\r\nthird\tand a tab",
    "backslash": "C:\\models\\new",
    "json": '{"nested": {"list": [1, 2, null]}}',
    "percent": "100 % %2C %28 %",
    "separators": "a,b(c)d;e\u241ff",
    "invisible": "zero\u200bwidth \u202eright-to-left",
}
EXPERIMENT_NAMES = [
    "plain",
    "with spaces  twice",
    "comma, (parentheses) and 100%",
    "already%20encoded%2C",
    "quotes ' \" `",
    "Zürich 東京 🚀",
    "a/b/c#d?e=f&g",
    "\u241f unit separator",
    "constructor",
    "__proto__",
]
MODEL_NAMES = [
    "plain",
    "with spaces",
    "comma, (parentheses) and 100%",
    "already%20encoded%2C",
    "Zürich 東京 🚀",
    "hash#question?amp&",
    "__proto__",
    "constructor",
    "UPPER-and.lower_1",
    "plain_1",  # with the default separator its version 1 is near plain's version 1_1
]
SLASHED_MODEL = "team/area:model"  # MLflow 3 refuses it
METRICS = {
    "zero": 0.0,
    "negative_zero": -0.0,
    "one": 1.0,
    "third": 1 / 3,
    "integer_like": 123456789.0,
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus_infinity": float("-inf"),
    "below_fixed_point": 1e-5,
    "lowest_fixed_point": 1e-4,
    "highest_fixed_point": 1e15,
    "above_fixed_point": 1e16,
    "beyond_safe_integer": 9007199254740993.0,
    "js_switches_here": 1e21,
    "huge": 1.7976931348623157e308,
    "smallest_normal": 2.2250738585072014e-308,
    "denormal": 5e-324,
    "tenth_and_fifth": 0.1 + 0.2,
    "negative": -123.456e-7,
}


class Seed:
    def __init__(self, uri):
        import mlflow
        from mlflow.tracking import MlflowClient

        # A database's own code looks logged models up where everybody's client does.
        mlflow.set_tracking_uri(uri)
        if uri.startswith("sqlite:"):
            # Made here, so that the experiment "Default" gets a location that names no machine.
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            SqlAlchemyStore(uri, ARTIFACTS)
        self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        self.store = self.client._tracking_client.store
        self.made = {"experiments": 0, "runs": 0, "models": 0, "versions": 0, "aliases": 0}
        self.refused = []
        self.clock = 0

    def attempt(self, name, action):
        """Does what some MLflow versions refuse; what they refuse is reported, not hidden."""
        from mlflow.exceptions import MlflowException

        try:
            return action()
        except (MlflowException, AttributeError, ImportError) as error:
            if isinstance(error, MlflowException) and "INTERNAL" in str(error.error_code):
                raise
            if name not in self.refused:
                self.refused.append(name)
            return None

    def tag(self, setter, target, key, value):
        """MLflow 1.27 takes no empty values over REST."""
        if value:
            setter(target, key, value)
        else:
            self.attempt("empty tag", lambda: setter(target, key, value))

    def experiment(self, name, tags=()):
        now[0] += 1
        number = self.made["experiments"]
        made = self.client.create_experiment(name, location(f"e{number}"))
        for key, value in dict(tags).items():
            self.tag(self.client.set_experiment_tag, made, key, value)
        self.made["experiments"] += 1
        return made

    def run(self, experiment, name=None, user="ada", start=None, status="FINISHED", minutes=10):
        """A run as the client makes it, but with any start time, also none at all (0)."""
        from mlflow.entities import RunStatus, RunTag

        self.clock += 60_000
        start = START + self.clock if start is None else start
        tags = [RunTag("mlflow.runName", name)] if name is not None else []
        if user is not None:
            tags.append(RunTag("mlflow.user", user))
        named = {"run_name": name} if takes(self.store.create_run, "run_name") else {}
        made = self.store.create_run(
            experiment_id=experiment, user_id=user, start_time=start, tags=tags, **named
        )
        run_id = made.info.run_id
        if status != "RUNNING":
            named = {"run_name": None} if takes(self.store.update_run_info, "run_name") else {}
            self.store.update_run_info(
                run_id,
                RunStatus.from_string(status),
                start + minutes * 60_000 if status != "SCHEDULED" else None,
                **named,
            )
        self.made["runs"] += 1
        return run_id

    def model(self, name, description=None, tags=()):
        now[0] += 1
        self.client.create_registered_model(name, tags=dict(tags), description=description)
        self.made["models"] += 1

    def version(self, model, run_id, stage=None, description=None, tags=()):
        now[0] += 1
        made = self.client.create_model_version(
            model, f"{ARTIFACTS}/{run_id or 'imported'}/model", run_id=run_id, tags=dict(tags),
            description=description,
        ).version
        if stage:
            self.client.transition_model_version_stage(model, made, stage)
        self.made["versions"] += 1
        return made

    def alias(self, model, alias, version):
        self.client.set_registered_model_alias(model, alias, version)
        self.made["aliases"] += 1

    # What every MLflow takes, and DataHub's own connector can read.
    def common(self):
        experiments = {}
        for name in EXPERIMENT_NAMES:  # a store of files takes no name with quotes
            made = self.attempt(
                f"experiment {name}",
                lambda name=name: self.experiment(
                    name, {"mlflow.note.content": f"Note of {name}.", "team": "core", "empty": ""}
                ),
            )
            if made is not None:
                experiments[name] = made
        self.tag(self.client.set_experiment_tag, experiments["plain"], "mlflow.note.content", "")
        for key, value in {**AWKWARD_KEYS, **AWKWARD_VALUES}.items():
            self.tag(self.client.set_experiment_tag, experiments["__proto__"], key, value)

        plain = experiments["plain"]
        first = self.run(plain, "first run")
        for key, value in {**AWKWARD_KEYS, **AWKWARD_VALUES}.items():
            self.tag(self.client.set_tag, first, key, value)
            if value:
                self.client.log_param(first, key, value)
        self.attempt("empty parameter", lambda: self.client.log_param(first, "empty", ""))
        for index, (key, value) in enumerate(METRICS.items()):
            self.client.log_metric(first, key, value, timestamp=START + index, step=index)
        for key in ("__proto__", "constructor", "with space"):
            self.client.log_metric(first, key, 0.5, timestamp=START)
        for step in range(12):  # the last step counts, in whichever order they came
            shuffled = step * 5 % 12
            self.client.log_metric(
                first, "steps", shuffled / 8, timestamp=START + shuffled, step=shuffled
            )
        self.client.log_metric(first, "negative step", -1.5, timestamp=START, step=-3)
        for value in (float("nan"), float("inf"), 0.5, float("-inf")):  # all at one time
            self.client.log_metric(first, "ties", value, timestamp=START, step=1)
        self.client.log_metric(first, "ties", 1.0, timestamp=START, step=2)

        long = self.run(plain, "long values")
        for length in (250, 500, 6000):
            self.attempt(
                f"parameter of {length} characters",
                lambda length=length: self.client.log_param(long, f"long_{length}", "x" * length),
            )
        self.client.log_param(long, "k" * 250, "longest key")
        self.client.set_tag(long, "long_tag", "y" * 5000)

        outer = self.run(plain, "outer")
        inner = self.run(plain, "inner")
        self.client.set_tag(inner, "mlflow.parentRunId", outer)
        self.client.set_tag(inner, "mlflow.source.git.repoURL", "git@github.com:team/churn.git")
        self.client.set_tag(inner, "mlflow.source.git.commit", "1a2b3c4d")

        # As a client notes a model that it logs: MLflow 1 with its signature, and 3 not at all.
        inputs = [{"name": "age", "type": "long"}, {"name": "amount, (net)", "type": "double"}]
        noted = {
            "run_id": inner,
            "artifact_path": "model",
            "flavors": {"sklearn": {}, "python_function": {"python_version": "3.11.7"}},
            "mlflow_version": "1.28.0",
            "signature": {"inputs": json.dumps(inputs), "outputs": '[{"type": "double"}]'},
        }
        self.client.set_tag(inner, "mlflow.log-model.history", json.dumps([noted]))

        for status in ("RUNNING", "SCHEDULED", "FAILED", "KILLED"):
            self.run(plain, f"{status.lower()} run", status=status)
        nameless = self.run(plain, name=None)
        self.run(plain, "no time passed", minutes=0)
        self.run(plain, "no start time", start=0)
        self.run(plain, "nobody's", user="")
        for user in ("Zoë (ml), 東京", "o'brien", "datahub", "ada"):
            self.run(plain, f"run of {user}", user=user)
        for name in list(experiments)[1:]:
            self.run(experiments[name], name)
        deleted = self.run(plain, "deleted, with a version")
        self.client.log_param(deleted, "still", "here")
        self.client.log_metric(deleted, "score", 0.25, timestamp=START)
        self.client.delete_run(self.run(plain, "deleted"))
        gone = self.experiment("deleted experiment")
        orphan = self.run(gone, "in a deleted experiment")

        # A store of files has a registry since MLflow 2.
        self.attempt("registry", lambda: self.models(first, nameless, inner, deleted, orphan))
        self.client.delete_run(deleted)
        self.client.delete_experiment(gone)
        self.attempt("dataset inputs", lambda: self.datasets(experiments))
        self.attempt("prompts", self.prompts)
        self.attempt("logged models", lambda: self.logged_models(plain, first))

    def models(self, first, nameless, inner, deleted, orphan):
        self.model("bare")  # no description, no tag, no version
        for name in MODEL_NAMES:  # a store of files takes no percent sign
            self.attempt(
                f"model {name}",
                lambda name=name: (
                    self.model(name, f"About {name}.", {"owner": "ada", "empty": ""}),
                    self.version(name, first, description=f"First version of {name}."),
                ),
            )
        # Not in MODEL_NAMES: MLflow 3 takes no such name.
        self.attempt(
            "model with a slash",
            lambda: (self.model(SLASHED_MODEL), self.version(SLASHED_MODEL, first)),
        )

        self.model("stages", "One version in each stage, and an unstaged one.")
        for stage in ("Archived", "Production", "Staging", None):
            self.version("stages", inner, stage)
        self.client.transition_model_version_stage(
            "stages", self.version("stages", None, "Staging"), "None"
        )

        self.model("many versions")
        for number in range(12):  # the highest is 12; as text it would be 9
            self.version("many versions", nameless if number % 2 else inner)
        self.client.transition_model_version_stage("many versions", "3", "Production")
        self.client.delete_model_version("many versions", "12")
        self.client.delete_model_version("many versions", "5")

        self.model("without runs")
        self.version("without runs", None, description="Imported.")
        self.version("without runs", deleted, "Staging", "Its run was deleted.")
        self.version("without runs", orphan, description="Its run's experiment was deleted.")
        self.version("without runs", None, tags={**AWKWARD_KEYS, **AWKWARD_VALUES})

        self.model("tagged", "Line one\nline two\n\n* a list", {**AWKWARD_KEYS, **AWKWARD_VALUES})
        self.version("tagged", first, description="", tags={"empty": ""})
        self.attempt(
            "tag with a colon",
            lambda: self.client.set_model_version_tag("tagged", "1", "a:b", "c:d"),
        )

        for name in ("plain", "stages", "comma, (parentheses) and 100%"):
            self.attempt(f"alias of {name}", lambda name=name: self.alias(name, "champion", "1"))
        for alias in ("zeta", "alpha", "constructor", "Under_score-1"):
            self.attempt(f"alias {alias}", lambda alias=alias: self.alias("stages", alias, "2"))

    def datasets(self, experiments):
        from mlflow.entities import Dataset, DatasetInput, InputTag

        columns = {
            "mlflow_colspec": [
                {"type": "long", "name": "id", "required": True},
                {"type": "double", "name": "amount, (net)", "required": False},
                {"type": "string", "name": "__proto__", "required": True},
                {"type": "datetime", "name": "at"},
            ]
        }
        unnamed = {"mlflow_colspec": [{"type": "double"}, {"type": "string"}]}
        tensors = {
            "mlflow_tensorspec": {
                "features": '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]',
                "targets": None,
            }
        }
        named_tensors = {
            "mlflow_tensorspec": {
                "features": '[{"name": "pixels", "type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, 28, 28]}}]',
                "targets": '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]',
            }
        }
        nested = {
            "mlflow_colspec": [
                {"type": "array", "items": {"type": "string"}, "name": "words", "required": True},
                {
                    "type": "object",
                    "properties": {"a": {"type": "long", "required": True}},
                    "name": "thing",
                    "required": True,
                },
            ]
        }

        def use(name, kind, schema=columns, digest="d1", tags=("training",), source="{}"):
            schema = schema if schema is None or isinstance(schema, str) else json.dumps(schema)
            return DatasetInput(
                Dataset(name, digest, kind, source, schema, '{"num_rows": 10}'),
                [InputTag("mlflow.data.context", context) for context in tags],
            )

        made = {}
        for kind in (
            "local", "code", "s3", "gs", "http", "hugging_face", "delta_table", "spark",
            "postgres", "snowflake", "S3", "unheard_of",
        ):
            made[kind] = self.run(experiments["constructor"], f"reads {kind}")
            self.client.log_inputs(made[kind], [use(f"{kind} data", kind, source='{"uri": "x"}')])

        mixed = self.run(experiments["constructor"], "reads many")
        self.client.log_inputs(
            mixed,
            [
                use("comma, (parentheses) and 100%", "s3"),
                use("Zürich 東京 🚀", "local"),
                use("unnamed columns", "local", unnamed),
                use("tensors", "s3", tensors),
                use("named tensors", "local", named_tensors),
                use("nested", "local", nested),
                use("not json", "local", "{not json"),
                use("json but no object", "local", "{}"),
                use("no tag", "gs", tags=()),
            ],
        )
        extra = use("more tags", "s3")
        extra = DatasetInput(
            extra.dataset,
            [InputTag("mlflow.data.context", "evaluation"), InputTag("__proto__", "x")],
        )
        self.client.log_inputs(mixed, [extra])

        # Two runs describe one dataset differently; the later one should win.
        later = {"mlflow_colspec": [*columns["mlflow_colspec"], {"type": "long", "name": "later"}]}
        for name, schema, digest in (("earlier", columns, "d1"), ("later", later, "d2")):
            run_id = self.run(experiments["plain"], f"describes it {name}")
            self.client.log_inputs(
                run_id, [use("shared", "s3", schema, digest, tags=(name,)), use("s3 data", "s3")]
            )
        # The same name under two kinds of source.
        for kind in ("local", "gs"):
            run_id = self.run(experiments["plain"], f"two sources, {kind}")
            self.client.log_inputs(run_id, [use("two sources", kind, digest=kind)])

    def prompts(self):
        self.client.register_prompt(name="a-prompt", template="Say {{word}}.")

    def logged_models(self, experiment, run_id):
        made = self.client.create_logged_model(
            experiment, name="logged", source_run_id=run_id, tags={"empty": ""},
            params={"depth": "3"}, model_type="agent",
        )
        self.client.finalize_logged_model(made.model_id, "READY")
        # Made by no run, registered and measured later.
        made = self.client.create_logged_model(
            experiment, name="imported", params={"depth": "4"},
        ).model_id
        self.client.finalize_logged_model(made, "READY")
        self.client.log_metric(run_id, "imported f1", 0.5, timestamp=START, model_id=made)
        self.model("of a logged model")
        self.client.create_model_version("of a logged model", f"models:/{made}", model_id=made)
        self.made["versions"] += 1

    # Legal too, but DataHub's own connector ends its whole run here.
    def unreadable(self):
        experiment = self.experiment("added later")
        run_id = self.run(experiment, "added later")
        name = "o'brien's \"best\" `model`"
        self.model(name, "A name with quotes.")
        self.version(name, run_id)
        self.version(name, None, "Production")
        self.attempt("dataset without schema", lambda: self.schemaless(run_id))

    def schemaless(self, run_id):
        from mlflow.entities import Dataset, DatasetInput

        self.client.log_inputs(
            run_id, [DatasetInput(Dataset("schemaless", "d1", "s3", "{}", None, None), [])]
        )


def location(name):
    """Of an experiment's artifacts: with workspaces MLflow lets nobody say where they are."""
    return None if os.environ.get("MLFLOW_ENABLE_WORKSPACES") == "true" else f"{ARTIFACTS}/{name}"


def takes(function, parameter):
    return parameter in inspect.signature(function).parameters


def make_reproducible():
    """Sets the clock and the ids, so that a database made here is the same each time."""
    chance = random.Random(7)
    time.time = lambda: now[0]
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    random.seed(7)


def compact(uri):
    database = sqlite3.connect(uri[len("sqlite:///") :])
    database.execute("PRAGMA page_size = 1024")
    database.execute("VACUUM")
    database.close()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("uri")
    arguments.add_argument("--part", choices=["common", "unreadable", "both"], default="common")
    arguments.add_argument("--reproducible", action="store_true")
    options = arguments.parse_args()
    if options.reproducible:
        make_reproducible()
    seed = Seed(options.uri)
    if options.part != "unreadable":
        seed.common()
    if options.part != "common":
        seed.unreadable()
    if options.reproducible:
        compact(options.uri)
    print(json.dumps({**seed.made, "refused": seed.refused}))


if __name__ == "__main__":
    main()
