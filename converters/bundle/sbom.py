"""What a bundle is made of, as a CycloneDX 1.6 document."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from converters.bundle.packages import Package
from converters.bundle.sources import Sources
from edge_app.version import __version__

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:edge-anpr:sbom")


def as_json(sources: Sources, packages: Sequence[Package], models: Mapping[str, str], target: str) -> bytes:
    """The document; `models`: the sha256 of each network by its file's name, `target`: machine and Python."""
    components = [_component(package) for package in packages]
    components += [
        {
            "type": "machine-learning-model",
            "bom-ref": f"model:{name}",
            "name": name.removesuffix(".tflite"),
            "version": __version__,
            "hashes": [{"alg": "SHA-256", "content": sha256}],
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
        for name, sha256 in sorted(models.items())
    ]
    program = {
        "type": "application",
        "bom-ref": "edge-anpr",
        "name": "edge-anpr",
        "version": __version__,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "properties": [
            {"name": "edge-anpr:commit", "value": sources.commit},
            {"name": "edge-anpr:target", "value": target},
        ],
    }
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": sources.made_at, "component": program},
        "components": components,
        "dependencies": [{"ref": "edge-anpr", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, content).urn
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _component(package: Package) -> dict[str, Any]:
    reference = f"pkg:pypi/{package.name}@{package.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
        "purl": reference,
    }
    if package.license_is_spdx:
        component["licenses"] = [{"expression": package.license}]
    elif package.license is not None:
        component["licenses"] = [{"license": {"name": package.license}}]
    return component
