"""What Python has from 3.11 on, for the 3.10 of JetPack 6 too."""

import sys
from datetime import timezone

if sys.version_info >= (3, 11):
    from enum import StrEnum
    from typing import Self

    import tomllib
else:
    from enum import Enum

    import tomli as tomllib
    from typing_extensions import Self

    class StrEnum(str, Enum):
        """Names that are strings."""

        __str__ = str.__str__


__all__ = ["UTC", "Self", "StrEnum", "tomllib"]

UTC = timezone.utc
