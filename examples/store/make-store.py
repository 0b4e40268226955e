"""Makes mlflow.db, the database that the pipeline reads when nothing is configured.

It is written by MLflow itself, through its own client, so it is what a real MLflow leaves behind.
The clock and the ids are set here, so the same MLflow makes the same content each time.

    python -m pip install mlflow==3.17.2
    python make-store.py
"""

import json
import os
import random
import sqlite3
import sys
import time
import uuid
from pathlib import Path

TARGET = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("mlflow.db"))
ARTIFACTS = "s3://acme-mlflow/artifacts"

# Set before MLflow is imported: its entities take the clock and their ids from these.
chance = random.Random(20260301)
now = [1_772_355_600.0]  # 2026-03-01 09:00 UTC, seconds


def tick(seconds=1.0):
    now[0] += seconds


time.time = lambda: now[0]
uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow import MlflowClient  # noqa: E402
from mlflow.data.http_dataset_source import HTTPDatasetSource  # noqa: E402
from mlflow.data.meta_dataset import MetaDataset  # noqa: E402
from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: E402
from mlflow.types import ColSpec, DataType, Schema  # noqa: E402

if TARGET.exists():
    TARGET.unlink()
uri = f"sqlite:///{TARGET}"
SqlAlchemyStore(uri, ARTIFACTS)  # creates the tables and the experiment "Default"
client = MlflowClient(tracking_uri=uri, registry_uri=uri)


def millis():
    return int(now[0] * 1000)


def experiment(name, note, **tags):
    tick(60)
    return client.create_experiment(
        name,
        artifact_location=f"{ARTIFACTS}/{name}",
        tags={"mlflow.note.content": note, **tags},
    )


def columns(**types):
    return Schema([ColSpec(type=getattr(DataType, kind), name=name) for name, kind in types.items()])


def dataset(name, kind, source, schema, rows):
    """A dataset of any kind of source, described without reading a byte of it."""
    return Dataset(
        name=name,
        digest=f"{uuid.uuid5(uuid.NAMESPACE_URL, name + kind).int % 16**8:08x}",
        source_type=kind,
        source=json.dumps(source),
        schema=json.dumps({"mlflow_colspec": schema.to_dict()}),
        profile=json.dumps({"num_rows": rows, "num_elements": rows * len(schema.inputs)}),
    )


def run(
    experiment_id,
    name,
    user,
    params=(),
    metrics=(),
    tags=(),
    inputs=(),
    parent=None,
    status="FINISHED",
    minutes=10,
    epochs=1,
):
    tick(900)
    start = millis()
    system = {
        "mlflow.user": user,
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": f"{chance.getrandbits(160):040x}",
    }
    if parent:
        system["mlflow.parentRunId"] = parent
    made = client.create_run(
        experiment_id, start_time=start, tags={**system, **dict(tags)}, run_name=name
    )
    run_id = made.info.run_id
    for key, value in dict(params).items():
        client.log_param(run_id, key, value)
    used = [
        DatasetInput(described, [InputTag("mlflow.data.context", context)])
        for described, context in inputs
    ]
    if used:
        client.log_inputs(run_id, used)
    for epoch in range(epochs):
        tick(minutes * 60 / epochs)
        for key, value in dict(metrics).items():
            better = 1 if value == 0 else 1 + 0.3 * (epochs - 1 - epoch) / epochs
            shown = value * better if "loss" in key or "rmse" in key else value / better
            client.log_metric(run_id, key, float(f"{shown:.6g}"), timestamp=millis(), step=epoch)
    if status != "RUNNING":
        client.set_terminated(run_id, status, end_time=millis())
    return run_id


def version(model, run_id, description=None, stage=None, **tags):
    tick(120)
    source = f"runs:/{run_id}/model" if run_id else f"s3://acme-models/{model}/imported"
    made = client.create_model_version(
        model, f"{ARTIFACTS}/{run_id}/model" if run_id else source, run_id=run_id,
        description=description, tags=tags,
    )
    if stage:
        client.transition_model_version_stage(model, made.version, stage)
    return made.version


def model(name, description, **tags):
    tick(300)
    client.create_registered_model(name, tags=tags, description=description)


# --- Credit risk: a model in production, its rivals and its past ------------------------------

loans = columns(
    customer_id="long", income="double", debt_ratio="double", late_payments="integer",
    opened_at="datetime", defaulted="boolean",
)
loan_book = dataset(
    "loan_book", "s3", {"uri": "s3://acme-lake/credit/loan_book/2026-02.parquet"}, loans, 812_400
)
loan_holdout = dataset(
    "loan_book_holdout", "s3", {"uri": "s3://acme-lake/credit/holdout.parquet"}, loans, 90_150
)
bureau = dataset(
    "bureau_scores", "gs", {"uri": "gs://acme-bureau/scores.parquet"},
    columns(customer_id="long", score="integer"), 640_000,
)

credit = experiment(
    "credit-risk",
    "Probability of default within twelve months.\n\nOwner: *risk analytics*.",
    team="risk-analytics", cost_center="4711",
)
baseline = run(
    credit, "logistic-baseline", "amara",
    {"model": "logistic_regression", "C": 0.1, "penalty": "l2", "class_weight": "balanced"},
    {"auc": 0.742, "log_loss": 0.412, "ks": 0.361},
    {"purpose": "baseline"}, [(loan_book, "training"), (loan_holdout, "evaluation")],
)
search = run(
    credit, "xgboost-search", "amara", {"trials": 4, "sampler": "tpe"}, {"best_auc": 0.811},
    {"purpose": "hyperparameter search"}, [(loan_book, "training")], minutes=45,
)
trials = [
    run(
        credit, f"xgboost-trial-{number}", "amara",
        {"model": "xgboost", "max_depth": depth, "learning_rate": rate, "n_estimators": trees},
        {"auc": auc, "log_loss": loss, "ks": ks},
        inputs=[(loan_book, "training"), (bureau, "training"), (loan_holdout, "evaluation")],
        parent=search, epochs=5,
    )
    for number, depth, rate, trees, auc, loss, ks in [
        (0, 4, 0.3, 200, 0.781, 0.371, 0.41),
        (1, 6, 0.1, 400, 0.804, 0.352, 0.446),
        (2, 8, 0.05, 800, 0.811, 0.347, 0.458),
        (3, 10, 0.00001, 800, 0.5, 0.693147, 0.0),
    ]
]
fairness = run(
    credit, "fairness-audit", "jonas", {"groups": "age_band,region", "threshold": 0.5},
    {"demographic_parity_gap": 0.031, "equal_opportunity_gap": 0.018},
    {"purpose": "audit"}, [(loan_holdout, "evaluation")],
)
broken = run(
    credit, "lightgbm-attempt", "jonas", {"model": "lightgbm", "num_leaves": 512},
    {"auc": float("nan")}, {"error": "out of memory in worker 3"}, [(loan_book, "training")],
    status="FAILED", minutes=3,
)

model(
    "credit-risk-scorer",
    "Scores a loan application between 0 and 1.\n\nReviewed quarterly by the model risk board.",
    domain="lending", risk_class="high",
)
version("credit-risk-scorer", baseline, "Scorecard of 2025, kept for comparison.", "Archived",
        approved_by="model-risk-board")
version("credit-risk-scorer", trials[1], "First boosted trees.", "Archived")
version("credit-risk-scorer", trials[2], "Deeper trees, slower learning.", "Production",
        approved_by="model-risk-board", review="2026-Q1")
version("credit-risk-scorer", trials[0], "Shallow trees, candidate for edge scoring.", "Staging")
client.set_registered_model_alias("credit-risk-scorer", "champion", "3")
client.set_registered_model_alias("credit-risk-scorer", "challenger", "4")
client.set_registered_model_alias("credit-risk-scorer", "regulatory-reference", "1")

# --- Churn: one run gives two models, one version was imported from elsewhere ------------------

usage = columns(account="string", logins_30d="integer", tickets_90d="integer", churned="boolean")
accounts = dataset("accounts_weekly", "local", {"uri": "data/accounts_weekly.csv"}, usage, 48_200)
surveys = dataset(
    "nps_answers", "http", {"url": "https://data.acme.example/nps/2026-02.csv"},
    columns(account="string", score="integer", comment="string"), 7_310,
)
churn = experiment("churn", "Who leaves within the next 60 days.", team="growth")
forest = run(
    churn, "random-forest", "li.wei", {"n_estimators": 300, "max_features": "sqrt"},
    {"f1": 0.61, "precision": 0.57, "recall": 0.66},
    inputs=[(accounts, "training"), (surveys, "training")],
)
network = run(
    churn, "tabnet", "li.wei", {"width": 64, "steps": 5, "optimizer": "adam", "lr": 2e-2},
    {"f1": 0.64, "val_loss": 0.337, "precision": 0.6, "recall": 0.69},
    {"gpu": "a100"}, [(accounts, "training")], epochs=20, minutes=55,
)
withdrawn = run(
    churn, "leaky-features", "li.wei", {"n_estimators": 300, "includes_cancel_reason": True},
    {"f1": 0.98}, {"note": "target leaked into the features"}, [(accounts, "training")],
)
run(
    churn, "tabnet-wide", "amara", {"width": 256, "steps": 5, "optimizer": "adam", "lr": 1e-2},
    {"val_loss": 0.351}, {"gpu": "a100"}, [(accounts, "training")], status="KILLED", minutes=12,
)

model("churn-predictor", "Probability that an account leaves within 60 days.", domain="growth")
version("churn-predictor", forest, "Forest on weekly usage.", "Production")
version("churn-predictor", network, None, "Staging", latency_ms="38")
version("churn-predictor", withdrawn, "Withdrawn: the target leaked. Its run was deleted.")
version("churn-predictor", None, "Vendor's model, imported without a run.", vendor="Retainly")
client.set_registered_model_alias("churn-predictor", "champion", "1")
model("churn-embeddings", "Account embeddings of the churn network, for reuse.")
version("churn-embeddings", network, "Penultimate layer of churn-predictor version 2.")
client.delete_run(withdrawn)

# --- Demand forecast: training on a schedule, one run still going ------------------------------

sales = columns(store="string", sku="string", day="datetime", units="double")
sales_daily = dataset(
    "sales_daily", "delta_table", {"delta_table_name": "retail.sales_daily"}, sales, 96_000_000
)
weather = dataset(
    "weather", "code",
    {"tags": {"mlflow.source.name": "fetch_weather.py", "mlflow.source.type": "LOCAL"}},
    columns(region="string", day="datetime", temperature="double", rain_mm="double"), 73_000,
)
demand = experiment(
    "demand-forecast", "Units per store, article and day, 28 days ahead.", team="supply-chain"
)
backtest = run(
    demand, "backtest-2025", "airflow", {"folds": 3, "horizon_days": 28}, {"rmse": 12.44},
    {"trigger": "manual"}, [(sales_daily, "evaluation")], minutes=5,
)
for fold in (1, 2, 3):
    run(
        demand, f"fold-{fold}", "airflow", {"fold": fold}, {"rmse": 12.1 + fold / 5},
        inputs=[(sales_daily, "evaluation")], parent=backtest, minutes=25,
    )
retrained = [
    run(
        demand, f"nightly-2026-03-0{night}", "airflow",
        {"model": "tft", "horizon_days": 28, "context_days": 365, "quantiles": "0.1,0.5,0.9"},
        {"rmse": rmse, "mape": mape, "coverage_80": coverage, "bias": bias},
        {"trigger": "schedule", "dag_id": "retrain_demand"},
        [(sales_daily, "training"), (weather, "training")], epochs=3, minutes=90,
    )
    for night, rmse, mape, coverage, bias in [
        (1, 12.31, 0.184, 0.792, -0.4),
        (2, 12.07, 0.181, 0.797, -0.1),
        (3, 11.96, 0.179, 0.803, 0.0),
    ]
]
run(
    demand, "nightly-2026-03-04", "airflow",
    {"model": "tft", "horizon_days": 28, "context_days": 365, "quantiles": "0.1,0.5,0.9"},
    {"rmse": 12.9}, {"trigger": "schedule", "dag_id": "retrain_demand"},
    [(sales_daily, "training")], status="RUNNING", minutes=20,
)
model("demand-forecast-tft", "Temporal fusion transformer, one model for all stores.")
for number, trained in enumerate(retrained, start=1):
    version("demand-forecast-tft", trained, f"Nightly training {number}.",
            ["Archived", "Archived", "Production"][number - 1], trigger="schedule")
client.set_registered_model_alias("demand-forecast-tft", "champion", "3")
client.set_registered_model_alias("demand-forecast-tft", "rollback", "2")

# --- Support assistant: language models, datasets from the hub -----------------------------

tickets = dataset(
    "support_tickets", "hugging_face",
    {"path": "acme/support-tickets", "config_name": "default", "split": "train"},
    columns(text="string", intent="string"), 31_000,
)
support = experiment("support-intents", "Routes a ticket to the right desk.", team="service")
distilled = run(
    support, "distilbert-finetune", "noor",
    {"base_model": "distilbert-base-uncased", "epochs": 4, "lr": 5e-5, "batch_size": 32},
    {"accuracy": 0.913, "eval_loss": 0.281, "f1_macro": 0.887},
    {"gpu": "l4"}, [(tickets, "training")], epochs=4, minutes=70,
)
frozen = run(
    support, "frozen-encoder", "noor",
    {"base_model": "distilbert-base-uncased", "epochs": 4, "lr": 1e-3, "batch_size": 128},
    {"accuracy": 0.871, "eval_loss": 0.402, "f1_macro": 0.83}, inputs=[(tickets, "training")],
    epochs=4, minutes=15,
)
prices = MetaDataset(
    HTTPDatasetSource("https://data.acme.example/desks.csv"), name="service_desks",
    schema=columns(desk="string", language="string"),
)
for size in (16, 64):
    run(
        support, f"distilbert-batch-{size}", "noor",
        {"base_model": "distilbert-base-uncased", "epochs": 4, "lr": 5e-5, "batch_size": size},
        {"accuracy": 0.9 + 0.01 / size, "eval_loss": 0.3 - 0.01 / size}, parent=distilled,
        inputs=[(tickets, "training")], epochs=4, minutes=60,
    )
run(
    support, "dapper-roo-360", "noor", {"dry_run": True}, {"rows": 1e16 / 3, "throughput": 1e-7},
    inputs=[(prices._to_mlflow_entity(), "lookup")], minutes=1,
)
model("support-router", "Intent of a ticket: billing, outage, cancellation or other.")
version("support-router", frozen, "Cheap to serve; fallback.", "Archived")
version("support-router", distilled, "Fine-tuned end to end.", "Staging")
client.set_registered_model_alias("support-router", "candidate", "2")

# --- A retired project, and one that is only an idea ---------------------------------------

fraud = experiment("fraud-rules-2024", "Superseded by the vendor's service.", team="risk-analytics")
run(fraud, "rules-v7", "jonas", {"rules": 184}, {"recall": 0.41})
client.delete_experiment(fraud)
experiment("price-elasticity", "To be started in the second quarter.", team="pricing")
model("price-elasticity", "Reserved name; no version yet.")

database = sqlite3.connect(TARGET)
database.execute("PRAGMA page_size = 1024")
database.execute("VACUUM")
database.close()
print(f"{TARGET.name}: {TARGET.stat().st_size / 1024:.0f} KB")
