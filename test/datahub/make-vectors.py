"""Makes vectors.json: what DataHub's own library gives for awkward input.

    python -m venv v && v/bin/pip install 'acryl-datahub[s3,abs,bigquery,unity-catalog]==1.7.0.17'
    v/bin/python test/datahub/make-vectors.py > test/datahub/vectors.json

The same library gives the same file each time.
"""

import json
import random
import struct

from datahub.api.entities.dataprocess.dataprocess_instance import DataProcessInstance
from datahub.emitter.mce_builder import datahub_guid, make_tag_urn
from datahub.emitter.mcp_builder import ExperimentKey
from datahub.ingestion.source.aws.s3_util import make_s3_urn_for_lineage
from datahub.ingestion.source.azure.abs_utils import strip_abs_prefix, to_blob_https_uri
from datahub.ingestion.source.bigquery_v2.bigquery_audit import BigqueryTableIdentifier
from datahub.ingestion.source.sql.hive.storage_lineage import StoragePathParser
from datahub.ingestion.source.unity.identifier_helper import split_databricks_identifier
from datahub.metadata.urns import (
    DataPlatformInstanceUrn,
    DataPlatformUrn,
    DatasetUrn,
    MlFeatureUrn,
    MlModelGroupUrn,
    MlModelUrn,
    PlatformResourceUrn,
    Urn,
    VersionSetUrn,
)

NAMES = [
    "churn",
    "a,b",
    "(x)",
    "fn(a, b), 50%",
    "a%2Cb",
    "sep\u241fsep",
    "slash/and\\back",
    "tab\tand\nline\r\f\b",
    "\x00\x01\x1f\x7f\x80",
    'quote " and \'',
    "grüße",
    "模型",
    "𝒳 astral 🚀",
    "\u2028\u2029\ufeff\uffff",
    " blank ",
    "urn:li:tag:x",
    "__proto__",
    "constructor",
    "UPPER lower",
    "x" * 300,
    "~!@#$^&*_+-=[]{}|;:<>?.",
]


def experiment(name, instance=None):
    return ExperimentKey(
        platform=str(DataPlatformUrn("mlflow")), id=name, instance=instance
    ).as_urn()


def urns(name):
    return {
        "name": name,
        "mlModel": str(MlModelUrn("mlflow", name, "PROD")),
        "mlFeature": str(MlFeatureUrn(f"mlflow.PROD.{name}", name)),
        "mlModelGroup": str(MlModelGroupUrn("mlflow", name, "DEV")),
        "mlflowDataset": str(DatasetUrn.create_from_ids("mlflow", name, "PROD", None)),
        "instanceDataset": str(
            DatasetUrn.create_from_ids("s3", name, "QA", "eu, (1)")
        ),
        "platformInstance": str(DataPlatformInstanceUrn("mlflow", name)),
        "tag": make_tag_urn(f"mlflow_{name.lower()}"),
        "experiment": experiment(name),
        "instanceExperiment": experiment(name, "eu, (1)"),
        "run": str(DataProcessInstance(id=name, orchestrator="mlflow").urn),
        "user": str(
            PlatformResourceUrn(datahub_guid({"platform": "mlflow", "user": name}))
        ),
        "versionSet": str(
            VersionSetUrn(
                id=datahub_guid({"platform": "mlflow", "name": name}),
                entity_type="mlModel",
            )
        ),
    }


def guids():
    keys = ["b", "a", "é", "\uffff", "𝒳", "\x7f", "10", "9", "__proto__", "𝒳a", "\ue000"]
    bags = [{}, {"a": ""}, {k: k for k in keys}, {k: "v" for k in keys[3:5]}]
    bags += [{"name": name, "platform": "mlflow"} for name in NAMES]
    return [[list(bag.items()), datahub_guid(bag)] for bag in bags]


def floats():
    values = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 100.0, 123456789.123, 1e-3, 1e-4, 9.999e-5]
    values += [1e-5, 1.5e-7, 1e15, 9999999999999998.0, 1e16, 1.2345e16, 1e17, 1e21, 1e22]
    values += [1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 1e100, -1e-100]
    values += [float("inf"), float("-inf"), float("nan"), 2.0**53, 2.0**53 + 2, 1e23]
    chance = random.Random(20240229)
    for _ in range(60):
        values.append(struct.unpack(">d", chance.getrandbits(64).to_bytes(8, "big"))[0])
        values.append(chance.uniform(-1, 1) * 10 ** chance.randint(-8, 20))
        values.append(float(chance.randint(-(10**17), 10**17)))
    return [[struct.pack(">d", value).hex(), str(value)] for value in values]


def locations():
    s3 = ["s3://lake/sales.csv", "s3a://lake/a/b, (1)/", "s3n://lake", "s3://lake/a//b?c#d"]
    azure = [
        "abfss://lake@acme.dfs.core.windows.net/raw/sales.parquet",
        "abfs://lake@acme.dfs.core.windows.net/",
        "https://acme.blob.core.windows.net/lake/raw/sales.csv?sig=x",
        "https://acme.dfs.core.windows.net/lake/raw",
    ]
    paths = ["hdfs://name:8020/raw//sales/", "hdfs:///raw", "dbfs:/raw/sales", "gs://lake/a/b", "gs://lake"]
    made = [[uri, make_s3_urn_for_lineage(uri, "PROD")] for uri in s3]
    made += [
        [uri, str(DatasetUrn("abs", strip_abs_prefix(to_blob_https_uri(uri) + "/").strip("/")))]
        for uri in azure
    ]
    for uri in paths:
        platform, path = StoragePathParser.parse_storage_location(uri)
        name = StoragePathParser.get_platform_name(platform)
        made.append([uri, str(DatasetUrn(name, path))])
    return made


def tables():
    split = ["a.b.c", "`a`.`b.c`.d", '"a".b."c"', " a . b ", "b.c", "c"]
    sharded = ["events", "events_20240229", "events20240229", "20240229", "events_20241332"]
    sharded += ["events$20240101", "events_*", "events_2024*", "events@1624046611000", "e_1_20240101"]
    # What the connector sets with its default options.
    BigqueryTableIdentifier._BQ_SHARDED_TABLE_SUFFIX = ""
    return {
        "split": [[name, split_databricks_identifier(name)] for name in split],
        "bigquery": [[table, str(BigqueryTableIdentifier("p", "d", table))] for table in sharded],
    }


for name in NAMES:
    for kind, urn in urns(name).items():
        if kind != "name":
            assert str(Urn.from_string(urn)) == urn, urn

print(
    json.dumps(
        {
            "urns": [urns(name) for name in NAMES],
            "guids": guids(),
            "floats": floats(),
            "locations": locations(),
            "tables": tables(),
        },
        indent=1,
    )
)
