"""The OpenAPI document, as it is committed: ``python -m fastmllp_engine.api.document``."""

import json
from typing import Any, cast

from fastmllp_engine.api.application import application
from fastmllp_engine.runtime import Running


def document() -> dict[str, Any]:
    """The document of the API."""
    # No route is called.
    return application(cast(Running, None)).openapi()


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, sort_keys=True))
