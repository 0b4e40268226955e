"""Checks a file of proposals with DataHub's own classes.

    python validate.py proposals.json

Prints one JSON object: how many proposals there are, and `problems`, each a sentence. Every URN in
every place, in aspects too, is parsed by its own class; every aspect is read by its own class,
validated, and must belong to the type of its entity.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

from datahub.metadata import schema_classes, urns  # noqa: E402
from datahub.utilities.urns.urn import guess_entity_type  # noqa: E402

URN_CLASSES = {
    getattr(urns, name).ENTITY_TYPE: getattr(urns, name)
    for name in dir(urns)
    if name.endswith("Urn") and hasattr(getattr(urns, name), "ENTITY_TYPE")
}
ASPECTS_OF = {
    key_class.ASPECT_INFO["keyForEntity"]: {
        key_class.ASPECT_NAME,
        *key_class.ASPECT_INFO["entityAspects"],
    }
    for key_class in schema_classes.KEY_ASPECTS.values()
}
MAX_URN_BYTES = 512


def check_urn(urn):
    kind = guess_entity_type(urn)
    if kind not in URN_CLASSES:
        raise ValueError(f"no class for URNs of {kind}")
    parsed = URN_CLASSES[kind].from_string(urn)
    if str(parsed) != urn:
        raise ValueError(f"comes back as {parsed}")


def urns_in(value, path=""):
    """Texts that must be URNs: where the model says so, all of them in our aspects."""
    if isinstance(value, dict):
        for key, item in value.items():
            # Free text, and names of the users' own.
            if key not in ("customProperties", "name", "description", "value", "tags"):
                yield from urns_in(item, f"{path}.{key}")
            elif key == "tags" and item and isinstance(item[0], dict):
                yield from urns_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from urns_in(item, path)
    elif isinstance(value, str) and value.startswith("urn:"):
        yield path, value


def check(proposal):
    kind, urn, name = proposal["entityType"], proposal["entityUrn"], proposal["aspectName"]
    if proposal["changeType"] != "UPSERT":
        yield f"changeType is {proposal['changeType']}"
    if guess_entity_type(urn) != kind:
        yield f"entityType is {kind}"
    if name not in ASPECTS_OF.get(kind, ()):
        yield f"{kind} has no aspect {name}"
        return
    if len(urn.encode()) > MAX_URN_BYTES:
        yield f"the URN has {len(urn.encode())} bytes"
    content = proposal["aspect"]["json"]
    for path, found in [("entityUrn", urn), *urns_in(content)]:
        try:
            check_urn(found)
        except Exception as error:
            yield f"{path}: {found}: {error}"
    aspect_class = schema_classes.ASPECT_NAME_MAP[name]
    try:
        aspect = aspect_class.from_obj(content, tuples=False)
    except Exception as error:
        yield f"{name} can't be read: {error!r}"
        return
    if not aspect.validate():
        yield f"{name} is not valid"
    unknown = lost(content, aspect.to_obj())
    if unknown:
        yield f"{name} has fields that DataHub does not know, or reads otherwise: {unknown}"


def check_patch(proposal):
    kind, urn, name = proposal["entityType"], proposal["entityUrn"], proposal["aspectName"]
    check_urn(urn)
    if guess_entity_type(urn) != kind:
        yield f"entityType is {kind}"
    if name not in ASPECTS_OF.get(kind, ()):
        yield f"{kind} has no aspect {name}"
    content = proposal["aspect"]["json"]
    operations = content["patch"] if isinstance(content, dict) else content
    for operation in operations:
        if operation["op"] not in ("add", "remove", "replace", "test", "move", "copy"):
            yield f"the operation {operation['op']}"
        if not operation["path"].startswith("/"):
            yield f"the path {operation['path']}"


def lost(ours, theirs, path=""):
    """Where what was written did not come back from DataHub's class."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = []
        for key, value in ours.items():
            if key not in theirs:
                # A union's name in full, such as com.linkedin.schema.StringType.
                found += [] if value in ({}, None) else [f"{path}.{key}"]
            else:
                found += lost(value, theirs[key], f"{path}.{key}")
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [item for pair in zip(ours, theirs) for item in lost(*pair, path)]
    return [] if ours == theirs else [path]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        proposals = json.load(file)
    problems = [
        f"{proposal['entityUrn']} {proposal['aspectName']}: {problem}"
        for proposal in proposals
        for problem in check(proposal)
    ]
    print(json.dumps({"count": len(proposals), "problems": problems}))


if __name__ == "__main__":
    main()
