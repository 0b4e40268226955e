"""Patches by DataHub's own builders, in files of DataHub's own; and what its reader says of a file.

    python patches.py write FOLDER     plain.json and nested.json; prints what is in them
    python patches.py read FILE        prints what is in it

What is in a file is printed as a list of proposals, as DataHub's REST client would send them.
"""

import json
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

from datahub.ingestion.sink.file import write_metadata_file  # noqa: E402
from datahub.ingestion.source.file import read_metadata_file  # noqa: E402
from datahub.metadata.schema_classes import TagAssociationClass  # noqa: E402
from datahub.specific.dataset import DatasetPatchBuilder  # noqa: E402


def built():
    urn = "urn:li:dataset:(urn:li:dataPlatform:hive,db.table,PROD)"
    builder = DatasetPatchBuilder(urn)
    builder.add_tag(TagAssociationClass("urn:li:tag:ü"))
    builder.set_display_name('~1 "name"').add_custom_property("a/b", "c")
    return list(builder.build())


def sent(proposal):
    return {
        "entityType": proposal.entityType,
        "entityUrn": proposal.entityUrn,
        "changeType": proposal.changeType,
        "aspectName": proposal.aspectName,
        "contentType": proposal.aspect.contentType,
        "content": json.loads(proposal.aspect.value),
    }


def main():
    command, place = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "read":
        proposals = list(read_metadata_file(place))
    else:
        proposals = built()
        write_metadata_file(place / "plain.json", proposals)
        nested = [proposal.to_obj() for proposal in proposals]
        (place / "nested.json").write_text(json.dumps(nested))
    print(json.dumps([sent(proposal) for proposal in proposals]))


if __name__ == "__main__":
    main()
