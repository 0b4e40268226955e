"""Reads a topic of proposals as DataHub's consumer does.

    python read.py BROKER TOPIC REGISTRY OUT.ndjson
    python read.py --canonical OURS.avsc

The first writes a line for each message, in the order of each partition: the proposal as a file has
it, with its `partition`. Every message is read with the schema that DataHub ships, into DataHub's
class; its aspect, too. What can't be is an error. The second prints the canonical form of DataHub's
schema and of ours as two lines.
"""

import faulthandler
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import avro.schema  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: E402
from confluent_kafka.schema_registry.avro import AvroDeserializer  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402
from datahub.metadata.schema_classes import (  # noqa: E402
    ASPECT_NAME_MAP,
    MetadataChangeProposalClass,
)
from datahub.metadata.schemas import getMetadataChangeProposalSchema  # noqa: E402

TIMEOUT_S = 60
# The client has none by itself, and asks again: once in thousands of questions none is answered.
REGISTRY_TIMEOUT_S = 20
CONTENT_TYPES = {"UPSERT": "application/json", "PATCH": "application/json-patch+json"}


def watch():
    """Names what hangs: nothing of what is watched takes minutes, however slow the machine is."""
    faulthandler.dump_traceback_later(240, exit=True)


def read(broker, topic, registry, out):
    deserialize = AvroDeserializer(
        schema_registry_client=SchemaRegistryClient({"url": registry, "timeout": REGISTRY_TIMEOUT_S}),
        schema_str=getMetadataChangeProposalSchema(),
        from_dict=lambda value, _: MetadataChangeProposalClass.from_obj(value, tuples=True),
    )
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "reader",
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
            "fetch.message.max.bytes": 64 * 1024 * 1024,
        }
    )
    metadata = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    left = {}
    for number in metadata.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=TIMEOUT_S)
        if high > low:
            left[number] = high
    consumer.assign([TopicPartition(topic, number, 0) for number in left])
    context = SerializationContext(topic, MessageField.VALUE)
    last = time.monotonic()
    while left:
        watch()
        # It waits for as many as that, or for as long as that.
        messages = consumer.consume(500, timeout=0.2)
        if messages:
            last = time.monotonic()
        elif time.monotonic() > last + TIMEOUT_S:
            raise TimeoutError(f"no message in {TIMEOUT_S} s; left: {left}")
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(message.error())
            line = plain(deserialize(message.value(), context), message.key())
            line["partition"] = message.partition()
            print(json.dumps(line), file=out)
            if message.offset() + 1 >= left.get(message.partition(), 0):
                left.pop(message.partition(), None)


def plain(proposal, key):
    if not proposal.validate():
        raise ValueError(f"not valid: {proposal}")
    if key.decode() != proposal.entityUrn:
        raise ValueError(f"the key of {proposal.entityUrn} is {key}")
    if proposal.aspect.contentType != CONTENT_TYPES[proposal.changeType]:
        raise ValueError(f"the content type is {proposal.aspect.contentType}")
    aspect = json.loads(proposal.aspect.value)
    known = ASPECT_NAME_MAP.get(proposal.aspectName)
    if known is None:
        raise ValueError(f"DataHub has no aspect {proposal.aspectName}")
    is_patch = proposal.changeType == "PATCH"
    if not is_patch and not known.from_obj(aspect, tuples=False).validate():
        raise ValueError(f"{proposal.entityUrn} {proposal.aspectName} is not valid")
    system = proposal.systemMetadata
    return {
        "entityType": proposal.entityType,
        "entityUrn": proposal.entityUrn,
        "changeType": proposal.changeType,
        "aspectName": proposal.aspectName,
        "aspect": {"json": aspect},
        "systemMetadata": {"lastObserved": system.lastObserved, "runId": system.runId},
    }


def canonical(path):
    with open(path, encoding="utf-8") as file:
        ours = file.read()
    for text in (getMetadataChangeProposalSchema(), ours):
        print(avro.schema.parse(text).canonical_form)


if __name__ == "__main__":
    watch()
    if sys.argv[1] == "--canonical":
        canonical(sys.argv[2])
    else:
        with open(sys.argv[4], "w", encoding="utf-8") as out:
            read(*sys.argv[1:4], out)
        # Not the ordinary way: librdkafka, in taking leave of the brokers, now and then hangs.
        os._exit(0)
